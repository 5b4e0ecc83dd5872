import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { startFake, startShell } from '../helpers/start-command.ts';

const bound = { timeout: 30_000 };

test('a descriptor is told that everything is attached, and closed', bound, async () => {
  const run = startFake(['rows', '--ready-fd', '3'], { stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });
  // It ends before the tool does: the tool waits for a signal.
  assert.equal(await text(run.process.stdio[3] as Readable), 'ready\n');
  run.process.kill('SIGINT');
  assert.equal((await run.ended).status, 0);
});

test('a start that fails closes the descriptor without a word', bound, async () => {
  const run = startFake(['refused', '--ready-fd', '3'], { stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });
  assert.equal(await text(run.process.stdio[3] as Readable), '');
  assert.equal((await run.ended).status, 4);
});

test('a file is a descriptor like any other', bound, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kscope-ready-'));
  const file = openSync(join(folder, 'ready'), 'w');
  const run = startFake(['rows', '-n', '1', '--ready-fd', '3'], { stdio: ['ignore', 'pipe', 'pipe', file] });
  assert.equal((await run.ended).status, 0);
  closeSync(file);
  assert.equal(readFileSync(join(folder, 'ready'), 'utf8'), 'ready\n');
  rmSync(folder, { recursive: true });
});

test('nobody listens any more: that is no failure', bound, async () => {
  // The pipe is opened for both directions first, so that opening it for writing alone does not wait.
  const line = 'p=$(mktemp -u); mkfifo "$p"; exec 7<>"$p" 9>"$p" 7>&-; rm "$p"; fake rows -n 1 --ready-fd 9';
  const { status, stdout } = await startShell(line).ended;
  assert.equal(status, 0);
  assert.match(stdout, /file-0/);
});

test('descriptors that nobody gave are refused, those that Node has for itself too', bound, async () => {
  for (const fd of [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 300]) {
    const { status, stderr, stdout } = await startFake(['rows', '-n', '1', '--ready-fd', String(fd)]).ended;
    assert.match(stderr, new RegExp(`^rows: descriptor ${fd} of --ready-fd is not open( for writing)?\nhint: .*\n$`));
    assert.equal(status, 2);
    assert.equal(stdout, '');
  }
});

test('a descriptor that can only be read is refused', bound, async () => {
  const { status, stderr } = await startShell('fake rows --ready-fd 9 9</dev/zero').ended;
  assert.match(stderr, /descriptor 9 of --ready-fd is not open for writing/);
  assert.equal(status, 2);
});

test('the descriptors of data and of people are for those', bound, async () => {
  for (const fd of ['0', '1', '2', '-1', 'x']) {
    const { status, stderr } = await startFake(['rows', `--ready-fd=${fd}`]).ended;
    assert.match(stderr, /is not a whole number from 3 to 65535/);
    assert.equal(status, 2);
  }
});
