import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from '../../lib/cli/registry.ts';
import { inVirtualMachine, patience } from '../helpers/deadline.ts';
import { eachTool, triedTools } from '../helpers/each-tool.ts';
import { assertRefused, runCommand } from '../helpers/refused.ts';
import { runTool, startCommand, toolCommand } from '../helpers/run-tool.ts';
import { unprivileged } from '../helpers/unprivileged.ts';
import { usualArguments } from '../helpers/usual-arguments.ts';

// Needs nothing but tracepoints of system calls, so what fails here fails for the reason that the test gives.
const tool = 'opensnoop';
const tools = await new Registry().loadAll();

// Elsewhere, where all is slow, one stands for all.
if (!inVirtualMachine) {
  test('no tool runs without the privilege, but for those that anybody may run', async () => {
    const names = [...tools.keys()];
    const result = await startCommand(eachTool(names), unprivileged).ended(patience * 10);
    for (const { tool, code, message, crash } of triedTools(names, result)) {
      const open = tools.get(tool)?.unprivileged === true;
      assert.equal(code, open ? undefined : 'permission', `${tool}: ${message ?? crash}`);
      assert.match(message ?? '', open ? /^$/ : /[Nn]ot permitted/);
    }
  });
}

// As a command, one of each shape and those that are like no other: the tools share what refuses them.
const privileged = [...tools].filter(([, { unprivileged }]) => unprivileged !== true);
const shapes = new Map(privileged.map(([name, { shape }]): [string, string] => [shape, name]).reverse());
const samples = privileged.filter(
  ([name, { shape }]) => name === tool || (!inVirtualMachine && (shape === 'custom' || shapes.get(shape) === name)),
);
for (const [name, each] of samples) {
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
