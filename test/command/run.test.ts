import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startFake, startShell } from '../helpers/start-command.ts';

const bound = { timeout: 30_000 };

function namedPipe(): { readonly path: string; readonly remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'kscope-run-'));
  const path = join(folder, 'pipe');
  assert.equal(spawnSync('mkfifo', [path]).status, 0);
  return { path, remove: () => rmSync(folder, { recursive: true }) };
}

test('rows go to standard output, everything for people to standard error', bound, async () => {
  const { status, stdout, stderr } = await startFake(['rows', '-n', '1']).ended;
  assert.equal(status, 0);
  assert.equal(
    stdout,
    '    PID COMM               FD ERROR   PATH\n    100 cat                 3 -       /etc/file-0\n',
  );
  assert.equal(stderr, 'Tracing nothing... Hit Ctrl-C to end.\n');
});

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  test(`${signal} ends the run: what is left is still printed, and it is no failure`, bound, async () => {
    const run = startFake(['rows', '--json']);
    await run.ready();
    run.process.kill(signal);
    const { status, stdout } = await run.ended;
    assert.equal(status, 0);
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.deepEqual(
      lines.map(({ type, pid }) => pid ?? type),
      ['ready', 100, 101, 199],
    );
  });
}

for (const [how, args, signal] of [
  ['a signal', [], 'SIGINT'],
  ['--duration', ['--duration', '0.05'], undefined],
] as const) {
  test(`a table that is made at the end is printed after ${how}`, bound, async () => {
    const run = startFake(['totals', ...args]);
    await run.ready();
    if (signal !== undefined) {
      run.process.kill(signal);
    }
    const { status, stdout } = await run.ended;
    assert.equal(status, 0);
    assert.match(stdout, /\n100 cat +3 - +\/etc\/file-0\n$/);
  });
}

test('--duration ends the run', bound, async () => {
  const { status, stdout } = await startFake(['rows', '--duration', '0.05']).ended;
  assert.equal(status, 0);
  assert.match(stdout, /file-99\n$/);
});

test('a tool that does not end is left by a second Ctrl-C', bound, async () => {
  const run = startFake(['deaf']);
  await run.ready();
  // One too soon after the first is taken for the same, so they keep coming.
  const again = setInterval(() => run.process.kill('SIGINT'), 20);
  const { status, stderr } = await run.ended;
  clearInterval(again);
  assert.equal(status, 130);
  assert.match(stderr, /told to end/);
});

test('a Ctrl-C that arrives twice at once is one', bound, async () => {
  const run = startFake(['rows']);
  await run.ready();
  run.process.kill('SIGINT');
  run.process.kill('SIGINT');
  const { status, stdout } = await run.ended;
  assert.equal(status, 0);
  assert.match(stdout, /file-99\n$/);
});

for (const reader of ['head -1', 'true']) {
  test(`a reader that leaves ends the run without a failure: ${reader}`, bound, async () => {
    const { status, stdout, stderr } = await startShell(`fake flood | ${reader}; echo "\${PIPESTATUS[*]}"`).ended;
    assert.equal(status, 0);
    assert.match(stdout, /(^|\n)0 0\n$/);
    assert.doesNotMatch(stderr, /error|EPIPE|fail/i);
  });
}

test('a reader that does not read cannot keep the command from ending: a pipe', bound, async () => {
  const { path, remove } = namedPipe();
  const pipe = openSync(path, 'r+');
  const run = startFake(['flood'], { stdio: ['ignore', pipe, 'pipe'] });
  await run.until(({ stderr }) => stderr.includes('megabytes'));
  run.process.kill('SIGINT');
  assert.equal((await run.ended).status, 0);
  closeSync(pipe);
  remove();
});

test('a reader that does not read cannot keep the command from ending: a socket', bound, async () => {
  const run = startFake(['flood']);
  // Node connects its children by sockets; nobody reads this one any more.
  run.process.stdout?.pause();
  await run.until(({ stderr }) => stderr.includes('megabytes'));
  const ended = new Promise((resolve) => run.process.on('exit', resolve));
  run.process.kill('SIGINT');
  assert.equal(await ended, 0);
  run.process.stdout?.destroy();
});

test('a slow reader gets everything once the tool has ended by itself', bound, async () => {
  const { stdout } = await startShell('fake rows -n 20000 | { read -r first; echo "$first"; wc -l; }').ended;
  assert.match(stdout, /^ *PID .*\n *20000\n$/);
});

test('a slow reader gets everything after --duration, too: nobody is in a hurry', bound, async () => {
  const { path, remove } = namedPipe();
  const pipe = openSync(path, 'r+');
  const run = startFake(['late', '--duration', '0.01'], { stdio: ['ignore', pipe, 'pipe'] });
  await run.until(({ stderr }) => stderr.includes('all is said'));
  // Longer than a stuck reader is waited for when somebody did ask for the end.
  const patience = performance.now() + 1200;
  while (performance.now() < patience) {
    await new Promise(setImmediate);
  }
  const reader = startShell(`cat ${path}`);
  await reader.until(({ stdout }) => stdout.endsWith('file-19999\n'));
  closeSync(pipe);
  assert.equal((await run.ended).status, 0);
  await reader.ended;
  remove();
});

test('a full disk is a failure, and says so once', bound, async () => {
  const { status, stderr } = await startShell('fake flood > /dev/full').ended;
  assert.equal(status, 1);
  assert.match(stderr, /\nflood: cannot write output: no space left on device \(ENOSPC\)\n$/);
  assert.equal(stderr.match(/cannot write/g)?.length, 1);
});

test('an error decides the exit status, after what was printed before it', bound, async () => {
  const refused = await startFake(['refused']).ended;
  assert.equal(refused.status, 4);
  assert.match(
    refused.stderr,
    /^refused: cannot load the programs: Operation not permitted \(EPERM\)\nhint: try harder\n/,
  );
  assert.doesNotMatch(refused.stderr, / {4}at |line one/);
  const verbose = await startFake(['refused', '-v']).ended;
  assert.match(verbose.stderr, /log:\n {2}line one\n {2}line two\ncaused by: bpf\(2\) said no\n {4}at /);
  const bug = await startFake(['refused', '-x']).ended;
  assert.equal(bug.status, 1);
  assert.match(bug.stdout, /^ *PID /);
  assert.match(bug.stderr, /refused: unexpected failure: a bug\n/);
});

test('a wrong command line exits with 2, also through kscope, under the name of the tool', bound, async () => {
  for (const args of [
    ['rows', '--nope'],
    ['-', 'rows', '--nope'],
  ]) {
    const { status, stdout, stderr } = await startFake(args).ended;
    assert.equal(status, 2);
    assert.equal(stdout, '');
    assert.match(stderr, /^rows: unknown option '--nope'\n/);
  }
});

test('kscope starts tools and aliases', bound, async () => {
  const tool = await startFake(['-', 'rows', '-n', '1']).ended;
  assert.match(tool.stdout, /file-0\n$/);
  const alias = await startFake(['-', 'three-rows']).ended;
  assert.match(alias.stdout, /file-2\n$/);
  const wrong = await startFake(['-', 'three-rows', '--nope']).ended;
  assert.match(wrong.stderr, /^three-rows: unknown option/);
});

test('output of a closed descriptor is not an accident', bound, async () => {
  const { status } = await startShell('fake rows -n 1 >&-').ended;
  assert.equal(status, 0);
});
