import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { KscopeError } from '../../lib/model/errors.ts';
import { Writer } from '../../lib/output/writer.ts';

const folder = mkdtempSync(join(tmpdir(), 'kscope-writer-'));
after(() => rmSync(folder, { recursive: true }));

/** Both ends of a pipe in this process; the reading end does not block. */
function pipe(name: string): { readonly reader: number; readonly writer: number } {
  const path = join(folder, name);
  assert.equal(spawnSync('mkfifo', [path]).status, 0);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return { reader, writer: openSync(path, constants.O_WRONLY) };
}

/** Reads until `size` bytes came, letting the event loop run while there is nothing. */
async function read(fd: number, size: number): Promise<string> {
  const bytes = Buffer.alloc(size);
  let offset = 0;
  while (offset < size) {
    try {
      offset += readSync(fd, bytes, offset, size - offset, null);
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'EAGAIN');
    }
    await new Promise(setImmediate);
  }
  return bytes.toString();
}

const lines = Array.from({ length: 1000 }, (_, i) => `${i} é\n`);

test('a file gets every text at once, in UTF-8', () => {
  const path = join(folder, 'file');
  const fd = openSync(path, 'w');
  const writer = new Writer(fd, { slow: Number.POSITIVE_INFINITY });
  for (const line of lines) {
    writer.write(line);
  }
  assert.equal(writer.pending, 0);
  closeSync(fd);
  assert.equal(readFileSync(path, 'utf8'), lines.join(''));
});

test('a file that is slow blocks nobody, and gets every text in order', async () => {
  const path = join(folder, 'slow-file');
  const fd = openSync(path, 'w');
  const writer = new Writer(fd, { slow: 0 });
  for (const line of lines) {
    writer.write(line);
  }
  assert.ok(writer.pending > 0, 'the first write took its time');
  assert.equal(await writer.flush(), true);
  closeSync(fd);
  assert.equal(readFileSync(path, 'utf8'), lines.join(''));
});

test('a pipe that is full blocks nobody, and everything arrives when it is read', async () => {
  const { reader, writer: fd } = pipe('full');
  const writer = new Writer(fd);
  const text = 'x'.repeat(1_000_000);
  assert.equal(writer.write(text), undefined, 'less than the limit is pending');
  assert.ok(writer.pending > 0, 'the pipe is smaller than that');
  const [read1, flushed] = await Promise.all([read(reader, text.length), writer.flush()]);
  assert.equal(read1, text);
  assert.equal(flushed, true);
  assert.equal(writer.pending, 0);
});

test('texts of all sizes that come while others are being written arrive as they are', async () => {
  const { reader, writer: fd } = pipe('sizes');
  const writer = new Writer(fd);
  const texts = [10, 80_000, 90_000, 1, 200_000, 0, 70_000].map((size, i) => `${i}é☃😀`.repeat(size / 4));
  const all = texts.join('');
  const received = read(reader, Buffer.byteLength(all));
  for (const text of texts) {
    writer.write(text);
    await new Promise(setImmediate);
  }
  assert.equal(await received, all);
});

test('above the limit, the caller is asked to wait until there is room', async () => {
  const { reader, writer: fd } = pipe('limit');
  const writer = new Writer(fd, { limit: 100_000 });
  assert.equal(writer.write('x'.repeat(120_000)), undefined);
  const room = writer.write('x'.repeat(120_000));
  assert.ok(room instanceof Promise);
  let there = false;
  void room.then(() => {
    there = true;
  });
  await new Promise(setImmediate);
  assert.equal(there, false);
  await Promise.all([read(reader, 240_000), room]);
  assert.ok(writer.pending <= 50_000);
});

test('in a hurry, nobody is asked to wait, and nothing is lost', async () => {
  const { reader, writer: fd } = pipe('hurry');
  const writer = new Writer(fd, { limit: 1000 });
  const text = 'x'.repeat(200_000);
  const room = writer.write(text);
  assert.notEqual(room, undefined);
  writer.hurry();
  await room;
  assert.equal(writer.write(text), undefined);
  const [received] = await Promise.all([read(reader, 2 * text.length), writer.flush()]);
  assert.equal(received, text + text);
});

test('what the inherited descriptor shares with others stays blocking', () => {
  const { writer: fd } = pipe('shared');
  new Writer(fd).write('x');
  const flags = /flags:\s*([0-7]+)/.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '';
  assert.equal(Number.parseInt(flags, 8) & constants.O_NONBLOCK, 0);
});

test('a reader that is gone ends the writing without a failure', async () => {
  const { reader, writer: fd } = pipe('gone');
  const writer = new Writer(fd);
  closeSync(reader);
  writer.write('x');
  assert.equal(await writer.closed, 'reader gone');
  assert.equal(writer.failure, undefined);
  assert.equal(writer.write('more'), undefined);
  assert.equal(writer.pending, 0);
  assert.equal(await writer.flush(), true);
});

test('a reader that goes away frees whoever waits for room', async () => {
  const { reader, writer: fd } = pipe('leaves');
  const writer = new Writer(fd, { limit: 1000 });
  const room = writer.write('x'.repeat(200_000));
  assert.ok(room instanceof Promise);
  closeSync(reader);
  await room;
  assert.equal(await writer.closed, 'reader gone');
});

test('a flush with a bound gives up on a reader that does not read', async () => {
  const { writer: fd } = pipe('stuck');
  const writer = new Writer(fd);
  writer.write('x'.repeat(200_000));
  const start = performance.now();
  assert.equal(await writer.flush(30), false);
  assert.ok(performance.now() - start >= 25);
  assert.equal(writer.pending, 0);
});

test('a flush with a bound waits for a reader that is slow but reads', async () => {
  const { reader, writer: fd } = pipe('slow');
  const writer = new Writer(fd);
  const size = 2 ** 20;
  writer.write('x'.repeat(size));
  const part = Buffer.alloc(16 * 1024);
  let received = 0;
  const slowly = setInterval(() => {
    try {
      received += readSync(reader, part);
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'EAGAIN');
    }
  }, 5);
  const start = performance.now();
  assert.equal(await writer.flush(200), true);
  clearInterval(slowly);
  assert.ok(performance.now() - start > 200);
  assert.equal(received + (await read(reader, size - received)).length, size);
});

test('a full disk is an error that names itself', async () => {
  const writer = new Writer(openSync('/dev/full', 'w'));
  writer.write('x');
  const reason = await writer.closed;
  assert.ok(reason instanceof KscopeError);
  assert.equal(reason.message, 'cannot write output: no space left on device (ENOSPC)');
  assert.equal(reason.exitCode, 1);
  assert.equal(writer.failure, reason);
});

test('a descriptor that is not open is an error, not a crash', async () => {
  const writer = new Writer(9999);
  writer.write('x');
  const reason = await writer.closed;
  assert.ok(reason instanceof KscopeError);
  assert.match(reason.message, /EBADF/);
});

test('bytes are written as they are, among text', async () => {
  const path = join(folder, 'bytes');
  const fd = openSync(path, 'w');
  const writer = new Writer(fd);
  writer.hold();
  writer.write('é');
  writer.write(Uint8Array.of(0, 0xff, 0x80));
  writer.write(new Uint8Array(0));
  writer.write('\n');
  writer.release();
  await writer.flush();
  writer.write(Uint8Array.of(0xfe));
  await writer.flush();
  closeSync(fd);
  assert.equal(readFileSync(path, 'hex'), 'c3a900ff800afe');
});
