import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Actor } from '../helpers/actor.ts';
import { startCommand, startTool, type ToolResult } from '../helpers/run-tool.ts';
import { stacksProgram } from '../helpers/stacks-program.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';
import { watch } from '../helpers/watch.ts';

const PR_SET_NAME = 15;

test('stacks that lead to an event or a function are counted', async (t) => {
  using place = new TemporaryDirectory();
  const program = stacksProgram(t, place);
  if (program === undefined) {
    return;
  }
  for (const pattern of ['t:syscalls:sys_enter_openat', `${program}:open_in_here`]) {
    await using tool = startTool('stackcount', ['--json', '--comm', 'stacks', pattern]);
    await tool.ready();
    await using running = startCommand([program, 'open', '19']);
    await running.until(({ stdout }) => stdout === 'opened\n');
    const { code, messages, stderr } = await tool.end();
    assert.equal(code, 0, stderr);
    const own = messages.filter(
      ({ type, user }) => type === 'stack' && (user as { symbol?: string }[])[0]?.symbol === 'open_in_here',
    );
    assert.equal(own.length, 1, stderr);
    assert.equal(own[0]?.weight, 19);
    assert.equal(own[0]?.unit, 'calls');
    const kernel = (own[0]?.kernel as { symbol?: string }[] | undefined)?.map(({ symbol }) => symbol) ?? [];
    // At system calls, older kernels know user stacks only.
    assert.ok(kernel.length === 0 || pattern.startsWith('t:'), 'a function of a program is called from no kernel');
  }
});

test('kernel stacks are those of all processes or of each, at each interval what came since', async () => {
  await using actor = await Actor.start();
  await using another = await Actor.start();
  const event = 't:syscalls:sys_enter_prctl';
  const name = 'stackcount-test';
  // Under its new name it makes all calls but the first.
  const act = async () => {
    for (let i = 0; i < 4; i++) {
      await actor.call('prctl', PR_SET_NAME, name);
      await another.call('prctl', PR_SET_NAME, name);
    }
  };
  await act();
  const own = ['--comm', name, event];
  const seen = await watch(
    'stackcount',
    {
      together: ['--json', '-K', ...own],
      apart: ['--json', '-K', '-P', ...own],
      often: ['--json', '-K', '-i', '0.2', ...own],
      text: ['-K', '-T', '-s', ...own],
      folded: ['-K', '-f', '-s', ...own],
    },
    async ({ often }) => {
      await act();
      await often.message(({ type, weight }) => type === 'stack' && Number(weight) > 0);
      await act();
    },
  );
  const stacksOf = ({ messages }: ToolResult) => messages.filter(({ type }) => type === 'stack');
  // The way into a tracepoint has another function while somebody else listens there, too.
  const counts = new Map<string, number>();
  for (const { pid, comm, weight } of [...stacksOf(seen.together), ...stacksOf(seen.apart)]) {
    counts.set(`${pid} ${comm}`, (counts.get(`${pid} ${comm}`) ?? 0) + Number(weight));
  }
  assert.deepEqual(Object.fromEntries(counts), {
    'undefined undefined': 16,
    [`${actor.pid} ${name}`]: 8,
    [`${another.pid} ${name}`]: 8,
  });
  const weights = stacksOf(seen.often).map(({ weight }) => Number(weight));
  assert.ok(weights.length >= 2, `weights ${weights}`);
  assert.equal(
    weights.reduce((sum, weight) => sum + weight),
    16,
  );
  assert.match(seen.text.stdout, /^\d\d:\d\d:\d\d\n(( {4}\S+\+0x[0-9a-f]+\n)* {8}\d+\n\n)+$/);
  assert.match(seen.folded.stdout, /^((\w+\+0x[0-9a-f]+_\[k\];?)* ?\d+\n)+$/);
  for (const { stdout } of [seen.text, seen.folded]) {
    assert.equal(
      [...stdout.matchAll(/ (\d+)$/gm)].reduce((sum, [, count]) => sum + Number(count), 0),
      16,
    );
  }
});
