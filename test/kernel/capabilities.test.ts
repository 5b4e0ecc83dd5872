import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { objectFile } from '../../lib/bpf/object-file.ts';
import { readObjectSpec } from '../../lib/bpf/object-spec.ts';
import { Registry } from '../../lib/cli/registry.ts';
import { checkTool } from '../../lib/shapes/check.ts';
import type { Tool } from '../../lib/shapes/definition.ts';
import { networkPrivilege } from '../../lib/shapes/network-privilege.ts';
import { longName } from '../../lib/shapes/options.ts';
import { inVirtualMachine, patience } from '../helpers/deadline.ts';
import { eachTool, triedTools } from '../helpers/each-tool.ts';
import { built, startCommand, toolCommand } from '../helpers/run-tool.ts';

// To load programs, to attach them, and to read what tracefs and /proc show to root alone.
const tracing = ['bpf', 'perfmon', 'dac_read_search', 'sys_ptrace', 'syslog'];
const withSockets = [...tracing, 'net_admin'];
const nobody = ['--reuid', '65534', '--regid', '65534', '--clear-groups', '--no-new-privs'];

function hasProgramsAt(section: RegExp, { skeleton }: Tool): boolean {
  const { programs } = readObjectSpec(readFileSync(objectFile(skeleton)), skeleton.name);
  return programs.some((program) => section.test(program.section));
}

/** Programs at user code are attached by somebody who may look into all processes and files: by root. */
const atUserCode = (tool: Tool) => hasProgramsAt(/^(u(ret)?probe|usdt)/, tool);

/** What the manual says that a tool needs when it starts without options; where it depends on the kernel, all of it. */
const capabilitiesOf = (tool: Tool) =>
  ['always', 'else'].includes(`${networkPrivilege(tool)}`) ? withSockets : tracing;

/** The arguments of setpriv(1) for somebody who has these capabilities and no others. */
function withOnly(names: readonly string[]): readonly string[] {
  const set = names.map((name) => `+${name}`).join(',');
  return [...nobody, '--inh-caps', `-all,${set}`, '--bounding-set', `-all,${set}`, '--ambient-caps', set];
}

const tools = [...(await new Registry().loadAll())].filter(
  ([, tool]) => tool.shape !== 'listing' && checkTool(tool).problem === undefined && !atUserCode(tool),
);
const shapes = new Set<string>();

// Above 2, which only distributions' kernels know, nobody but root opens tracepoints.
const setting = '/proc/sys/kernel/perf_event_paranoid';
const paranoid = readFileSync(setting, 'utf8');
before(() => Number(paranoid) > 2 && writeFileSync(setting, '2'));
after(() => Number(paranoid) > 2 && writeFileSync(setting, paranoid));

// Elsewhere, where all is slow, those below stand for all.
for (const needed of inVirtualMachine ? [] : new Set(tools.map(([, tool]) => capabilitiesOf(tool)))) {
  test(`every tool that needs no more than ${needed.join(', ')}`, async () => {
    const names = tools.flatMap(([name, tool]) => (capabilitiesOf(tool) === needed ? [name] : []));
    const command = startCommand(['setpriv', ...withOnly(needed), ...eachTool(names)]);
    for (const { tool, hooks, code, message, hints = [], crash } of triedTools(
      names,
      await command.ended(patience * 10),
    )) {
      // A type that only some kernels have is looked for in the modules, too.
      const asked = code === 'permission' && [message, ...hints].join('\n').includes('types of kernel modules');
      assert.ok(asked || (hooks ?? []).length > 0, `${tool}: ${message ?? crash}`);
    }
  });
}

// As a command, one of each shape: the tools share what needs privileges.
for (const [name, tool] of tools) {
  if (shapes.has(tool.shape)) {
    continue;
  }
  shapes.add(tool.shape);
  test(`${name}: with capabilities, and not as root`, async () => {
    const usual = (Object.keys(tool.examples)[0] ?? '').split(' ').filter((word) => word !== '');
    const command = toolCommand(name, usual);
    await using running = startCommand(['setpriv', ...withOnly(capabilitiesOf(tool)), ...command]);
    await running.until((tool) => /Ctrl-C|types of kernel modules/.test(tool.stderr), 'the ready line');
    const { code, stderr } = await running.end();
    // A type that only some kernels have is looked for in the modules, too.
    assert.equal(code, stderr.includes('Ctrl-C') ? 0 : 4, stderr);
  });
}

test('what sees the sockets of others is not permitted without CAP_NET_ADMIN, and says so', async () => {
  const [, tool] = tools.find(([, each]) => hasProgramsAt(/^cgroup\//, each)) ?? assert.fail('no tool sees them');
  const script = `
    import { BpfObject } from '${built}lib/index.js';
    const object = BpfObject.open(process.argv[1]);
    for (const program of object.programs.values()) program.autoload = program.section.startsWith('cgroup/');
    try { object.load(); } catch (error) { console.log(error.code); }`;
  const node = [process.execPath, '--input-type=module', '-e', script, fileURLToPath(objectFile(tool.skeleton))];
  const said = async (names: readonly string[]) => {
    const { stdout, stderr } = await startCommand(['setpriv', ...withOnly(names), ...node]).ended();
    return [stdout, stderr];
  };
  assert.deepEqual(await said(tracing), ['permission\n', '']);
  assert.deepEqual(await said([...tracing, 'net_admin']), ['', '']);
});

for (const [name, tool] of tools) {
  const privilege = networkPrivilege(tool);
  // What stands in for something else is not attached everywhere.
  for (const option of privilege === 'always' ? [undefined] : typeof privilege === 'string' ? [] : privilege) {
    const given = option === undefined ? [] : [`--${longName(option)}`, ...(option.choices?.slice(0, 1) ?? [])];
    const args = [...given, '--duration', '0.1'];
    test(`${name} ${args.join(' ')}: as its manual says, not without CAP_NET_ADMIN`, async () => {
      const run = async (names: readonly string[]) =>
        startCommand(['setpriv', ...withOnly(names), ...toolCommand(name, args)]).ended();
      const refused = await run(tracing);
      assert.equal(refused.code, 4, refused.stderr);
      const { code, stderr } = await run(withSockets);
      assert.equal(code, 0, stderr);
    });
  }
}
