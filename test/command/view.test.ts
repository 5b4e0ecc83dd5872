import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { startFake, startShell } from '../helpers/start-command.ts';

const bound = { timeout: 30_000 };
const folder = mkdtempSync(join(tmpdir(), 'kscope-cli-view-'));
after(() => rmSync(folder, { recursive: true }));

test('what was recorded is printed as it was, and the run prints what it would have', bound, async () => {
  const file = join(folder, 'rows');
  const plain = await startFake(['rows', '-n', '3', '--utc']).ended;
  const run = await startFake(['rows', '-n', '3', '--utc', '--record', file]).ended;
  assert.equal(run.status, 0);
  assert.equal(run.stdout, plain.stdout);
  const played = await startFake(['-', 'view', file]).ended;
  assert.deepEqual([played.status, played.stdout, played.stderr], [0, plain.stdout, '']);
});

test('a run that is ended by a signal leaves a whole recording', bound, async () => {
  const file = join(folder, 'signal');
  const run = startFake(['ticks', '--record', file]);
  await run.until(({ stdout }) => stdout.includes('task-3'));
  run.process.kill('SIGTERM');
  assert.equal((await run.ended).status, 0);
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  assert.equal(JSON.parse(lines.at(-1) ?? '').type, 'lost');
  const { status, stderr } = await startFake(['-', 'view', file]).ended;
  assert.equal(status, 0);
  assert.match(stderr, /^kscope view: lost 7 events in all\n$/);
});

test('JSON from a pipe is played while it comes', bound, async () => {
  const { status, stdout } = await startShell('fake rows -n 2 --json 2>/dev/null | fake - view - --fields path,pid')
    .ended;
  assert.equal(status, 0);
  assert.equal(
    stdout,
    'PATH                         PID\n/etc/file-0                  100\n/etc/file-1                  101\n',
  );
});

test('a recording that cannot be written is an error of the run, in one sentence', bound, async () => {
  for (const [file, why] of [
    [join(folder, 'no', 'such'), /^rows: cannot write .*\/no\/such: .*ENOENT/],
    [folder, /^rows: cannot write .*: .*EISDIR/],
    ['/dev/full', /rows: cannot write \/dev\/full: .*ENOSPC/],
  ] as const) {
    const { status, stderr } = await startFake(['rows', '-n', '2', '--record', file]).ended;
    assert.match(stderr, why);
    assert.equal(status, 1);
  }
});

test('a recording that cannot be read is told in one sentence', bound, async () => {
  const damaged = join(folder, 'damaged');
  writeFileSync(damaged, '\x7fELF\n');
  for (const [args, status, why] of [
    [[join(folder, 'none')], 1, /^kscope view: cannot read .*none: no such file or directory \(ENOENT\)\n$/],
    [[folder], 1, /^kscope view: .* is a folder\n$/],
    [[damaged], 1, /^kscope view: line 1 cannot be played: it is not JSON\n$/],
    [[], 2, /^kscope: missing required argument 'file'\n/],
    [[damaged, '--speed', '0'], 2, /'0' is not a number from 0\.0625 to 4096/],
  ] as const) {
    const result = await startFake(['-', 'view', ...args]).ended;
    assert.match(result.stderr, why);
    assert.equal(result.status, status);
    assert.equal(result.stdout, '');
  }
});

test('an empty recording is nothing, and no failure', bound, async () => {
  const { status, stdout, stderr } = await startFake(['-', 'view', '/dev/null']).ended;
  assert.deepEqual([status, stdout, stderr], [0, '', '']);
});

test('a reader that goes away ends the playing', bound, async () => {
  const file = join(folder, 'many');
  await startFake(['rows', '-n', '20000', '--record', file]).ended;
  const { stdout } = await startShell(`fake - view ${file} | head -1; echo "\${PIPESTATUS[0]}"`).ended;
  assert.match(stdout, /^ +PID .*\n0\n$/);
});
