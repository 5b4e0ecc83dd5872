import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDnsMessage } from '../../lib/model/dns.ts';
import { dnsQuery, dnsResponse } from '../helpers/dns.ts';
import { damage, randomNumbers } from '../helpers/random.ts';

const HEADER = 12;
const query = dnsQuery(7, 'www.example.org', 28);
const response = dnsResponse(query, 0, [
  { alias: 'cdn.example.net' },
  { address: '2001:db8::7' },
  { address: '192.0.2.7' },
]);

/** A query whose question is whatever these bytes are. */
function asked(hex: string) {
  return parseDnsMessage(Buffer.concat([query.subarray(0, HEADER), Buffer.from(hex, 'hex')]));
}

test('a message says what is asked for, and what the server says', () => {
  const question = { opcode: 'QUERY', questions: 1, name: 'www.example.org', type: 'AAAA' };
  assert.deepEqual(parseDnsMessage(query), { ...question, isAnswer: false, rcode: 'NOERROR', addresses: [] });
  assert.deepEqual(parseDnsMessage(response), {
    ...question,
    isAnswer: true,
    rcode: 'NOERROR',
    addresses: ['2001:db8::7', '192.0.2.7'],
  });
  assert.equal(parseDnsMessage(dnsResponse(query, 3, []))?.rcode, 'NXDOMAIN');
  assert.equal(parseDnsMessage(dnsResponse(query, 15, []))?.rcode, '15');
  assert.equal(parseDnsMessage(dnsResponse(query, 5 << 11, []))?.opcode, 'UPDATE');
  assert.equal(parseDnsMessage(dnsQuery(1, 'a', 65280))?.type, 'TYPE65280');
  assert.equal(parseDnsMessage(dnsQuery(1, '', 2))?.name, '.');
});

test('what is in a label is escaped, dots included', () => {
  assert.equal(asked('03' + '612e62' + '01' + '1b' + '00' + '00010001')?.name, 'a\\x2eb.\\x1b');
});

test('a name that goes on elsewhere is followed to the front only', () => {
  // A second name behind the first one, which ends in that: its own position is 15.
  const twice = Buffer.concat([query.subarray(0, HEADER), Buffer.from('016100' + '0162c00c' + '0001', 'hex')]);
  assert.equal(parseDnsMessage(twice)?.name, 'a');
  for (const [what, hex] of Object.entries({
    'to itself': 'c00c',
    'to its own beginning': '0161c00c',
    'to what is behind': 'c00e0161000001',
    'into the header': 'c000',
    'out of the message': 'ffff',
    'half of it': 'c0',
    'no kind of label': '40610000010001',
    'a label that is cut': '0561',
    'no end': '0161',
  })) {
    assert.deepEqual([asked(hex)?.name, asked(hex)?.type], [undefined, undefined], what);
  }
  const long = Array.from({ length: 5 }, () => 'x'.repeat(63)).join('.');
  assert.equal(parseDnsMessage(dnsQuery(1, long, 1))?.name, undefined);
});

test('of the beginning of a message, what is there counts', () => {
  assert.equal(parseDnsMessage(response.subarray(0, HEADER - 1)), undefined);
  assert.deepEqual(parseDnsMessage(response.subarray(0, response.length - 1))?.addresses, ['2001:db8::7']);
  assert.equal(parseDnsMessage(query.subarray(0, query.length - 3))?.type, undefined);
  // More answers than there are.
  const lies = Buffer.from(response);
  lies.writeUInt16BE(0xffff, 4);
  lies.writeUInt16BE(0xffff, 6);
  assert.deepEqual(parseDnsMessage(lies)?.addresses, []);
});

test('whatever a message is, reading it comes to an end, and gives nothing that a terminal obeys', () => {
  const random = randomNumbers(53);
  for (let i = 0; i < 20_000; i++) {
    const bytes =
      i % 2 === 0 ? damage(response, random) : Buffer.from(Array.from({ length: random(64) }, () => random(256)));
    const message = parseDnsMessage(bytes);
    assert.equal(message === undefined, bytes.length < HEADER);
    assert.doesNotMatch(JSON.stringify([message?.name, message?.addresses]), /[\p{Cc}\u2028-\u202e\u2066-\u2069]/u);
  }
});
