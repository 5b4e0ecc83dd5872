import { KscopeError } from '../model/errors.ts';
import type { Row } from '../model/message.ts';
import type { DecodeContext, SemanticType } from '../model/types.ts';
import { isIdentifier, type RowSchema, type Shape, type ValueSchema } from './schema.ts';

/** Two views of the same memory; make them once for each buffer, not once for each record. */
export interface Memory {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

/**
 * Makes the value of `length` bytes at `offset`, which must lie within the memory. Nothing in the result refers to the
 * memory. @throws KscopeError failed for a record that is shorter than its type
 */
export type Decoder<T = Row> = (memory: Memory, offset: number, length: number) => T;

/** Writes a value at `offset` of `into`, its padding as zeros. @throws KscopeError failed for a value that does not fit */
export type Encoder<T = unknown> = (value: T, into: Uint8Array, offset?: number) => void;

/** Views of `bytes` for a decoder. */
export function memoryOf(bytes: Uint8Array): Memory {
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { bytes: buffer, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
}

/**
 * Compiles the decoder of a record, or of a map's key or value. The code is one object literal, so that all rows share
 * one hidden class; every name in it was checked to be an identifier.
 * `context` is read at each call and may be changed in between.
 */
export function compileDecoder<T = Row>(schema: RowSchema | ValueSchema, context: DecodeContext): Decoder<T> {
  const code = new Code(context);
  const row = 'fields' in schema ? schema : schema.shape.kind === 'struct' ? schema.shape.row : undefined;
  const shortest = row?.fixedSize ?? schema.size;
  const end = `length < ${schema.size} ? at + length : at + ${schema.size}`;
  const flexible = row?.fields.some((field) => field.trailing && field.size === 0) === true;
  const expression = row === undefined ? code.value(schema as ValueSchema, 0) : code.row(row, 0, 'end');
  const name = escapeName(row?.name);
  const tooShort = (length: number): KscopeError =>
    new KscopeError('failed', `a record of ${length} bytes is too short for '${name}' (${shortest} bytes)`);
  return code.compile(
    `if (length < ${shortest}) throw tooShort(length);
const view = memory.view, bytes = memory.bytes, end = ${flexible ? 'at + length' : end};
return ${expression};`,
    tooShort,
  ) as Decoder<T>;
}

function escapeName(name: string | undefined): string {
  return name === undefined || name === '' ? 'value' : name;
}

/** Collects the constants and helper functions that a generated expression needs. */
class Code {
  readonly #context: DecodeContext;
  readonly #names: string[] = [];
  readonly #values: unknown[] = [];
  readonly #functions: string[] = [];

  constructor(context: DecodeContext) {
    this.#context = context;
  }

  compile(body: string, tooShort: (length: number) => KscopeError): unknown {
    const source = `'use strict';
${this.#functions.join('\n')}
return function decode(memory, at, length) {
${body}
};`;
    return new Function('context', 'tooShort', 'bits', 'bigBits', ...this.#names, source)(
      this.#context,
      tooShort,
      readBits,
      readBigBits,
      ...this.#values,
    );
  }

  row(row: RowSchema, offset: number, end?: string): string {
    const properties = row.fields.map((field) => {
      if (!isIdentifier(field.name) || field.name.startsWith('_')) {
        throw new KscopeError('failed', `'${row.name}' has a member whose name cannot be used`);
      }
      const stop = field.trailing ? end : undefined;
      return `${field.name}: ${this.value(field, offset + field.offset, stop)}`;
    });
    return `{ ${properties.join(', ')} }`;
  }

  value(value: ValueSchema, offset: number, end?: string): string {
    const { shape, semantic } = value;
    const position = offset === 0 ? 'at' : `at + ${offset}`;
    switch (shape.kind) {
      case 'float':
        return `view.getFloat${shape.size * 8}(${position}, true)`;
      case 'int':
      case 'bits':
        return this.#integer(shape, semantic, offset, position);
      case 'bytes':
        return `${this.#constant(converter(semantic))}(bytes, ${position}, ${end ?? `at + ${offset + shape.size}`})`;
      case 'array': {
        const each = this.#function(`const out = [];
for (let i = 0; i < ${shape.count}; i++, at += ${shape.element.size}) out.push(${this.value(shape.element, 0)});
return out;`);
        return `${each}(view, bytes, ${position})`;
      }
      case 'struct':
        return this.row(shape.row, offset);
    }
  }

  #integer(
    shape: Extract<Shape, { kind: 'int' | 'bits' }>,
    semantic: SemanticType,
    offset: number,
    position: string,
  ): string {
    const { decode } = semantic;
    const number =
      shape.kind === 'int' ? readInteger(shape.size, shape.signed, offset) : bitsCall('bits', shape, position);
    const exact =
      shape.kind === 'bits'
        ? bitsCall('bigBits', shape, position)
        : shape.size === 8
          ? `view.getBig${shape.signed ? 'Int' : 'Uint'}64(${position}, true)`
          : `BigInt(${number})`;
    switch (decode.from) {
      case 'number':
        return decode.to === undefined ? number : `${this.#constant(decode.to)}(${number}, context)`;
      case 'bigint':
        return decode.to === undefined ? exact : `${this.#constant(decode.to)}(${exact})`;
      case 'words': {
        const to = this.#constant(decode.to);
        if (shape.kind === 'int' && shape.size === 8) {
          return `${to}(view.getUint32(${position}, true), view.getUint32(at + ${offset + 4}, true))`;
        }
        return `${to}(Number(BigInt.asUintN(32, ${exact})), Number(BigInt.asUintN(64, ${exact}) >> 32n))`;
      }
      case 'bytes':
        throw new KscopeError('failed', `${semantic.name} cannot be read from an integer`);
    }
  }

  #constant(value: unknown): string {
    const known = this.#values.indexOf(value);
    if (known >= 0) {
      return this.#names[known] as string;
    }
    const name = `c${this.#names.length}`;
    this.#names.push(name);
    this.#values.push(value);
    return name;
  }

  #function(body: string): string {
    const name = `f${this.#functions.length}`;
    this.#functions.push(`function ${name}(view, bytes, at) {\n${body}\n}`);
    return name;
  }
}

function converter(semantic: SemanticType): unknown {
  if (semantic.decode.from !== 'bytes') {
    throw new KscopeError('failed', `${semantic.name} cannot be read from bytes`);
  }
  return semantic.decode.to;
}

function readInteger(size: 1 | 2 | 4 | 8, signed: boolean, offset: number): string {
  const sign = signed ? 'Int' : 'Uint';
  const position = offset === 0 ? 'at' : `at + ${offset}`;
  if (size === 8) {
    return `(view.get${sign}32(at + ${offset + 4}, true) * 4294967296 + view.getUint32(${position}, true))`;
  }
  return size === 1 ? `view.get${sign}8(${position})` : `view.get${sign}${size * 8}(${position}, true)`;
}

function bitsCall(name: string, shape: Extract<Shape, { kind: 'bits' }>, position: string): string {
  return `${name}(bytes, ${position}, ${shape.first}, ${shape.count}, ${shape.signed})`;
}

function readBits(bytes: Uint8Array, at: number, first: number, count: number, signed: boolean): number {
  return Number(readBigBits(bytes, at, first, count, signed));
}

function readBigBits(bytes: Uint8Array, at: number, first: number, count: number, signed: boolean): bigint {
  let value = 0n;
  for (let i = Math.ceil((first + count) / 8) - 1; i >= 0; i--) {
    value = (value << 8n) | BigInt(bytes[at + i] as number);
  }
  value >>= BigInt(first);
  return signed ? BigInt.asIntN(count, value) : BigInt.asUintN(count, value);
}

/** Compiles the encoder of a map's key or value, or of a constant: the inverse of the decoder. */
export function compileEncoder<T = unknown>(schema: RowSchema | ValueSchema, context: DecodeContext): Encoder<T> {
  const name = 'fields' in schema ? escapeName(schema.name) : 'value';
  const write = 'fields' in schema ? rowWriter(schema, context) : valueWriter(schema, name, context);
  const { size } = schema;
  return (value, into, offset = 0) => {
    if (offset + size > into.length) {
      throw new KscopeError('failed', `'${name}' needs ${size} bytes, there are ${into.length - offset}`);
    }
    into.fill(0, offset, offset + size);
    write(value, into, offset);
  };
}

type Writer = (value: unknown, into: Uint8Array, offset: number) => void;

function rowWriter(row: RowSchema, context: DecodeContext): Writer {
  const writers = row.fields.map((field) => ({
    name: field.name,
    offset: field.offset,
    write: valueWriter(field, field.name, context),
  }));
  return (value, into, offset) => {
    if (typeof value !== 'object' || value === null) {
      throw new KscopeError('failed', `'${escapeName(row.name)}' takes an object`);
    }
    for (const field of writers) {
      field.write((value as Row)[field.name], into, offset + field.offset);
    }
  };
}

function valueWriter(schema: ValueSchema, name: string, context: DecodeContext): Writer {
  const { shape, semantic } = schema;
  switch (shape.kind) {
    case 'struct':
      return rowWriter(shape.row, context);
    case 'array': {
      const write = valueWriter(shape.element, name, context);
      return (value, into, offset) => {
        if (!Array.isArray(value) || value.length > shape.count) {
          throw new KscopeError('failed', `'${name}' takes an array of up to ${shape.count} elements`);
        }
        for (const [i, element] of value.entries()) {
          write(element, into, offset + i * shape.element.size);
        }
      };
    }
    case 'float':
      return (value, into, offset) => {
        if (typeof value !== 'number') {
          throw new KscopeError('failed', `'${name}' takes a number`);
        }
        const view = new DataView(into.buffer, into.byteOffset + offset, shape.size);
        shape.size === 4 ? view.setFloat32(0, value, true) : view.setFloat64(0, value, true);
      };
    case 'bytes': {
      const { decode } = semantic;
      if (decode.from !== 'bytes') {
        throw new KscopeError('failed', `${semantic.name} cannot be written as bytes`);
      }
      return (value, into, offset) => {
        const bytes = decode.back(value, shape.size);
        if (bytes.length > shape.size) {
          throw new KscopeError('failed', `'${name}' takes up to ${shape.size} bytes`);
        }
        into.set(bytes, offset);
      };
    }
    case 'int':
    case 'bits': {
      const count = shape.kind === 'int' ? shape.size * 8 : shape.count;
      const first = shape.kind === 'int' ? 0 : shape.first;
      const lowest = shape.signed ? -(1n << BigInt(count - 1)) : 0n;
      const highest = (1n << BigInt(shape.signed ? count - 1 : count)) - 1n;
      return (value, into, offset) => {
        const number = integerOf(semantic, value, name, context);
        if (number < lowest || number > highest) {
          throw new KscopeError('failed', `'${name}' cannot hold ${number}`);
        }
        let rest = BigInt.asUintN(count, number) << BigInt(first);
        for (let i = offset; i < offset + schema.size; i++, rest >>= 8n) {
          const byte = Number(rest & 0xffn);
          // Bit fields share bytes, members of a union do not.
          into[i] = shape.kind === 'bits' ? (into[i] as number) | byte : byte;
        }
      };
    }
  }
}

function integerOf(semantic: SemanticType, value: unknown, name: string, context: DecodeContext): bigint {
  const { decode } = semantic;
  const raw =
    decode.from === 'number' && decode.back !== undefined
      ? decode.back(value, context)
      : decode.from !== 'number' && decode.from !== 'bytes' && decode.back !== undefined
        ? (decode.back as (value: unknown) => bigint)(value)
        : value;
  if (typeof raw === 'bigint') {
    return raw;
  }
  if (typeof raw !== 'number' || !Number.isInteger(raw)) {
    throw new KscopeError('failed', `'${name}' takes a whole number`);
  }
  return BigInt(raw);
}
