import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startCommand, startTool } from '../helpers/run-tool.ts';
import { stacksProgram } from '../helpers/stacks-program.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';

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
