import {
  arrayOf,
  enumeration,
  objectSchema,
  plainBigint,
  plainBoolean,
  plainNumber,
  plainText,
  propertyTypescript,
  structOf,
} from '../model/derived-types.ts';
import { KscopeError } from '../model/errors.ts';
import { escapeText } from '../model/escape.ts';
import type { JsonSchema } from '../model/json.ts';
import { type SemanticType, semanticType } from '../model/types.ts';
import type { Btf } from './btf.ts';
import { type BtfMember, type BtfType, isTransparent } from './btf-kinds.ts';

/** How a value lies in memory; what it means is its semantic type's business. */
export type Shape =
  | { readonly kind: 'int'; readonly size: 1 | 2 | 4 | 8; readonly signed: boolean }
  | { readonly kind: 'float'; readonly size: 4 | 8 }
  /** A bit field: `count` bits from bit `first` of the byte at its offset, least significant first. */
  | { readonly kind: 'bits'; readonly first: number; readonly count: number; readonly signed: boolean }
  /** Handed to the semantic type as bytes. Size 0: a flexible array, up to the end of the record. */
  | { readonly kind: 'bytes'; readonly size: number }
  | { readonly kind: 'array'; readonly count: number; readonly element: ValueSchema }
  /** A structure or union; members of a union all begin at the same place. */
  | { readonly kind: 'struct'; readonly row: RowSchema };

/** A C type as a value: a map's key or value, a constant, an element. */
export interface ValueSchema {
  /** Bytes that it takes. */
  readonly size: number;
  /** Always there: a member without a semantic typedef has a plain type ('u32', 'bool', 'enum NAME' …). */
  readonly semantic: SemanticType;
  readonly shape: Shape;
}

export interface Field extends ValueSchema {
  readonly name: string;
  /** Bytes from the start of the record. */
  readonly offset: number;
  /** The value may be undefined; the property is there all the same. */
  readonly optional: boolean;
  /** The last member, of a kind that may end early: a record may be shorter than the structure. */
  readonly trailing: boolean;
}

/** A C structure as the type of a record. */
export interface RowSchema {
  /** The structure's tag; empty for an anonymous one. */
  readonly name: string;
  readonly size: number;
  /** The shortest record: `size`, or where the trailing field begins. */
  readonly fixedSize: number;
  /** Anonymous members are spread into it; members whose name begins with '_' (padding) are left out. */
  readonly fields: readonly Field[];
}

const identifier = /^[A-Za-z_][A-Za-z0-9_]*$/;
// Far above any record of ours; they keep hostile BTF from using up the memory.
const maxDepth = 16;
const maxMembers = 4096;
const maxSize = 1 << 24;

/** True for a name that may be written into generated code. */
export function isIdentifier(name: string): boolean {
  return identifier.test(name);
}

/** The schema of a structure. `id` may be a typedef of it. @throws KscopeError failed */
export function structSchema(btf: Btf, id: number): RowSchema {
  return new Builder(btf).row(id, 0);
}

/** The schema of any type that has a value: a scalar, an array or a structure. @throws KscopeError failed */
export function valueSchema(btf: Btf, id: number): ValueSchema {
  return new Builder(btf).value(id, 'value', 0);
}

class Builder {
  readonly #btf: Btf;
  #members = 0;

  constructor(btf: Btf) {
    this.#btf = btf;
  }

  row(id: number, depth: number): RowSchema {
    const type = this.#btf.resolve(id);
    if (type.kind !== 'struct' && type.kind !== 'union') {
      throw new KscopeError('failed', `BTF type ${id} is not a structure`);
    }
    const name = escapeText(type.name);
    if (type.size > maxSize) {
      throw new KscopeError('failed', `structure '${name}' is too large`);
    }
    const fields: Field[] = [];
    this.#collect(type.members, 0, type.size, name, depth, fields);
    const seen = new Set<string>();
    for (const field of fields) {
      if (seen.has(field.name)) {
        throw new KscopeError('failed', `structure '${name}' has two members named '${field.name}'`);
      }
      seen.add(field.name);
    }
    const last = fields.findIndex((field) => isTrailing(field, fields));
    const trailing = fields[last];
    if (trailing !== undefined) {
      fields[last] = { ...trailing, trailing: true };
    }
    for (const field of fields) {
      if (field.size === 0 && field !== fields[last]) {
        throw new KscopeError('failed', `'${name}.${field.name}' has no size`);
      }
    }
    return { name, size: type.size, fixedSize: trailing?.offset ?? type.size, fields };
  }

  value(id: number, what: string, depth: number): ValueSchema {
    const { type, meaning } = this.#meaning(id, what);
    if (meaning !== undefined && (type.kind === 'float' || type.kind === 'struct' || type.kind === 'union')) {
      throw unfit(what, meaning, type.kind === 'float' ? 'a floating-point number' : 'a structure');
    }
    switch (type.kind) {
      case 'int':
        return meaning === undefined
          ? plainInt(type, what)
          : scalar(meaning, intSize(type.size, what), type.signed, what);
      case 'enum':
      case 'enum64':
        return scalar(meaning ?? enumOf(type), intSize(type.size, what), type.signed, what);
      case 'ptr':
        return scalar(meaning ?? (semanticType('addr_t') as SemanticType), 8, false, what);
      case 'float':
        if (type.size !== 4 && type.size !== 8) {
          throw new KscopeError('failed', `'${what}' has an unsupported size of ${type.size} bytes`);
        }
        return {
          size: type.size,
          semantic: plainNumber(type.size === 4 ? 'float' : 'double', true, false),
          shape: { kind: 'float', size: type.size },
        };
      case 'array':
        return this.#array(type.element, type.count, meaning, what, depth);
      case 'struct':
      case 'union': {
        if (depth === maxDepth) {
          throw new KscopeError('failed', `'${what}' is nested too deep`);
        }
        const row = this.row(type.id, depth + 1);
        const semantic = structOf(`${type.kind} ${row.name}`, row.fields);
        return { size: row.size, semantic, shape: { kind: 'struct', row } };
      }
      default:
        throw new KscopeError('failed', `'${what}' has a type without a value (${type.kind})`);
    }
  }

  /** The type behind typedefs and qualifiers, and the outermost typedef on the way that means something. */
  #meaning(id: number, what: string): { type: BtfType; meaning: SemanticType | undefined } {
    let type = this.#btf.type(id);
    let meaning: SemanticType | undefined;
    for (let hops = 0; isTransparent(type); hops++) {
      if (hops === 64) {
        throw new KscopeError('failed', `BTF is damaged: the type of '${what}' refers to itself`);
      }
      if (type.kind === 'typedef') {
        meaning ??= semanticType(type.name);
      }
      type = this.#btf.type(type.type);
    }
    return { type, meaning };
  }

  #array(elementId: number, count: number, whole: SemanticType | undefined, what: string, depth: number): ValueSchema {
    if (depth === maxDepth) {
      throw new KscopeError('failed', `'${what}' is nested too deep`);
    }
    const { type, meaning: ofElement } = this.#meaning(elementId, what);
    if (type.kind === 'int' && type.size === 1 && !type.bool) {
      const meaning = whole ?? ofElement;
      const semantic = meaning ?? (type.char || type.name === 'char' ? plainText : undefined);
      if (semantic?.decode.from === 'bytes') {
        checkSize(semantic, semantic.decode.sizes, count, what);
        return { size: count, semantic, shape: { kind: 'bytes', size: count } };
      }
    }
    if (whole !== undefined) {
      throw unfit(what, whole, 'an array');
    }
    const element = this.value(elementId, what, depth + 1);
    const size = element.size * count;
    if (element.size === 0) {
      throw new KscopeError('failed', `'${what}' has elements without a size`);
    }
    if (size > maxSize) {
      throw new KscopeError('failed', `'${what}' is too large`);
    }
    return { size, semantic: arrayOf(element.semantic), shape: { kind: 'array', count, element } };
  }

  #collect(
    members: readonly BtfMember[],
    start: number,
    limit: number,
    owner: string,
    depth: number,
    out: Field[],
  ): void {
    if (depth > maxDepth) {
      throw new KscopeError('failed', `structure '${owner}' is nested too deep`);
    }
    for (const member of members) {
      if (++this.#members > maxMembers) {
        throw new KscopeError('failed', `structure '${owner}' has too many members`);
      }
      if (member.name === '') {
        const type = this.#btf.resolve(member.type);
        if (type.kind === 'struct' || type.kind === 'union') {
          const offset = start + member.bitOffset / 8;
          if (!Number.isInteger(offset)) {
            throw new KscopeError('failed', `structure '${owner}' has a member that is not at a byte`);
          }
          this.#collect(type.members, offset, limit, owner, depth + 1, out);
        }
        continue;
      }
      if (!isIdentifier(member.name)) {
        throw new KscopeError('failed', `structure '${owner}' has a member named '${escapeText(member.name)}'`);
      }
      if (member.name.startsWith('_')) {
        continue;
      }
      const field = this.#field(member, start, `${owner}.${member.name}`, depth);
      if (field.offset + field.size > limit) {
        throw new KscopeError('failed', `BTF is damaged: '${owner}.${member.name}' lies outside its structure`);
      }
      out.push(field);
    }
  }

  #field(member: BtfMember, start: number, what: string, depth: number): Field {
    const value = this.value(member.type, what, depth);
    const { name } = member;
    const type = this.#btf.resolve(member.type);
    // Old compilers say in the integer itself that it is a bit field.
    const narrow = type.kind === 'int' && type.bits !== 0 && (type.bits !== type.size * 8 || type.bitOffset !== 0);
    const bits = member.bits !== 0 ? member.bits : narrow ? type.bits : 0;
    const position = start * 8 + member.bitOffset + (narrow && member.bits === 0 ? type.bitOffset : 0);
    const optional = value.semantic.optional;
    if (bits !== 0) {
      if (value.shape.kind !== 'int' || bits > 64 || value.semantic.decode.from === 'bytes') {
        throw new KscopeError('failed', `'${what}' is a bit field of an unsupported type`);
      }
      const offset = Math.floor(position / 8);
      const first = position % 8;
      const semantic = narrowed(value.semantic, bits, value.shape.signed);
      const shape: Shape = { kind: 'bits', first, count: bits, signed: value.shape.signed };
      return { name, offset, size: Math.ceil((first + bits) / 8), semantic, shape, optional, trailing: false };
    }
    if (position % 8 !== 0) {
      throw new KscopeError('failed', `BTF is damaged: '${what}' is not at a byte`);
    }
    return { ...value, name, offset: position / 8, optional, trailing: false };
  }
}

/** Bit fields of a plain 64-bit type are numbers where a number can hold them. */
function narrowed(semantic: SemanticType, bits: number, signed: boolean): SemanticType {
  return semantic.decode.from === 'bigint' && semantic.decode.to === undefined && bits <= 53
    ? plainNumber(semantic.name, signed, true)
    : semantic;
}

function isTrailing(field: Field, fields: readonly Field[]): boolean {
  const { decode } = field.semantic;
  return (
    field.shape.kind === 'bytes' &&
    decode.from === 'bytes' &&
    decode.variable === true &&
    fields.every((other) => other === field || other.offset + other.size <= field.offset)
  );
}

function intSize(size: number, what: string): 1 | 2 | 4 | 8 {
  if (size !== 1 && size !== 2 && size !== 4 && size !== 8) {
    throw new KscopeError('failed', `'${what}' has an unsupported size of ${size} bytes`);
  }
  return size;
}

function checkSize(semantic: SemanticType, sizes: readonly number[] | undefined, size: number, what: string): void {
  if (sizes?.includes(size) === false) {
    throw unfit(what, semantic, `${size} bytes and not ${sizes.join(' or ')}`);
  }
}

function unfit(what: string, semantic: SemanticType, form: string): KscopeError {
  return new KscopeError('failed', `'${what}' cannot be of type ${semantic.name}: it is ${form}`);
}

function scalar(semantic: SemanticType, size: 1 | 2 | 4 | 8, signed: boolean, what: string): ValueSchema {
  if (semantic.decode.from !== 'bytes') {
    return { size, semantic, shape: { kind: 'int', size, signed } };
  }
  if (semantic.decode.sizes === undefined) {
    throw unfit(what, semantic, 'a number');
  }
  checkSize(semantic, semantic.decode.sizes, size, what);
  return { size, semantic, shape: { kind: 'bytes', size } };
}

function plainInt(type: BtfType & { readonly kind: 'int' }, what: string): ValueSchema {
  const size = intSize(type.size, what);
  const name = `${type.signed ? 's' : 'u'}${size * 8}`;
  const semantic: SemanticType = type.bool
    ? (plainBoolean as SemanticType)
    : ((size === 8 ? plainBigint(name, type.signed) : plainNumber(name, type.signed, true)) as SemanticType);
  return { size, semantic, shape: { kind: 'int', size, signed: type.signed } };
}

function enumOf(type: BtfType & { readonly kind: 'enum' | 'enum64' }): SemanticType {
  const names = new Map<bigint, string>();
  for (const { name, value } of type.values) {
    const key = BigInt(value);
    if (!names.has(key)) {
      names.set(key, name);
    }
  }
  return enumeration(`enum ${escapeText(type.name)}`.trimEnd(), names) as SemanticType;
}

/** The TypeScript type of what the decoder makes of it; a row has one line for each field, indented by `indent`. */
export function typescriptOf(schema: RowSchema | ValueSchema, indent = ''): string {
  if (!('fields' in schema)) {
    return schema.semantic.typescript;
  }
  const lines = schema.fields.map((field) => `${indent}  ${propertyTypescript(field)}\n`);
  return `{\n${lines.join('')}${indent}}`;
}

/** The JSON Schema of it as JSON output writes it. */
export function jsonSchemaOf(schema: RowSchema | ValueSchema): JsonSchema {
  return 'fields' in schema ? objectSchema(schema.fields) : schema.semantic.schema;
}
