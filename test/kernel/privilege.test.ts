import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from '../../lib/cli/registry.ts';
import { inVirtualMachine } from '../helpers/deadline.ts';
import { assertRefused, runCommand } from '../helpers/refused.ts';
import { runTool, toolCommand } from '../helpers/run-tool.ts';
import { unprivileged } from '../helpers/unprivileged.ts';
import { usualArguments } from '../helpers/usual-arguments.ts';

// Needs nothing but tracepoints of system calls, so what fails here fails for the reason that the test gives.
const tool = 'opensnoop';
const tools = await new Registry().loadAll();

// The tools share what refuses them: where commands are slow to start, one stands for all.
for (const [name, each] of [...tools].filter(([one]) => one === tool || !inVirtualMachine)) {
  test(`${name}: without the privilege`, async () => {
    const args = [...usualArguments(each), '--json', '--duration', '5'];
    const result = await runTool(name, args, unprivileged);
    const sudo = new RegExp(`^sudo (\\S+ )?\\S+/bin/${name} .*--json --duration 5$`);
    assertRefused(result, { code: 4, says: new RegExp(`^${name}: .*[Nn]ot permitted`), hints: [sudo] });
  });
}

test('root that may do nothing', async () => {
  const drop = ['setpriv', '--bounding-set', '-all', '--inh-caps', '-all'] as const;
  const result = await runCommand([...drop, ...toolCommand(tool)]);
  const hint = /^root lacks CAP_BPF and CAP_PERFMON; /;
  assertRefused(result, { code: 4, says: new RegExp(`^${tool}: .*[Nn]ot permitted`), hints: [hint] });
});

test('no locked memory allowed', async () => {
  const command = toolCommand(tool, ['--duration', '0.1']);
  const { code, stderr } = await runCommand(['sh', '-c', 'ulimit -l 0; exec "$@"', 'sh', ...command]);
  assert.equal(code, 0, stderr);
});
