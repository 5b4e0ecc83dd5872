import assert from 'node:assert/strict';
import { test } from 'node:test';
import { escapeBytes } from '../../lib/model/escape.ts';
import { hexLines, payloadLines } from '../../lib/model/payload.ts';
import { semanticType } from '../../lib/model/types.ts';

test('data is as long as it says, and never longer than its record', () => {
  const decode = semanticType('data_t')?.decode;
  assert.ok(decode?.from === 'bytes');
  const bytes = Buffer.from([9, 9, 3, 0, 0, 0, 0x61, 0x00, 0x62, 0x63]);
  assert.equal(decode.to(bytes, 2, bytes.length), 'a\\x00b');
  assert.equal(decode.to(bytes, 2, 8), 'a\\x00');
  assert.equal(decode.to(bytes, 2, 4), '');
  bytes.writeUInt32LE(0xffffffff, 2);
  assert.equal(decode.to(bytes, 2, bytes.length), 'a\\x00bc');
});

test('data is shown line by line, and nothing of it reaches the terminal raw', () => {
  const data = escapeBytes(Buffer.from('GET /\\n HTTP\r\n\r\n\x1b[31m\xff', 'latin1'));
  assert.deepEqual(payloadLines(data), ['GET /\\\\n HTTP', '', '\\x1b[31m\\xff']);
  assert.deepEqual(payloadLines(''), []);
});

test('data is shown in hexadecimal, sixteen bytes a line', () => {
  assert.deepEqual(hexLines(escapeBytes(Buffer.from('hello, wide world\n'))), [
    '00000000  68 65 6c 6c 6f 2c 20 77 69 64 65 20 77 6f 72 6c  |hello, wide worl|',
    `00000010  64 0a ${' '.repeat(42)} |d.|`,
  ]);
});
