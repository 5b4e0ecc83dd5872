import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as zlib from 'node:zlib';
import { crc32 } from '../../lib/native/crc32.ts';

test('the check value of CRC-32', () => {
  assert.equal(crc32(Buffer.from('123456789')), 0xcbf43926);
  assert.equal(crc32(new Uint8Array(0)), 0);
});

test('the same as that of Node, for bytes in the middle of others too', () => {
  const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => (i * 2_654_435_761) >>> 24);
  for (const part of [bytes, bytes.subarray(1, 99_999), bytes.subarray(50_000, 50_001)]) {
    assert.equal(crc32(part), zlib.crc32(part));
  }
});
