/**
 * Text that a traced process can choose (names, paths, arguments) made safe to print, without losing a byte.
 *
 * Valid UTF-8 stays as it is. Control characters (C0, DEL, C1), bidirectional controls, line separators and the
 * byte order mark become `\n`, `\t`, `\r`, `\xNN` or `\u{NNNN}`; a byte that is not UTF-8 becomes `\xNN`; a backslash
 * becomes `\\`. `\xNN` always means one byte and `\u{NNNN}` the UTF-8 form of a character, so `unescapeText` is exact.
 */

// 1 for the bytes that can be copied as they are: printable ASCII without the backslash.
const plain = new Uint8Array(256).fill(1, 0x20, 0x7f);
plain[0x5c] = 0;

// Not in the public type, but this is what Buffer.toString('latin1') ends in, without its argument checks.
interface Latin1 {
  latin1Slice(start: number, end: number): string;
}

function asBuffer(bytes: Uint8Array): Buffer & Latin1 {
  return (Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)) as Buffer &
    Latin1;
}

/** Escaped text of `bytes[start, end)`. NUL is a byte like any other here. */
export function escapeBytes(bytes: Uint8Array, start = 0, end = bytes.length): string {
  for (let i = start; i < end; i++) {
    if (plain[bytes[i] as number] === 0) {
      return escapeSlowly(bytes, start, end);
    }
  }
  return asBuffer(bytes).latin1Slice(start, end);
}

// Short texts repeat (command names, file names in a loop): the last one seen in each slot is kept, and the string is
// its own key. Fixed size, so hostile names can only make it useless, not large.
const cacheSlots = 2048;
const cachedLength = 32;
const cache: string[] = new Array<string>(cacheSlots).fill('');

/** Where the string at `start` ends: the position of the first NUL, or `end` where there is none before. */
export function terminator(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] !== 0) {
    at++;
  }
  return at;
}

/** Escaped text of the bytes from `start` to the first NUL, or to `end` where there is none. */
export function escapeTerminated(bytes: Uint8Array, start: number, end: number): string {
  let hash = 0;
  let i = start;
  for (; i < end; i++) {
    const byte = bytes[i] as number;
    if (plain[byte] === 0) {
      if (byte === 0) {
        break;
      }
      return escapeSlowly(bytes, start, terminator(bytes, i, end));
    }
    hash = (Math.imul(hash, 31) + byte) | 0;
  }
  const length = i - start;
  if (length > cachedLength) {
    return asBuffer(bytes).latin1Slice(start, i);
  }
  const slot = (hash ^ (hash >>> 11)) & (cacheSlots - 1);
  const cached = cache[slot] as string;
  if (cached.length === length) {
    let j = 0;
    while (j < length && cached.charCodeAt(j) === bytes[start + j]) {
      j++;
    }
    if (j === length) {
      return cached;
    }
  }
  const text = asBuffer(bytes).latin1Slice(start, i);
  cache[slot] = text;
  return text;
}

function escapeSlowly(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  for (let i = start; i < end; ) {
    const length = sequenceLength(bytes, i, end);
    if (length === 0) {
      text += hexByte(bytes[i] as number);
      i++;
      continue;
    }
    let code = bytes[i] as number;
    if (length > 1) {
      code &= 0xff >> (length + 1);
      for (let j = 1; j < length; j++) {
        code = (code << 6) | ((bytes[i + j] as number) & 0x3f);
      }
    }
    text += escapeCodePoint(code);
    i += length;
  }
  return text;
}

/** Length of the valid UTF-8 sequence at `at`, 0 if there is none (overlong forms and surrogates are not valid). */
function sequenceLength(bytes: Uint8Array, at: number, end: number): number {
  const first = bytes[at] as number;
  if (first < 0x80) {
    return 1;
  }
  if (first < 0xc2 || first > 0xf4) {
    return 0;
  }
  const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (at + length > end) {
    return 0;
  }
  const second = bytes[at + 1] as number;
  const lowest = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const highest = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (second < lowest || second > highest) {
    return 0;
  }
  for (let i = 2; i < length; i++) {
    if (((bytes[at + i] as number) & 0xc0) !== 0x80) {
      return 0;
    }
  }
  return length;
}

const bytesInHex: readonly string[] = Array.from({ length: 256 }, (_, i) => `\\x${i.toString(16).padStart(2, '0')}`);

function hexByte(byte: number): string {
  return bytesInHex[byte] as string;
}

const shortEscapes: Readonly<Record<number, string>> = { 9: '\\t', 10: '\\n', 13: '\\r', 92: '\\\\' };

function escapeCodePoint(code: number): string {
  if (code < 0x80) {
    return plain[code] === 1 ? String.fromCharCode(code) : (shortEscapes[code] ?? hexByte(code));
  }
  return mustEscape(code) ? `\\u{${code.toString(16)}}` : String.fromCodePoint(code);
}

/** Characters above ASCII that would steer a terminal, reorder text, break a line or hide. */
function mustEscape(code: number): boolean {
  return (
    code < 0xa0 ||
    code === 0x061c ||
    code === 0x200e ||
    code === 0x200f ||
    (code >= 0x2028 && code <= 0x202e) ||
    (code >= 0x2066 && code <= 0x2069) ||
    code === 0xfeff ||
    (code >= 0xd800 && code <= 0xdfff)
  );
}

const unsafe = /[\\\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/u;
const unsafeAll = new RegExp(unsafe.source, 'gu');

/** `escapeBytes` for a string; an unpaired surrogate becomes `\u{NNNN}`. */
export function escapeText(text: string): string {
  return unsafe.test(text) ? text.replace(unsafeAll, (found) => escapeCodePoint(found.codePointAt(0) as number)) : text;
}

const escapes = /\\(?:([ntr\\])|x([0-9a-fA-F]{2})|u\{([0-9a-fA-F]{1,6})\})/g;
const shortBytes: Readonly<Record<string, number>> = { n: 0x0a, t: 0x09, r: 0x0d, '\\': 0x5c };

/** The bytes that `text` was made from. A backslash that starts no escape stands for itself, as people type it. */
export function unescapeText(text: string): Uint8Array {
  if (!text.includes('\\')) {
    return Buffer.from(text, 'utf8');
  }
  const parts: Uint8Array[] = [];
  let copied = 0;
  for (const found of text.matchAll(escapes)) {
    const [whole, short, hex, code] = found;
    let bytes: Uint8Array;
    if (short !== undefined) {
      bytes = Uint8Array.of(shortBytes[short] as number);
    } else if (hex !== undefined) {
      bytes = Uint8Array.of(Number.parseInt(hex, 16));
    } else {
      const value = Number.parseInt(code as string, 16);
      if (value > 0x10ffff) {
        continue;
      }
      bytes = encodeCodePoint(value);
    }
    parts.push(Buffer.from(text.slice(copied, found.index), 'utf8'), bytes);
    copied = found.index + whole.length;
  }
  parts.push(Buffer.from(text.slice(copied), 'utf8'));
  return Buffer.concat(parts);
}

function encodeCodePoint(code: number): Uint8Array {
  if (code >= 0xd800 && code <= 0xdfff) {
    // Buffer would write U+FFFD; keep the number that was written.
    return Uint8Array.of(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f));
  }
  return Buffer.from(String.fromCodePoint(code), 'utf8');
}

const steering = /[^\t\\]+/g;

/** `escapeText` for text that is escaped already, or where a backslash is no escape: it and tabs stay as they are. */
export function escapeControls(text: string): string {
  return unsafe.test(text) ? text.replace(steering, escapeText) : text;
}
