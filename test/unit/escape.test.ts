import assert from 'node:assert/strict';
import { test } from 'node:test';
import { escapeBytes, escapeTerminated, escapeText, unescapeText } from '../../lib/model/escape.ts';
import { randomNumbers } from '../helpers/random.ts';

const bytes = (...values: readonly (number | string)[]): Buffer =>
  Buffer.concat(values.map((value) => (typeof value === 'string' ? Buffer.from(value, 'utf8') : Buffer.of(value))));

const cases: readonly (readonly [name: string, from: Buffer, to: string])[] = [
  ['plain text', bytes('ls -l /etc'), 'ls -l /etc'],
  ['nothing', bytes(), ''],
  ['a backslash', bytes('a\\nb'), 'a\\\\nb'],
  ['line ends and tabs', bytes('a\nb\rc\td'), 'a\\nb\\rc\\td'],
  ['a terminal escape', bytes('\x1b[2J'), '\\x1b[2J'],
  ['NUL and DEL', bytes(0, 0x7f), '\\x00\\x7f'],
  ['valid UTF-8', bytes('Grüße 日本 🦊'), 'Grüße 日本 🦊'],
  ['C1 controls that are characters', bytes('\u0085\u009b'), '\\u{85}\\u{9b}'],
  ['C1 controls that are bytes', bytes(0x85, 0x9b), '\\x85\\x9b'],
  [
    'bidirectional controls',
    bytes('\u061c\u200e\u200f\u202a\u202e\u2066\u2069'),
    '\\u{61c}\\u{200e}\\u{200f}\\u{202a}\\u{202e}\\u{2066}\\u{2069}',
  ],
  ['line separators', bytes('\u2028\u2029'), '\\u{2028}\\u{2029}'],
  ['a byte order mark', bytes('\ufeff'), '\\u{feff}'],
  [
    'neighbours of escaped characters',
    bytes('\u00a0\u2027\u202f\u2065\u206a\ufefe'),
    '\u00a0\u2027\u202f\u2065\u206a\ufefe',
  ],
  ['a lone continuation byte', bytes('a', 0x80, 'b'), 'a\\x80b'],
  ['a sequence that ends early', bytes('a', 0xe2, 0x82), 'a\\xe2\\x82'],
  ['a sequence that is broken off', bytes(0xe2, 0x82, 'x'), '\\xe2\\x82x'],
  [
    'overlong forms',
    bytes(0xc0, 0xaf, 0xe0, 0x80, 0xaf, 0xf0, 0x80, 0x80, 0xaf),
    '\\xc0\\xaf\\xe0\\x80\\xaf\\xf0\\x80\\x80\\xaf',
  ],
  ['a surrogate in UTF-8', bytes(0xed, 0xa0, 0x80), '\\xed\\xa0\\x80'],
  ['beyond the last code point', bytes(0xf4, 0x90, 0x80, 0x80), '\\xf4\\x90\\x80\\x80'],
  ['the last code point', bytes('\u{10ffff}'), '\u{10ffff}'],
];

for (const [name, from, to] of cases) {
  test(`escapeBytes: ${name}`, () => {
    assert.equal(escapeBytes(from), to);
    assert.deepEqual(Buffer.from(unescapeText(to)), from);
  });
}

test('escapeBytes keeps to its range', () => {
  const all = Buffer.from('one two\nthree', 'latin1');
  assert.equal(escapeBytes(all, 4, 7), 'two');
  // The second half of ü must not be taken from beyond the end.
  assert.equal(escapeBytes(Buffer.from('ü'), 0, 1), '\\xc3');
});

test('escapeBytes takes any byte array, also one inside a larger buffer', () => {
  const inner = new Uint8Array(Uint8Array.from([1, 2, 0x61, 0x62, 0x63]).buffer, 2, 2);
  assert.equal(escapeBytes(inner), 'ab');
});

test('escapeTerminated ends at the first NUL or at the end', () => {
  const text = Buffer.from('bash\0garbage\0', 'latin1');
  assert.equal(escapeTerminated(text, 0, text.length), 'bash');
  assert.equal(escapeTerminated(text, 5, 9), 'garb');
  assert.equal(escapeTerminated(text, 4, 9), '');
  assert.equal(escapeTerminated(text, 3, 3), '');
  assert.equal(escapeTerminated(Buffer.from('a\nb\0c\n\0'), 0, 7), 'a\\nb');
  assert.equal(escapeTerminated(Buffer.from('a\nbc'), 0, 3), 'a\\nb');
});

test('escapeTerminated never mixes up texts of the same length or place', () => {
  // Far more texts than it remembers, in an order that comes back to old ones.
  const random = randomNumbers(7);
  for (let i = 0; i < 50_000; i++) {
    const text = `${random(3000)}-${'x'.repeat(random(40))}`;
    const from = Buffer.from(`..${text}\0..`, 'latin1');
    assert.equal(escapeTerminated(from, 2, from.length), text);
  }
});

test('escaping loses nothing and leaves nothing dangerous, whatever the bytes', () => {
  const random = randomNumbers(1);
  const dangerous = /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/u;
  // Half of the bytes from the start of sequences that matter, so that valid and nearly valid UTF-8 is common.
  const starts = [0xc2, 0xe2, 0x80, 0x81, 0xa6, 0xd8, 0x9c, 0xef, 0xbb, 0xbf, 0xf0, 0x9f, 0x5c, 0x78, 0x75, 0x7b];
  for (let i = 0; i < 20_000; i++) {
    const from = Buffer.from(
      Array.from({ length: random(24) }, () =>
        random(2) === 0 ? random(256) : (starts[random(starts.length)] as number),
      ),
    );
    const escaped = escapeBytes(from);
    assert.doesNotMatch(escaped, dangerous);
    assert.deepEqual(Buffer.from(unescapeText(escaped)), from);
    const nul = from.indexOf(0);
    assert.equal(escapeTerminated(from, 0, from.length), escapeBytes(from, 0, nul < 0 ? from.length : nul));
  }
});

test('escapeText escapes strings as escapeBytes escapes their UTF-8', () => {
  for (const [, from, to] of cases) {
    const text = from.toString('utf8');
    if (Buffer.from(text, 'utf8').equals(from)) {
      assert.equal(escapeText(text), to);
    }
  }
  assert.equal(escapeText('a\ud800b\udc00'), 'a\\u{d800}b\\u{dc00}');
  assert.equal(escapeText('🦊'), '🦊');
});

test('unescapeText reads what people type', () => {
  const read = (text: string): string => Buffer.from(unescapeText(text)).toString('latin1');
  assert.equal(read('C:\\dir'), 'C:\\dir');
  assert.equal(read('\\x4'), '\\x4');
  assert.equal(read('end\\'), 'end\\');
  assert.equal(read('\\u{110000}'), '\\u{110000}');
  assert.equal(read('\\x1B\\n\\\\n'), '\x1b\n\\n');
  assert.deepEqual(Buffer.from(unescapeText('\\u{1F98A}ü')), Buffer.from('🦊ü'));
  assert.deepEqual(Buffer.from(unescapeText('\\u{d800}')), Buffer.of(0xed, 0xa0, 0x80));
});
