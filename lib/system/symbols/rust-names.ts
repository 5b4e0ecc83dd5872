/**
 * Rust's own mangling, "v0" (RFC 2603), as people write it: without hashes of crates and instances. Symbols are input:
 * depth, steps and length are bounded, references lead backwards only, and what is no such name is undefined.
 */
export function demangleRust(symbol: string): string | undefined {
  // What compilers append after a dot or dollar is not part of the name.
  const [, name] = /^_?_?R([A-Z][A-Za-z0-9_]*)(?:[.$].*)?$/s.exec(symbol) ?? [];
  if (name === undefined) {
    return undefined;
  }
  try {
    return new Reader(name).symbol();
  } catch (error) {
    if (error instanceof NoName) {
      return undefined;
    }
    throw error;
  }
}

class NoName extends Error {}

const deepest = 128;
const mostSteps = 10_000;
const longest = 4096;

const basicTypes: Readonly<Record<string, string>> = {
  a: 'i8',
  b: 'bool',
  c: 'char',
  d: 'f64',
  e: 'str',
  f: 'f32',
  h: 'u8',
  i: 'isize',
  j: 'usize',
  l: 'i32',
  m: 'u32',
  n: 'i128',
  o: 'u128',
  p: '_',
  s: 'i16',
  t: 'u16',
  u: '()',
  v: '...',
  x: 'i64',
  y: 'u64',
  z: '!',
};

interface Identifier {
  readonly text: string;
  /** Which one of several of that name. */
  readonly number: number;
}

class Reader {
  readonly #name: string;
  #at = 0;
  #depth = 0;
  #steps = 0;
  #length = 0;
  /** Lifetimes that are bound around here. */
  #lifetimes = 0;

  constructor(name: string) {
    this.#name = name;
  }

  symbol(): string {
    const text = this.#path(true);
    // The crate that it was instantiated in is nobody's business.
    if (this.#at < this.#name.length) {
      this.#path(false);
    }
    if (this.#at < this.#name.length) {
      throw new NoName();
    }
    return text;
  }

  /** @param value whether it is a function or constant, whose generic arguments need '::' */
  #path(value: boolean): string {
    return this.#within(() => {
      const tag = this.#next();
      switch (tag) {
        case 'C':
          return this.#identifier().text;
        case 'M': {
          this.#implementation();
          return this.#take(`<${this.#type()}>`);
        }
        case 'X': {
          this.#implementation();
          return this.#asTrait();
        }
        case 'Y':
          return this.#asTrait();
        case 'N': {
          const namespace = this.#next();
          const parent = this.#path(value);
          const { text, number } = this.#identifier();
          if (/[A-Z]/.test(namespace)) {
            const kind = { C: 'closure', S: 'shim' }[namespace] ?? namespace;
            return this.#take(`${parent}::{${kind}${text === '' ? '' : `:${text}`}#${number}}`);
          }
          if (!/[a-z]/.test(namespace)) {
            throw new NoName();
          }
          return this.#take(text === '' ? parent : `${parent}::${text}`);
        }
        case 'I': {
          const generic = this.#path(value);
          return this.#take(`${generic}${value ? '::' : ''}<${this.#list(() => this.#argument()).join(', ')}>`);
        }
        case 'B':
          return this.#back(() => this.#path(value));
        default:
          throw new NoName();
      }
    });
  }

  /** Where the implementation is, which is not shown. */
  #implementation(): void {
    this.#disambiguator();
    this.#path(false);
  }

  #asTrait(): string {
    const type = this.#type();
    return this.#take(`<${type} as ${this.#path(false)}>`);
  }

  #argument(): string {
    if (this.#skip('L')) {
      return this.#lifetime();
    }
    return this.#skip('K') ? this.#constant() : this.#type();
  }

  #type(): string {
    return this.#within(() => {
      const tag = this.#next();
      const basic = basicTypes[tag];
      if (basic !== undefined) {
        return basic;
      }
      switch (tag) {
        case 'A': {
          const element = this.#type();
          return this.#take(`[${element}; ${this.#constant()}]`);
        }
        case 'S':
          return this.#take(`[${this.#type()}]`);
        case 'T': {
          const parts = this.#list(() => this.#type());
          return this.#take(`(${parts.join(', ')}${parts.length === 1 ? ',' : ''})`);
        }
        case 'R':
        case 'Q': {
          const lifetime = this.#skip('L') ? this.#lifetime() : "'_";
          const shown = lifetime === "'_" ? '' : `${lifetime} `;
          return this.#take(`&${shown}${tag === 'Q' ? 'mut ' : ''}${this.#type()}`);
        }
        case 'P':
          return this.#take(`*const ${this.#type()}`);
        case 'O':
          return this.#take(`*mut ${this.#type()}`);
        case 'F':
          return this.#bound(() => this.#function());
        case 'D': {
          const traits = this.#bound(() => this.#list(() => this.#dynamicTrait()).join(' + '));
          if (!this.#skip('L')) {
            throw new NoName();
          }
          const lifetime = this.#lifetime();
          return this.#take(`dyn ${traits}${lifetime === "'_" ? '' : ` + ${lifetime}`}`);
        }
        case 'B':
          return this.#back(() => this.#type());
        default:
          this.#at--;
          return this.#path(false);
      }
    });
  }

  #function(): string {
    const unsafe = this.#skip('U') ? 'unsafe ' : '';
    let abi = '';
    if (this.#skip('K')) {
      abi = `extern "${this.#skip('C') ? 'C' : this.#plainIdentifier().replaceAll('_', '-')}" `;
    }
    const parameters = this.#list(() => this.#type()).join(', ');
    const result = this.#type();
    return this.#take(`${unsafe}${abi}fn(${parameters})${result === '()' ? '' : ` -> ${result}`}`);
  }

  #dynamicTrait(): string {
    let trait = this.#path(false);
    while (this.#skip('p')) {
      const binding = `${this.#plainIdentifier()} = ${this.#type()}`;
      trait = this.#take(trait.endsWith('>') ? `${trait.slice(0, -1)}, ${binding}>` : `${trait}<${binding}>`);
    }
    return trait;
  }

  #constant(): string {
    return this.#within(() => {
      const tag = this.#next();
      switch (tag) {
        case 'p':
          return '_';
        case 'B':
          return this.#back(() => this.#constant());
        case 'b':
          return this.#choice({ 0: 'false', 1: 'true' });
        case 'c': {
          const code = Number(this.#hexadecimal());
          if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
            throw new NoName();
          }
          return `'${String.fromCodePoint(code)}'`;
        }
        default: {
          if (!/[ahilmnosjtxy]/.test(tag)) {
            throw new NoName();
          }
          const sign = this.#skip('n') ? '-' : '';
          return `${sign}${this.#hexadecimal()}`;
        }
      }
    });
  }

  #choice(words: Readonly<Record<string, string>>): string {
    const word = words[String(this.#hexadecimal())];
    if (word === undefined) {
      throw new NoName();
    }
    return word;
  }

  #hexadecimal(): bigint {
    const [digits = ''] = /^[0-9a-f]{0,32}(?=_)/.exec(this.#name.slice(this.#at, this.#at + 33)) ?? [];
    this.#at += digits.length;
    if (!this.#skip('_')) {
      throw new NoName();
    }
    return BigInt(`0x${digits || '0'}`);
  }

  /** What `read` reads, with the lifetimes that 'for<...>' binds. */
  #bound(read: () => string): string {
    const count = this.#skip('G') ? this.#base62() + 1 : 0;
    if (count > 64) {
      throw new NoName();
    }
    const outer = this.#lifetimes;
    this.#lifetimes += count;
    const names = Array.from({ length: count }, (_, i) => lifetimeName(outer + i));
    const text = read();
    this.#lifetimes = outer;
    return count === 0 ? text : this.#take(`for<${names.join(', ')}> ${text}`);
  }

  #lifetime(): string {
    const index = this.#base62();
    if (index > this.#lifetimes) {
      throw new NoName();
    }
    return index === 0 ? "'_" : lifetimeName(this.#lifetimes - index);
  }

  #identifier(): Identifier {
    const number = this.#disambiguator();
    return { text: this.#plainIdentifier(), number };
  }

  #disambiguator(): number {
    return this.#skip('s') ? this.#base62() + 1 : 0;
  }

  #plainIdentifier(): string {
    const encoded = this.#skip('u');
    const [digits] = /^(?:0|[1-9]\d{0,4})/.exec(this.#name.slice(this.#at, this.#at + 5)) ?? [];
    if (digits === undefined) {
      throw new NoName();
    }
    this.#at += digits.length;
    this.#skip('_');
    const end = this.#at + Number(digits);
    if (end > this.#name.length) {
      throw new NoName();
    }
    const text = this.#name.slice(this.#at, end);
    this.#at = end;
    return this.#take(encoded ? decodePunycode(text) : text);
  }

  #base62(): number {
    const [digits] = /^[0-9a-zA-Z]{0,20}(?=_)/.exec(this.#name.slice(this.#at, this.#at + 21)) ?? [];
    if (digits === undefined) {
      throw new NoName();
    }
    this.#at += digits.length + 1;
    let value = 0;
    for (const digit of digits) {
      value = value * 62 + base62Digits.indexOf(digit);
    }
    return digits === '' ? 0 : value + 1;
  }

  /** What stands at an earlier place. */
  #back(read: () => string): string {
    const here = this.#at - 1;
    const target = this.#base62();
    if (target >= here) {
      throw new NoName();
    }
    const after = this.#at;
    this.#at = target;
    const text = read();
    this.#at = after;
    return text;
  }

  #list(read: () => string): string[] {
    const parts: string[] = [];
    while (!this.#skip('E')) {
      parts.push(read());
    }
    return parts;
  }

  #next(): string {
    const character = this.#name[this.#at];
    if (character === undefined) {
      throw new NoName();
    }
    this.#at++;
    return character;
  }

  #skip(character: string): boolean {
    const found = this.#name[this.#at] === character;
    this.#at += found ? 1 : 0;
    return found;
  }

  #within(read: () => string): string {
    this.#steps++;
    if (this.#depth >= deepest || this.#steps > mostSteps) {
      throw new NoName();
    }
    this.#depth++;
    const text = read();
    this.#depth--;
    return text;
  }

  /** A piece that was put together: all of them are bounded, since references may repeat them. */
  #take(text: string): string {
    this.#length = Math.max(this.#length, text.length);
    if (this.#length > longest) {
      throw new NoName();
    }
    return text;
  }
}

const base62Digits = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';

function lifetimeName(depth: number): string {
  return depth < 26 ? `'${String.fromCharCode(97 + depth)}` : `'_${depth}`;
}

const base = 36;
const tMin = 1;
const tMax = 26;
const skew = 38;
const damp = 700;

/** Punycode (RFC 3492), with an underscore where that has a hyphen. */
function decodePunycode(text: string): string {
  const delimiter = text.lastIndexOf('_');
  const characters = [...text.slice(0, Math.max(0, delimiter))].map((one) => one.codePointAt(0) as number);
  let code = 128;
  let bias = 72;
  let place = 0;
  for (let at = delimiter + 1; at < text.length; ) {
    const before = place;
    let weight = 1;
    for (let k = base; ; k += base) {
      const digit = 'abcdefghijklmnopqrstuvwxyz0123456789'.indexOf(text[at++] ?? '-');
      const threshold = Math.max(tMin, Math.min(tMax, k - bias));
      place += digit * weight;
      if (digit < 0 || place > 0x7fffffff) {
        throw new NoName();
      }
      if (digit < threshold) {
        break;
      }
      weight *= base - threshold;
    }
    const count = characters.length + 1;
    let delta = Math.floor((place - before) / (before === 0 ? damp : 2));
    delta += Math.floor(delta / count);
    bias = 0;
    for (; delta > ((base - tMin) * tMax) / 2; bias += base) {
      delta = Math.floor(delta / (base - tMin));
    }
    bias += Math.floor(((base - tMin + 1) * delta) / (delta + skew));
    code += Math.floor(place / count);
    place %= count;
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
      throw new NoName();
    }
    characters.splice(place++, 0, code);
  }
  return String.fromCodePoint(...characters);
}
