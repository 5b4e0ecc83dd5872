import assert from 'node:assert/strict';
import { getPriority } from 'node:os';
import { test } from 'node:test';
import { CopiedBuild } from '../helpers/copied-build.ts';
import { fixtureObject } from '../helpers/fixture-object.ts';
import { assertRefused, runCommand } from '../helpers/refused.ts';
import { startCommand } from '../helpers/run-tool.ts';

/** A tool made of its two files, as anybody may add one. */
async function addTool(copy: CopiedBuild, name: string, attach: string): Promise<void> {
  const definition = `import { skeleton } from '../lib/bpf/skeleton.js';
import { snoop } from '../lib/tool.js';

export default snoop(skeleton('${name}', {}), {
  summary: 'Trace getpriority(2).',
  description: 'One of two hooks is used.',
  overhead: '',
  options: {},
  columns: { pid: {} },
  attach: ${attach},
  examples: { '': 'trace every call' },
});
`;
  await copy.add(name, definition, fixtureObject('alternatives'));
}

test('a program that the verifier refuses is replaced by its alternative, and -v says why', async () => {
  using copy = new CopiedBuild();
  await addTool(copy, 'priorities', '{}');
  await using tool = startCommand(copy.command('kscope', ['priorities', '--json', '-v']), { json: true });
  await tool.ready();
  for (let i = 0; i < 5; i++) {
    getPriority();
  }
  const { code, messages, rows, stderr } = await tool.end();
  assert.equal(code, 0, stderr);
  assert.deepEqual(messages[0]?.hooks, [
    { program: 'priority__tp', hook: 'tracepoint syscalls:sys_enter_getpriority' },
  ]);
  assert.deepEqual(
    rows.filter(({ pid }) => pid === process.pid),
    Array.from({ length: 5 }, () => ({ type: 'event', pid: process.pid })),
  );
  assert.match(stderr, /^priorities: .*priority__raw_tp: .*the verifier refused it: .*; trying the next hook$/m);
});

test('without an alternative, what the verifier says is the reason', async () => {
  using copy = new CopiedBuild();
  await addTool(copy, 'priorities', "{ unwanted: () => ['priority__tp'] }");
  const result = await runCommand(copy.command('kscope', ['priorities']));
  assert.equal(result.code, 1);
  const says = /^priorities: cannot load program priority__raw_tp: the verifier refused it: ./;
  const hints = result.stderr
    .trimEnd()
    .split('\n')
    .slice(1)
    .map(() => /./);
  assertRefused(result, { code: 1, says, hints });
});
