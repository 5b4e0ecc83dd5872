import type { Width } from './assembler.ts';
import type { CType, FindType } from './c-types.ts';
import type { Arithmetic, Comparison, Expression, Logic } from './syntax.ts';
import type { DynamicField } from './tracepoint-record.ts';

/**
 * Whose memory an address is in. With 'any' the address itself tells, where the program runs: both halves of the address
 * space are told apart by their topmost bit. What a process gives is 'user' whatever it says: nothing of the kernel is
 * read because a process names an address.
 */
export type Space = 'kernel' | 'user' | 'any';

/** How a value of 64 bits comes to be where a program runs. Shorter ones are extended by whoever loads them. */
export type Value =
  | { readonly op: 'number'; readonly value: bigint }
  /** From the context of the program, without a sign. */
  | { readonly op: 'context'; readonly offset: number; readonly width: Width }
  | { readonly op: 'context address'; readonly offset: number }
  /** Where a field of a record begins that says so itself. */
  | { readonly op: 'dynamic address'; readonly field: DynamicField }
  /** From memory, without a sign; 0 where that cannot be read. */
  | { readonly op: 'read'; readonly address: Value; readonly width: Width; readonly space: Space }
  | { readonly op: 'extend'; readonly of: Value; readonly bits: number; readonly signed: boolean }
  | {
      readonly op: 'bits';
      readonly of: Value;
      readonly first: number;
      readonly count: number;
      readonly signed: boolean;
    }
  | {
      readonly op: 'arithmetic';
      readonly operator: Arithmetic;
      readonly left: Value;
      readonly right: Value;
      readonly signed: boolean;
    }
  | {
      readonly op: 'compare';
      readonly operator: Comparison;
      readonly left: Value;
      readonly right: Value;
      readonly signed: boolean;
    }
  | { readonly op: 'logic'; readonly operator: Logic; readonly left: Value; readonly right: Value }
  | { readonly op: 'not' | 'negative' | 'complement'; readonly of: Value }
  /** What a helper without arguments gives: all of it, or a half. */
  | { readonly op: 'helper'; readonly helper: number; readonly part: 'all' | 'lower' | 'upper' }
  /** The command's name: a text that is nowhere in memory. */
  | { readonly op: 'comm' }
  /** What an earlier program of the same thread left, by its place in that. */
  | { readonly op: 'kept'; readonly index: number }
  | SameText;

export interface SameText {
  readonly op: 'same text';
  readonly address: Value;
  readonly space: Space;
  readonly bytes: Uint8Array;
  /** The whole text, its beginning, or bytes that need not be a text. */
  readonly how: 'whole' | 'beginning' | 'bytes';
  readonly equal: boolean;
  /** Bytes that there can be, with an end: of an array, which need not have one. */
  readonly most?: number;
}

/** A value with its type. Of an array or structure it is the address. */
export interface Typed {
  readonly type: CType;
  readonly value: Value;
  /** Of a pointer, array or structure: where it points. */
  readonly space: Space;
}

/** What can be named at a place that is traced. */
export interface Scope {
  find(name: string): Typed | undefined;
  /** Fields of the record whose address the context is. */
  readonly dynamic?: ReadonlyMap<string, DynamicField>;
  /** What can be named, for those who named something else. */
  names(): Iterable<string>;
  /** Why something that is elsewhere is not here; '' when it is nowhere. */
  why?(name: string): string;
  /** What a value was when the function was entered. */
  entry?(value: Expression): Typed;
  readonly type: FindType;
}

export function numberValue(value: bigint): Value {
  return { op: 'number', value };
}

/** The address that many bytes further. */
export function further(address: Value, bytes: number): Value {
  if (bytes === 0) {
    return address;
  }
  if (address.op === 'context address') {
    return { op: 'context address', offset: address.offset + bytes };
  }
  if (address.op === 'arithmetic' && address.operator === '+' && address.right.op === 'number') {
    return { ...address, right: numberValue(address.right.value + BigInt(bytes)) };
  }
  return { op: 'arithmetic', operator: '+', left: address, right: numberValue(BigInt(bytes)), signed: false };
}

/** What is in memory at an address, as a value of a type. */
export function loaded(address: Value, type: CType, space: Space): Typed {
  if (type.is === 'structure' || type.is === 'array' || type.is === 'opaque') {
    return { type, value: address, space };
  }
  const width: Width = type.is === 'pointer' ? 8 : type.size;
  const inContext = address.op === 'context address' && address.offset % width === 0;
  const value: Value = inContext
    ? { op: 'context', offset: address.offset, width }
    : { op: 'read', address, width, space };
  return {
    type,
    value: type.is === 'number' ? extended(value, type.size * 8, type.signed) : value,
    // A pointer in the kernel may be one that a process gave.
    space: space === 'user' ? 'user' : 'any',
  };
}

/** A value that was loaded without a sign, as a number of 64 bits. */
export function extended(of: Value, bits: number, signed: boolean): Value {
  const loadedSo = (of.op === 'read' || of.op === 'context') && of.width * 8 === bits && !signed;
  return bits >= 64 || loadedSo ? of : { op: 'extend', of, bits, signed };
}
