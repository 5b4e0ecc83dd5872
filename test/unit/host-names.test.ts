import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDnsAnswer } from '../../lib/model/dns.ts';
import { HostNames } from '../../lib/model/host-names.ts';
import { dnsAnswer } from '../helpers/dns.ts';

test('the addresses of an answer are those of the name that was asked for, whatever aliases lead there', () => {
  const answer = dnsAnswer('www.example.org', [
    { alias: 'cdn.example.net' },
    { address: '192.0.2.7' },
    { address: '2001:db8::7' },
  ]);
  assert.deepEqual(parseDnsAnswer(answer), { name: 'www.example.org', addresses: ['192.0.2.7', '2001:db8::7'] });
});

test('of an answer that is cut, what is there counts; what is no answer is nothing', () => {
  const answer = dnsAnswer('a.b', [{ address: '192.0.2.1' }, { address: '192.0.2.2' }]);
  assert.deepEqual(parseDnsAnswer(answer.subarray(0, answer.length - 1)), { name: 'a.b', addresses: ['192.0.2.1'] });
  const question = Buffer.from(answer);
  question.writeUInt16BE(0x0100, 2);
  const failed = Buffer.from(answer);
  failed.writeUInt16BE(0x8183, 2);
  const questions = Buffer.from(answer);
  questions.writeUInt16BE(2, 4);
  for (const none of [question, failed, questions, dnsAnswer('a.b', []), Buffer.alloc(0), Buffer.alloc(11)]) {
    assert.equal(parseDnsAnswer(none), undefined);
  }
  // Every beginning of an answer, with any byte changed, is read to its end or not at all.
  for (let length = 0; length <= answer.length; length++) {
    for (let at = 0; at < length; at++) {
      const damaged = Buffer.from(answer.subarray(0, length));
      damaged[at] = (damaged[at] as number) ^ 0xff;
      parseDnsAnswer(damaged);
    }
  }
});

test('what a name holds that is no text is escaped', () => {
  assert.equal(parseDnsAnswer(dnsAnswer('a\x1b[2J.b', [{ address: '192.0.2.1' }]))?.name, 'a\\x1b[2J.b');
});

test('the last name for an address is the one that is known, and the oldest are forgotten', () => {
  const names = new HostNames();
  names.learn(dnsAnswer('first', [{ address: '10.0.0.1' }]));
  names.learn(dnsAnswer('second', [{ address: '10.0.0.1' }, { address: '10.0.0.2' }]));
  names.learn(Buffer.from('no answer'));
  assert.deepEqual(
    ['10.0.0.1', '10.0.0.2', '10.0.0.3'].map((address) => names.nameOf(address)),
    ['second', 'second', undefined],
  );
  for (let i = 0; i < 10_000; i++) {
    names.learn(dnsAnswer(`n${i}`, [{ address: `10.1.${i >> 8}.${i & 255}` }]));
  }
  assert.deepEqual([names.nameOf('10.0.0.1'), names.nameOf('10.1.0.0')], [undefined, 'n0']);
});
