import { type Span, specificationError } from './specification-error.ts';

/** A word of an expression. */
export interface Token extends Span {
  readonly kind: 'number' | 'name' | 'text' | 'mark' | 'end';
  /** As it is written; of a text, what is between its quotes. */
  readonly text: string;
}

const word =
  /(?<name>\$?[A-Za-z_]\w*)|(?<number>\d\w*)|(?<mark>->|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^~!<>().,[\]@])|(?<text>"(?:[^"\\]|\\.)*")|(?<letter>'(?:[^'\\]|\\[^x]|\\x[0-9a-fA-F]{1,2})')/suy;

/** Splits a part of a text into words; the last is the end. @throws KscopeError usage */
export function tokens(text: string, start: number, stop = text.length): Token[] {
  const found: Token[] = [];
  let at = start;
  for (;;) {
    while (at < stop && /\s/.test(text[at] ?? '')) {
      at++;
    }
    if (at >= stop) {
      found.push({ kind: 'end', text: '', start: at, end: at });
      return found;
    }
    word.lastIndex = at;
    const groups = word.exec(text)?.groups;
    if (groups === undefined) {
      const quote = text[at] === '"' || text[at] === "'";
      const span = { start: at, end: quote ? text.length : at + 1 };
      throw specificationError(text, span, quote ? 'the quotation does not end' : 'this has no meaning here');
    }
    const end = word.lastIndex;
    const { name, number, mark, text: quoted, letter } = groups;
    if (name !== undefined) {
      found.push({ kind: 'name', text: name, start: at, end });
    } else if (number !== undefined) {
      found.push({ kind: 'number', text: number, start: at, end });
    } else if (mark !== undefined) {
      found.push({ kind: 'mark', text: mark, start: at, end });
    } else if (quoted !== undefined) {
      found.push({ kind: 'text', text: quoted.slice(1, -1), start: at, end });
    } else {
      const [byte = 0] = bytesOf(text, { start: at + 1, end: end - 1 }, (letter ?? '').slice(1, -1));
      found.push({ kind: 'number', text: String(byte), start: at, end });
    }
    at = end;
  }
}

const escapes: Readonly<Record<string, number>> = { n: 10, t: 9, r: 13, a: 7, b: 8, f: 12, v: 11, e: 27, '0': 0 };

/** The bytes that a quoted text stands for. @throws KscopeError usage for an unknown escape */
export function bytesOf(whole: string, span: Span, quoted: string): Uint8Array {
  const parts: Uint8Array[] = [];
  const piece = /([^\\]+)|\\x([0-9a-fA-F]{1,2})|\\(.)/suy;
  for (let at = 0; at < quoted.length; at = piece.lastIndex) {
    piece.lastIndex = at;
    const [, plain, hex, letter = ''] = piece.exec(quoted) ?? [];
    if (plain !== undefined) {
      parts.push(Buffer.from(plain));
    } else if (hex !== undefined) {
      parts.push(Uint8Array.of(Number.parseInt(hex, 16)));
    } else if (/[\\"']/.test(letter)) {
      parts.push(Buffer.from(letter));
    } else if (Object.hasOwn(escapes, letter)) {
      parts.push(Uint8Array.of(escapes[letter] ?? 0));
    } else {
      throw specificationError(whole, span, `there is no escape '\\${letter}'`, 'escapes: \\n \\t \\\\ \\" \\xHH');
    }
  }
  return Buffer.concat(parts);
}
