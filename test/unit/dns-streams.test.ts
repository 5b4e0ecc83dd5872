import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DnsStreams } from '../../lib/model/dns-streams.ts';
import { Unanswered } from '../../lib/model/unanswered.ts';
import { dnsQuery, dnsResponse } from '../helpers/dns.ts';
import { randomNumbers } from '../helpers/random.ts';

function framed(message: Buffer): Buffer {
  return Buffer.concat([Buffer.of(message.length >> 8, message.length & 255), message]);
}

const query = dnsQuery(7, 'a.example', 1);
const many = Array.from({ length: 1000 }, (_, i) => ({ address: `192.0.2.${i & 255}` }));
const long = dnsResponse(query, 0, many);
const START = 0xffff_ff00;

interface Sent {
  readonly sequence: number;
  readonly begins?: boolean;
  readonly bytes: Buffer;
}

function lengthsOf(pieces: readonly Sent[], streams = new DnsStreams(), stream = 'a'): number[] {
  return pieces.flatMap(({ begins = false, ...piece }) =>
    streams.add({ stream, begins, ...piece }).map(({ bytes, length }) => {
      const same = [query, long].find((message) => message.length === length);
      assert.ok(same?.subarray(0, 4096).equals(bytes));
      return length;
    }),
  );
}

/** A stream of messages in pieces of so many bytes, numbered from where numbers begin anew. */
function piecesOf(messages: readonly Buffer[], size: number): Sent[] {
  const all = Buffer.concat(messages.map(framed));
  return Array.from({ length: Math.ceil(all.length / size) }, (_, i) => ({
    sequence: (START + size * i) >>> 0,
    bytes: all.subarray(size * i, size * (i + 1)),
  }));
}

const messages = [query, long, query, query];
const lengths = messages.map(({ length }) => length);
const beginning: Sent = { sequence: START, begins: true, bytes: Buffer.alloc(0) };

test('messages come out as they were sent, in whatever pieces', () => {
  for (const size of [1, 2, 3, 13, 100, 4088, 100_000]) {
    const pieces = piecesOf(messages, size);
    assert.deepEqual(lengthsOf([beginning, ...pieces]), lengths, String(size));
    assert.deepEqual(lengthsOf([beginning, ...pieces.flatMap((piece) => [piece, piece])]), lengths, 'twice');
    const swapped = pieces.flatMap((_, i) => (i % 2 === 0 ? pieces.slice(i, i + 2).toReversed() : []));
    assert.deepEqual(lengthsOf([beginning, ...swapped]), lengths, 'out of order');
  }
});

test('what was sent again need not be cut as it was', () => {
  const all = Buffer.concat(messages.map(framed));
  const at = (from: number, to: number): Sent => ({ sequence: (START + from) >>> 0, bytes: all.subarray(from, to) });
  assert.deepEqual(
    lengthsOf([beginning, at(0, 20), at(10, 40), at(100, all.length - 5), at(30, 200), at(all.length - 9, all.length)]),
    lengths,
  );
});

test('a connection that was there before is understood from the next message on that begins a piece', () => {
  const pieces = [query, long, query].map((message, i) => ({ sequence: 1000 + 50_000 * i, bytes: framed(message) }));
  const rest = { sequence: 500, bytes: framed(long).subarray(5000, 5100) };
  const follows = { sequence: 1000 + framed(query).length, bytes: framed(query) };
  assert.deepEqual(lengthsOf([rest, pieces[0] as Sent, follows]), [query.length, query.length]);
});

test('what is missing is missed, and no more than that', () => {
  const pieces = Array.from({ length: 40 }, (_, i) => ({
    sequence: (START + framed(query).length * i) >>> 0,
    bytes: framed(query),
  }));
  const [first, , ...others] = pieces as [Sent, Sent, ...Sent[]];
  // Those that waited for it go with it: what they said cannot be told from what is behind a gap.
  assert.equal(lengthsOf([beginning, first, ...others]).length, 1 + others.length - 16);
});

test('what is no message is none, and takes no memory', () => {
  const streams = new DnsStreams();
  assert.deepEqual(
    lengthsOf([beginning, { sequence: START, bytes: Buffer.from('0005aaaaaaaaaa', 'hex') }], streams),
    [],
  );
  assert.deepEqual(lengthsOf([{ sequence: 1, bytes: Buffer.alloc(100, 0xff) }], streams, 'b'), []);
  const random = randomNumbers(1);
  for (let i = 0; i < 20_000; i++) {
    const bytes = Buffer.from(Array.from({ length: 8 + random(30) }, () => random(256)));
    streams.add({ stream: `s${random(3000)}`, sequence: random(2 ** 32), begins: random(4) === 0, bytes });
  }
  assert.deepEqual(lengthsOf([beginning, ...piecesOf(messages, 9)], streams), lengths);
});

test('questions without an answer are given up once, the last ones', () => {
  const asked = new Unanswered<string>(3);
  for (const [i, name] of ['gone', 'answered', 'late', 'again', 'again'].entries()) {
    asked.ask(name, `${name} ${i}`, i);
  }
  assert.equal(asked.answer('answered'), 'answered 1');
  assert.equal(asked.answer('gone'), undefined);
  assert.deepEqual([...asked.giveUp(3)], ['late 2']);
  assert.equal(asked.answer('late'), 'late 2');
  assert.deepEqual([...asked.giveUp(Number.POSITIVE_INFINITY)], ['again 4']);
  assert.deepEqual([...asked.giveUp(Number.POSITIVE_INFINITY)], []);
});
