import assert from 'node:assert/strict';
import { openSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { heldBy, leftOf } from '../helpers/bpf-ids.ts';
import { runCommand } from '../helpers/refused.ts';
import { startCommand, toolCommand } from '../helpers/run-tool.ts';
import { mustSyscall } from '../helpers/syscall.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';

// Needs nothing but tracepoints of system calls, so what fails here fails for the reason that the test gives.
const tool = 'opensnoop';

for (const form of [[], ['--json']]) {
  test(`output that cannot be written ${form.join('')}`, async () => {
    const full = await runCommand(['sh', '-c', 'exec "$@" >/dev/full', 'sh', ...toolCommand(tool, form)]);
    assert.equal(full.code, 1);
    const [ready, said, end] = full.stderr.split('\n');
    assert.match(ready ?? '', /Ctrl-C/);
    assert.equal(said, `${tool}: cannot write output: no space left on device (ENOSPC)`);
    assert.equal(end, '');
  });
}

for (const redirection of ['2>/dev/full', '2>&-', '>&-', '<&-', '>&- 2>&- <&-']) {
  test(`descriptors that are closed or full: ${redirection}`, async () => {
    const command = toolCommand(tool, ['--duration', '0.1']);
    const result = await runCommand(['sh', '-c', `exec "$@" ${redirection}`, 'sh', ...command]);
    assert.deepEqual({ code: result.code, signal: result.signal }, { code: 0, signal: null }, result.stderr);
    assert.doesNotMatch(result.stderr, /fail|error|warn| at /i);
  });
}

test('a file system that becomes full while it traces: what fits is there, and the run ends and says why', async () => {
  using folder = new TemporaryDirectory();
  const size = 64 * 1024;
  mustSyscall('mount', 'none', folder.path, 'tmpfs', 0, `size=${size}`);
  try {
    const file = join(folder.path, 'out');
    const command = toolCommand(tool, ['--json', '-p', String(process.pid)]);
    await using full = startCommand(['sh', '-c', `exec "$@" >'${file}'`, 'sh', ...command]);
    await full.ready();
    const held = heldBy(full.pid);
    // Each of them makes a line that is longer than its path.
    const path = '/nonexistent/a-path-of-some-length';
    const count = 2 * Math.ceil(size / path.length);
    for (let i = 0; i < count; i++) {
      assert.throws(() => openSync(path, 'r'));
    }
    const { code, stderr } = await full.ended();
    assert.equal(code, 1);
    assert.match(stderr, /\nopensnoop: cannot write output: no space left on device \(ENOSPC\)\n$/);
    assert.equal(statSync(file).size, size);
    const lines = readFileSync(file, 'utf8').split('\n');
    for (const line of lines.slice(0, -1)) {
      assert.equal(typeof JSON.parse(line).type, 'string');
    }
    assert.deepEqual(await leftOf(held), []);
  } finally {
    mustSyscall('umount2', folder.path, 0);
  }
});
