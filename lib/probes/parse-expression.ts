import { type Span, specificationError } from './specification-error.ts';
import type { Arithmetic, Comparison, Expression, Logic, TypeName } from './syntax.ts';
import { bytesOf, type Token, tokens } from './tokens.ts';

/** From the loosest to the tightest. */
const levels: readonly (readonly string[])[] = [
  ['||'],
  ['&&'],
  ['|'],
  ['^'],
  ['&'],
  ['==', '!='],
  ['<', '<=', '>', '>='],
  ['<<', '>>'],
  ['+', '-'],
  ['*', '/', '%'],
];
const unary = new Set(['!', '-', '~', '*', '&', '+']);
const typeWords = new Set([
  ...['const', 'volatile', 'struct', 'union', 'enum', 'unsigned', 'signed', '__user', '__kernel'],
  ...['void', 'char', 'short', 'int', 'long', 'bool', '_Bool', 'size_t', 'ssize_t', 'pid_t', 'loff_t', 'off_t'],
  ...['uintptr_t', 'intptr_t', 'uid_t', 'gid_t', 'dev_t', 'mode_t', 'umode_t', 'gfp_t', 'sector_t', 'time_t'],
  ...[8, 16, 32, 64].flatMap((bits) => [
    `u${bits}`,
    `s${bits}`,
    `__u${bits}`,
    `__s${bits}`,
    `int${bits}_t`,
    `uint${bits}_t`,
  ]),
]);
const tagged = new Set(['struct', 'union', 'enum']);

/** What one text may nest: a stack of ours must not be what ends first. */
const DEEPEST = 60;

/** Reads expressions and types from the words of a text. */
export class ExpressionParser {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(text: string, start = 0, stop = text.length) {
    this.#text = text;
    this.#tokens = tokens(text, start, stop);
  }

  get next(): Token {
    return this.#tokens[this.#at] as Token;
  }

  is(mark: string): boolean {
    return this.next.kind === 'mark' && this.next.text === mark;
  }

  take(): Token {
    const token = this.next;
    if (token.kind !== 'end') {
      this.#at++;
    }
    return token;
  }

  takeIf(mark: string): Token | undefined {
    return this.is(mark) ? this.take() : undefined;
  }

  /** @throws KscopeError usage when the next word is another one */
  expect(mark: string, why: string): Token {
    return this.takeIf(mark) ?? this.fail(this.next, why);
  }

  fail(span: Span, why: string, ...hints: readonly string[]): never {
    throw specificationError(this.#text, span, why, ...hints);
  }

  expression(): Expression {
    return this.#binary(0);
  }

  /** Whether a type begins here, and not an expression. */
  get atType(): boolean {
    const [first, second] = [this.next, this.#tokens[this.#at + 1]];
    return first.kind === 'name' && (typeWords.has(first.text) || (second?.kind === 'mark' && this.#starsThen(')', 1)));
  }

  /** A type, as in a cast or before the name of a parameter, which is left. */
  type(): TypeName {
    const start = this.next.start;
    const words: string[] = [];
    while (this.next.kind === 'name' && this.#belongsToType(words)) {
      words.push(this.take().text);
    }
    let pointers = 0;
    while (this.is('*') || (pointers > 0 && /^(const|volatile|restrict|__user)$/.test(this.next.text))) {
      pointers += this.take().text === '*' ? 1 : 0;
    }
    const kept = words.filter((word) => !/^(const|volatile|__user|__kernel)$/.test(word));
    if (kept.length === 0) {
      this.fail(this.next, 'there should be a type here');
    }
    return { words: kept, pointers, start, end: this.#tokens[this.#at - 1]?.end ?? start };
  }

  #belongsToType(words: readonly string[]): boolean {
    const last = words.at(-1) ?? '';
    const known = typeWords.has(this.next.text);
    if (tagged.has(last)) {
      return true;
    }
    const complete = words.some((word) => !/^(const|volatile|__user|__kernel|unsigned|signed|short|long)$/.test(word));
    if (complete) {
      return /^(const|volatile|__user|int|long|unsigned)$/.test(this.next.text);
    }
    // The name behind 'unsigned' is that of a parameter, unless it is a type.
    return known || !words.some((word) => /^(unsigned|signed|short|long)$/.test(word));
  }

  #starsThen(mark: string, from: number): boolean {
    let i = this.#at + from;
    const stars = i;
    while (this.#tokens[i]?.kind === 'mark' && this.#tokens[i]?.text === '*') {
      i++;
    }
    return i > stars && this.#tokens[i]?.text === mark;
  }

  #binary(level: number): Expression {
    const operators = levels[level];
    if (operators === undefined) {
      return this.#unary();
    }
    let left = this.#binary(level + 1);
    while (this.next.kind === 'mark' && operators.includes(this.next.text)) {
      const operator = this.take().text as Arithmetic | Comparison | Logic;
      const right = this.#binary(level + 1);
      left = this.#checked({ is: 'binary', operator, left, right, start: left.start, end: right.end });
    }
    return left;
  }

  #unary(): Expression {
    this.#depth++;
    if (this.#depth > DEEPEST) {
      this.fail(this.next, 'this is nested too deeply');
    }
    try {
      const { start } = this.next;
      if (this.next.kind === 'mark' && unary.has(this.next.text)) {
        const operator = this.take().text as '!';
        const of = this.#unary();
        return { is: 'unary', operator, of, start, end: of.end };
      }
      if (this.is('(')) {
        this.take();
        if (this.atType) {
          const type = this.type();
          this.expect(')', 'a cast needs ) behind its type');
          const of = this.#unary();
          return { is: 'cast', type, of, start, end: of.end };
        }
        const inner = this.expression();
        const { end } = this.expect(')', 'there should be a ) here');
        return this.#postfix({ ...inner, start, end });
      }
      return this.#postfix(this.#primary());
    } finally {
      this.#depth--;
    }
  }

  #postfix(first: Expression): Expression {
    let value = first;
    for (let links = 0; ; links++) {
      if (links > DEEPEST) {
        this.fail(this.next, 'this chain is too long');
      }
      const { start } = value;
      const mark = this.next.kind === 'mark' ? this.next.text : '';
      if (mark === '->' || mark === '.') {
        this.take();
        const name = this.next;
        if (name.kind !== 'name' || name.text.startsWith('$')) {
          this.fail(name, `there should be the name of a member behind ${mark}`);
        }
        this.take();
        value = { is: 'member', of: value, name: name.text, arrow: mark === '->', at: name, start, end: name.end };
      } else if (mark === '[') {
        this.take();
        const index = this.expression();
        const { end } = this.expect(']', 'there should be a ] here');
        value = { is: 'element', of: value, index, start, end };
      } else if (mark === '@') {
        this.take();
        const word = this.take();
        if (word.text !== 'user') {
          this.fail(word, 'only @user can be said of a pointer');
        }
        value = { is: 'user', of: value, start, end: word.end };
      } else {
        return value;
      }
    }
  }

  #primary(): Expression {
    const token = this.take();
    const { start, end } = token;
    switch (token.kind) {
      case 'number':
        return { is: 'number', value: this.#number(token), start, end };
      case 'text':
        return { is: 'text', bytes: bytesOf(this.#text, token, token.text), start, end };
      case 'name':
        return this.is('(') ? this.#call(token) : { is: 'name', name: token.text, start, end };
      default:
        return this.fail(token, token.kind === 'end' ? 'something is missing here' : 'there should be a value here');
    }
  }

  #call(name: Token): Expression {
    this.take();
    const given: Expression[] = [];
    if (!this.is(')')) {
      do {
        given.push(this.expression());
      } while (this.takeIf(',') !== undefined);
    }
    const { end } = this.expect(')', 'there should be a ) here');
    return { is: 'call', name: name.text, arguments: given, start: name.start, end };
  }

  #number(token: Token): bigint {
    const [, digits = ''] = /^(0[xX][0-9a-fA-F]+|0[bB][01]+|0[0-7]*|[1-9]\d*)[uUlL]{0,3}$/.exec(token.text) ?? [];
    if (digits === '') {
      this.fail(token, 'this is no whole number');
    }
    const value = BigInt(/^0[0-7]/.test(digits) ? `0o${digits.slice(1)}` : digits);
    return value < 1n << 64n ? value : this.fail(token, 'this number has more than 64 bits');
  }

  /** In C, a < b < c and a == b == c do not mean what they say. */
  #checked(value: Expression & { readonly is: 'binary' }): Expression {
    const { left, operator } = value;
    const compares = /^(==|!=|<=?|>=?)$/;
    const plain = left.is === 'binary' && this.#text[left.start] !== '(';
    if (plain && compares.test(operator) && compares.test(left.operator)) {
      this.fail(value, 'comparisons do not chain', 'write a < b && b < c');
    }
    return value;
  }
}
