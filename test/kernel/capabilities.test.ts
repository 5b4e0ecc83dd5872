import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { objectFile } from '../../lib/bpf/object-file.ts';
import { readObjectSpec } from '../../lib/bpf/object-spec.ts';
import { Registry } from '../../lib/cli/registry.ts';
import { checkTool } from '../../lib/shapes/check.ts';
import type { Tool } from '../../lib/shapes/definition.ts';
import { inVirtualMachine } from '../helpers/deadline.ts';
import { startCommand, toolCommand } from '../helpers/run-tool.ts';

// To load programs, to attach them, and to read what tracefs and /proc show to root alone.
const capabilities = ['bpf', 'perfmon', 'dac_read_search', 'sys_ptrace', 'syslog'].map((name) => `+${name}`).join(',');
const nobody = ['--reuid', '65534', '--regid', '65534', '--clear-groups', '--no-new-privs'];
const only = ['--inh-caps', '--bounding-set'].flatMap((set) => [set, `-all,${capabilities}`]);

/** Programs at user code are attached by somebody who may look into all processes and files: by root. */
function atUserCode({ skeleton }: Tool): boolean {
  const file = objectFile(skeleton);
  const { programs } = readObjectSpec(readFileSync(file), skeleton.name);
  return programs.some(({ section }) => /^(u(ret)?probe|usdt)/.test(section));
}

const tools = [...(await new Registry().loadAll())].filter(
  ([, tool]) => checkTool(tool).problem === undefined && !atUserCode(tool),
);
const shapes = new Set<string>();

// Above 2, which only distributions' kernels know, nobody but root opens tracepoints.
const setting = '/proc/sys/kernel/perf_event_paranoid';
const paranoid = readFileSync(setting, 'utf8');
before(() => Number(paranoid) > 2 && writeFileSync(setting, '2'));
after(() => Number(paranoid) > 2 && writeFileSync(setting, paranoid));

// The tools share what needs privileges: where commands are slow to start, one of each shape stands for all.
for (const [name, tool] of tools) {
  if (inVirtualMachine && shapes.has(tool.shape)) {
    continue;
  }
  shapes.add(tool.shape);
  test(`${name}: with capabilities, and not as root`, async () => {
    const usual = (Object.keys(tool.examples)[0] ?? '').split(' ').filter((word) => word !== '');
    const command = toolCommand(name, usual);
    await using running = startCommand(['setpriv', ...nobody, ...only, '--ambient-caps', capabilities, ...command]);
    await running.until((tool) => /Ctrl-C|types of kernel modules/.test(tool.stderr), 'the ready line');
    const { code, stderr } = await running.end();
    // A type that only some kernels have is looked for in the modules, too.
    assert.equal(code, stderr.includes('Ctrl-C') ? 0 : 4, stderr);
  });
}
