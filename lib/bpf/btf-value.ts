import { escapeTerminated, escapeText } from '../model/escape.ts';
import type { JsonValue } from '../model/json.ts';
import type { Btf } from './btf.ts';
import type { BtfEnum, BtfEnum64, BtfMember, BtfType } from './btf-kinds.ts';

/** What bytes mean as a type of BTF. */
export type BtfValue =
  | { readonly is: 'number'; readonly value: bigint; readonly bits: number }
  | { readonly is: 'boolean'; readonly value: boolean }
  /** A value of an enumeration, or several that are bits: 'A|B'. */
  | { readonly is: 'name'; readonly name: string; readonly value: bigint }
  /** What is in an array of characters up to its end, safe to print. */
  | { readonly is: 'text'; readonly text: string }
  | { readonly is: 'address'; readonly value: bigint }
  /** `left` counts what is there and not read: elements, or members. */
  | { readonly is: 'list'; readonly items: readonly BtfValue[]; readonly left: number }
  | {
      readonly is: 'structure';
      /** Those of anonymous structures and unions inside are among them; all members of a union are. */
      readonly members: readonly (readonly [name: string, value: BtfValue])[];
      readonly left: number;
    }
  /** A type without a size, or what lies deeper than is looked. */
  | { readonly is: 'unknown' };

export interface BtfValueLimits {
  /** Structures and arrays within one another. */
  readonly depth?: number;
  /** Elements of one array. */
  readonly elements?: number;
  /** Of all that is read at once: unions of unions could have more values than bytes. */
  readonly values?: number;
}

interface FlatMember extends BtfMember {
  readonly resolved: BtfType;
}

const unknown: BtfValue = { is: 'unknown' };
const POINTER = 8;
/** Deeper no anonymous structure lies in another. */
const DEEPEST = 16;

/**
 * Reads values of any type from bytes, as the BTF of a kernel or of a program says that they lie there. Fewer bytes than
 * the type has give what is wholly in them. Neither bytes nor types are trusted.
 */
export class BtfValues {
  readonly #btf: Btf;
  readonly #limits: Required<BtfValueLimits>;
  readonly #members = new Map<number, readonly FlatMember[]>();
  readonly #names = new Map<number, ReadonlyMap<bigint, string>>();
  #budget = 0;

  constructor(btf: Btf, { depth = 16, elements = 64, values = 20_000 }: BtfValueLimits = {}) {
    this.#btf = btf;
    this.#limits = { depth, elements, values };
  }

  /** @throws KscopeError failed for damaged BTF */
  read(id: number, bytes: Uint8Array): BtfValue {
    this.#budget = this.#limits.values;
    return this.#read(id, this.#btf.resolve(id), bytes, 0, 0) ?? unknown;
  }

  /** What begins at a byte; undefined when it is not wholly there. */
  #read(id: number, type: BtfType, bytes: Uint8Array, at: number, depth: number): BtfValue | undefined {
    if (this.#budget-- <= 0 || depth > this.#limits.depth) {
      return unknown;
    }
    switch (type.kind) {
      case 'struct':
      case 'union':
        return this.#structure(type.id, bytes, at, depth);
      case 'array':
        return this.#array(type.element, type.count, bytes, at, depth);
      default: {
        const size = this.#size(id);
        if (size === 0 || size > 16) {
          return unknown;
        }
        const isPart = type.kind === 'int' && (type.bits < size * 8 || type.bitOffset > 0);
        return isPart && type.kind === 'int'
          ? this.#scalar(type, bytes, at * 8 + type.bitOffset, type.bits)
          : this.#scalar(type, bytes, at * 8, size * 8);
      }
    }
  }

  #structure(id: number, bytes: Uint8Array, at: number, depth: number): BtfValue {
    const all = this.#flat(id);
    const members: [string, BtfValue][] = [];
    for (const { name, type, resolved, bits, bitOffset } of all) {
      const value =
        bits > 0
          ? this.#scalar(resolved, bytes, at * 8 + bitOffset, bits)
          : this.#read(type, resolved, bytes, at + Math.floor(bitOffset / 8), depth + 1);
      if (value !== undefined) {
        members.push([name, value]);
      }
      if (this.#budget <= 0) {
        break;
      }
    }
    return { is: 'structure', members, left: all.length - members.length };
  }

  #array(element: number, count: number, bytes: Uint8Array, at: number, depth: number): BtfValue | undefined {
    const type = this.#btf.resolve(element);
    const size = this.#size(element);
    const there = size === 0 ? 0 : Math.min(count, Math.max(0, Math.floor((bytes.length - at) / size)));
    if (type.kind === 'int' && isLetter(type, this.#btf.spelling(element))) {
      return count > 0 && there === 0 ? undefined : { is: 'text', text: escapeTerminated(bytes, at, at + there) };
    }
    if (count > 0 && there === 0 && size > 0) {
      return undefined;
    }
    const items: BtfValue[] = [];
    while (items.length < Math.min(there, this.#limits.elements) && this.#budget > 0) {
      const item = this.#read(element, type, bytes, at + items.length * size, depth + 1);
      if (item === undefined) {
        break;
      }
      items.push(item);
    }
    return { is: 'list', items, left: count - items.length };
  }

  /** What is in some bits, of which there may be at most 128. */
  #scalar(type: BtfType, bytes: Uint8Array, first: number, bits: number): BtfValue | undefined {
    const start = Math.floor(first / 8);
    const end = Math.ceil((first + bits) / 8);
    if (end > bytes.length) {
      return undefined;
    }
    if (bits === 0 || bits > 128) {
      return unknown;
    }
    let all = 0n;
    for (let i = end - 1; i >= start; i--) {
      all = (all << 8n) | BigInt(bytes[i] as number);
    }
    const value = BigInt.asUintN(bits, all >> BigInt(first - start * 8));
    switch (type.kind) {
      case 'ptr':
        return { is: 'address', value };
      case 'enum':
      case 'enum64': {
        const named = type.signed ? BigInt.asIntN(bits, value) : value;
        const name = this.#nameOf(type, named);
        return name === undefined ? { is: 'number', value: named, bits } : { is: 'name', name, value: named };
      }
      case 'int':
        return type.bool
          ? { is: 'boolean', value: value !== 0n }
          : { is: 'number', value: type.signed ? BigInt.asIntN(bits, value) : value, bits };
      default:
        return unknown;
    }
  }

  /** The name of a value, or the names of its bits. */
  #nameOf(type: BtfEnum | BtfEnum64, value: bigint): string | undefined {
    let names = this.#names.get(type.id);
    if (names === undefined) {
      // Of names for the same value the first one is meant: others mark ends.
      const pairs = type.values.map((one): [bigint, string] => [BigInt(one.value), escapeText(one.name)]);
      names = new Map(pairs.reverse());
      this.#names.set(type.id, names);
    }
    const whole = names.get(value);
    if (whole !== undefined || value <= 0n) {
      return whole;
    }
    const bits: string[] = [];
    for (let left = value; left > 0n; left &= left - 1n) {
      const name = names.get(left & -left);
      if (name === undefined) {
        return undefined;
      }
      bits.push(name);
    }
    return bits.join('|');
  }

  /** The members of a structure, with those of anonymous ones in their place. */
  #flat(id: number): readonly FlatMember[] {
    let flat = this.#members.get(id);
    if (flat === undefined) {
      const found: FlatMember[] = [];
      let looked = 0;
      const collect = (composite: number, from: number, depth: number): void => {
        for (const member of this.#btf.members(composite)) {
          if (looked++ > this.#limits.values) {
            return;
          }
          const resolved = this.#btf.resolve(member.type);
          const bitOffset = from + member.bitOffset;
          if (member.name !== '') {
            found.push({ ...member, name: escapeText(member.name), bitOffset, resolved });
          } else if ((resolved.kind === 'struct' || resolved.kind === 'union') && depth < DEEPEST) {
            collect(member.type, bitOffset, depth + 1);
          }
        }
      };
      collect(id, 0, 0);
      flat = found;
      this.#members.set(id, flat);
    }
    return flat;
  }

  /** Bytes of a type; 0 for one that has none. */
  #size(id: number): number {
    const type = this.#btf.resolve(id);
    switch (type.kind) {
      case 'ptr':
        return POINTER;
      case 'array':
        return type.count === 0 ? 0 : this.#btf.sizeof(id);
      default:
        return 'size' in type ? type.size : 0;
    }
  }
}

/** The kernel's char has no sign since 6.2, and no encoding in BTF says what is a letter; u8 is none. */
function isLetter({ size, name }: { size: number; name: string }, alias: string): boolean {
  return size === 1 && /char/.test(name) && alias === name;
}

/** A value as JSON: numbers of more than 32 bits and addresses as text, structures as objects. */
export function btfJson(value: BtfValue): JsonValue {
  switch (value.is) {
    case 'number':
      return value.bits <= 32 ? Number(value.value) : value.value.toString();
    case 'boolean':
      return value.value;
    case 'name':
      return value.name;
    case 'text':
      return value.text;
    case 'address':
      return hexadecimal(value.value);
    case 'list':
      return value.items.map(btfJson);
    case 'structure':
      return Object.fromEntries(value.members.map(([name, one]) => [name, btfJson(one)]));
    default:
      return null;
  }
}

/**
 * A value as lines, of which those inside a structure are indented.
 * @param zeros also what is 0, false or empty
 */
export function btfLines(name: string, value: BtfValue, zeros: boolean): string[] {
  const plain = btfText(name, value, zeros);
  if (plain !== undefined) {
    return [`${name} = ${plain}`];
  }
  const inner: string[] = [];
  let left = 0;
  if (value.is === 'structure') {
    left = value.left;
    for (const [member, one] of value.members) {
      if (zeros || !isZero(one)) {
        inner.push(...btfLines(member, one, zeros));
      }
    }
  } else if (value.is === 'list') {
    left = value.left;
    for (const [i, one] of value.items.entries()) {
      if (zeros || !isZero(one)) {
        inner.push(...btfLines(`[${i}]`, one, zeros));
      }
    }
  }
  if (left > 0) {
    inner.push(`… ${left} more`);
  }
  return [`${name}:`, ...inner.map((line) => `    ${line}`)];
}

/** A value that takes one line; undefined for others. */
function btfText(name: string, value: BtfValue, zeros: boolean): string | undefined {
  switch (value.is) {
    case 'number':
      return /flags|mask/.test(name) && value.value >= 0n ? hexadecimal(value.value) : value.value.toString();
    case 'boolean':
      return String(value.value);
    case 'name':
      return value.name;
    case 'text':
      return `"${value.text}"`;
    case 'address':
      return hexadecimal(value.value);
    case 'unknown':
      return '?';
    case 'structure':
      return value.left === 0 && (value.members.length === 0 || (!zeros && isZero(value))) ? '{}' : undefined;
    case 'list': {
      const flat = value.items.map((one) =>
        one.is === 'structure' || one.is === 'list' ? undefined : btfText(name, one, zeros),
      );
      return flat.includes(undefined) ? undefined : `[${flat.join(', ')}${value.left > 0 ? ', …' : ''}]`;
    }
  }
}

/** Whether all of it is 0, false, or empty. */
function isZero(value: BtfValue): boolean {
  switch (value.is) {
    case 'number':
    case 'name':
    case 'address':
      return value.value === 0n;
    case 'boolean':
      return !value.value;
    case 'text':
      return value.text === '';
    case 'list':
      return value.items.every(isZero);
    case 'structure':
      return value.left === 0 && value.members.every(([, one]) => isZero(one));
    default:
      return false;
  }
}

function hexadecimal(value: bigint): string {
  return `0x${value.toString(16)}`;
}
