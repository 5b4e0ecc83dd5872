import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Decoder } from '../../lib/bpf/decoder.ts';
import { RingBuffer } from '../../lib/bpf/ring-buffer.ts';
import { KscopeError } from '../../lib/model/errors.ts';
import { RingFile } from '../helpers/ring-file.ts';

const size = 4096;

const asText: Decoder<string> = ({ bytes }, offset, length) =>
  Buffer.from(bytes.subarray(offset, offset + length)).toString();

function read<T = string>(file: RingFile, decode = asText as unknown as Decoder<T>, lost = () => 0): RingBuffer<T> {
  return new RingBuffer<T>('events', file.fd, file.size, decode, () => {}, lost);
}

function numbered(number: number, length: number): Buffer {
  return Buffer.from(String(number).padStart(length, '.'));
}

test('records come in order, and their room is given back', () => {
  using file = new RingFile(size);
  using ring = read(file);
  assert.deepEqual(ring.drain(), []);
  for (const text of ['', 'a', 'eight ch', 'nine char']) {
    file.add(Buffer.from(text));
  }
  assert.equal(ring.pending, 8 + 16 + 16 + 24);
  assert.deepEqual(ring.drain(), ['', 'a', 'eight ch', 'nine char']);
  assert.equal(file.consumed, 64);
  assert.equal(ring.pending, 0);
  assert.deepEqual(ring.drain(), []);
});

// Positions grow for ever: past the size, and past what 32 bits hold.
for (const start of [0, size - 8, 5 * size - 64, 2 ** 32 - 16, 2 ** 45 + 8]) {
  test(`records that wrap around are whole, from position ${start} on`, () => {
    using file = new RingFile(size, start);
    using ring = read(file);
    const found: string[] = [];
    const sent: string[] = [];
    for (let i = 0; i < 200; i++) {
      const record = numbered(i, (i * 37) % 500);
      sent.push(record.toString());
      file.add(record);
      if (i % 7 === 0) {
        found.push(...ring.drain());
      }
    }
    found.push(...ring.drain());
    assert.deepEqual(found, sent);
  });
}

test('discarded records are left out', () => {
  using file = new RingFile(size);
  using ring = read(file);
  file.add(Buffer.from('one'), 'discarded');
  file.add(Buffer.from('two'));
  file.add(Buffer.from('three'), 'discarded');
  assert.deepEqual(ring.drain(), ['two']);
  assert.equal(file.consumed, 48);
});

test('a record that is still being written holds up those behind it', () => {
  using file = new RingFile(size);
  using ring = read(file);
  file.add(Buffer.from('one'));
  const busy = file.add(Buffer.from('two'), 'busy');
  file.add(Buffer.from('three'));
  assert.deepEqual(ring.drain(), ['one']);
  assert.deepEqual(ring.drain(), []);
  assert.equal(file.consumed, 16);
  file.finish(busy, 3);
  assert.deepEqual(ring.drain(), ['two', 'three']);
});

test('a drain takes no more than it was told to', () => {
  using file = new RingFile(size);
  using ring = read(file);
  for (let i = 0; i < 5; i++) {
    file.add(numbered(i, 1));
  }
  assert.deepEqual(ring.drain(2), ['0', '1']);
  assert.equal(file.consumed, 32);
  assert.deepEqual(ring.drain(2), ['2', '3']);
  assert.deepEqual(ring.drain(2), ['4']);
});

test('a record that cannot be read is met once', () => {
  using file = new RingFile(size);
  using ring = read<string>(file, (memory, offset, length) => {
    if (length === 3) {
      throw new KscopeError('failed', 'too short');
    }
    return asText(memory, offset, length);
  });
  file.add(Buffer.from('before'));
  file.add(Buffer.from('bad'));
  file.add(Buffer.from('after'));
  assert.throws(() => ring.drain(), { message: 'too short' });
  assert.deepEqual(ring.drain(), ['after']);
});

test('a long drain gives room back on the way', () => {
  using file = new RingFile(2 ** 20);
  const seen = new Set<number>();
  using ring = read<number>(file, (_memory, _offset, length) => {
    seen.add(file.consumed);
    return length;
  });
  for (let i = 0; i < 240; i++) {
    file.add(Buffer.alloc(4088));
  }
  assert.equal(ring.drain().length, 240);
  assert.deepEqual([...seen], [0, 2 ** 18, 2 ** 19, 3 * 2 ** 18]);
  assert.equal(file.consumed, 240 * 4096);
});

test('what is in the ring when the end is asked for, and what detaching adds, is still delivered', async () => {
  using file = new RingFile(size);
  using ring = read(file);
  const end = new AbortController();
  const batches: string[][] = [];
  let detached = 0;
  file.add(Buffer.from('first'));
  for await (const batch of ring.batches(end.signal, () => {
    detached += 1;
    file.add(Buffer.from('last'));
  })) {
    batches.push(batch);
    if (batches.length === 1) {
      file.add(Buffer.from('second'));
      end.abort();
    }
  }
  assert.deepEqual(batches.flat(), ['first', 'second', 'last']);
  assert.equal(detached, 1);
});

test('a batch is never larger than some, and all batches together are everything', async () => {
  using file = new RingFile(2 ** 20);
  using ring = read(file);
  for (let i = 0; i < 5000; i++) {
    file.add(numbered(i, 8));
  }
  const sizes: number[] = [];
  for await (const batch of ring.batches(AbortSignal.abort())) {
    sizes.push(batch.length);
  }
  assert.equal(
    sizes.reduce((sum, one) => sum + one),
    5000,
  );
  assert.ok(Math.max(...sizes) <= 1024);
});

test('rows come one by one to who iterates, also those that are written later', async () => {
  using file = new RingFile(size);
  using ring = read(file);
  const found: string[] = [];
  file.add(Buffer.from('now'));
  for await (const row of ring) {
    found.push(row);
    if (found.length === 3) {
      break;
    }
    file.add(Buffer.from(`later ${found.length}`));
  }
  assert.deepEqual(found, ['now', 'later 1', 'later 2']);
});

test('the reader says how many are lost', () => {
  using file = new RingFile(size);
  let lost = 0;
  using ring = read(file, asText, () => lost);
  assert.equal(ring.lost, 0);
  lost = 7;
  assert.equal(ring.lost, 7);
});

test('a closed ring says so', () => {
  using file = new RingFile(size);
  const ring = read(file);
  ring.close();
  ring.close();
  assert.equal(ring.pending, 0);
  assert.throws(
    () => ring.drain(),
    (error) => error instanceof KscopeError && error.message === 'ring buffer events is closed',
  );
});

test('a descriptor that cannot be mapped is refused', () => {
  assert.throws(() => read({ fd: -1, size } as RingFile), /cannot map 4096 bytes of memory: Bad file descriptor/);
});
