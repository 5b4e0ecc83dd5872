/** The kinds of BTF by number; an unknown one (a newer kernel's, skipped by its layout table) is 'unknown'. */
export const btfKinds = [
  'void',
  'int',
  'ptr',
  'array',
  'struct',
  'union',
  'enum',
  'fwd',
  'typedef',
  'volatile',
  'const',
  'restrict',
  'func',
  'func_proto',
  'var',
  'datasec',
  'float',
  'decl_tag',
  'type_tag',
  'enum64',
] as const;

export type BtfKind = (typeof btfKinds)[number] | 'unknown';

interface Named<K extends BtfKind> {
  readonly kind: K;
  readonly id: number;
  /** Empty for an anonymous type. Not checked to be an identifier: it is input. */
  readonly name: string;
}

export interface BtfVoid extends Named<'void'> {}
export interface BtfInt extends Named<'int'> {
  readonly size: number;
  readonly signed: boolean;
  readonly char: boolean;
  readonly bool: boolean;
  /** Bits in use, from `bitOffset`; less than 8 * size only in old ways of writing bit fields. */
  readonly bits: number;
  readonly bitOffset: number;
}
/** A type that refers to one other type. */
export interface BtfReference extends Named<'ptr' | 'typedef' | 'volatile' | 'const' | 'restrict' | 'type_tag'> {
  readonly type: number;
}
export interface BtfArray extends Named<'array'> {
  readonly element: number;
  readonly index: number;
  readonly count: number;
}
export interface BtfMember {
  /** Empty for an anonymous structure or union, and for padding. */
  readonly name: string;
  readonly type: number;
  /** From the start of the structure, in bits. */
  readonly bitOffset: number;
  /** Width of a bit field, 0 for any other member. */
  readonly bits: number;
}
export interface BtfComposite extends Named<'struct' | 'union'> {
  readonly size: number;
  readonly members: readonly BtfMember[];
}
export interface BtfEnum extends Named<'enum'> {
  readonly size: number;
  readonly signed: boolean;
  readonly values: readonly { readonly name: string; readonly value: number }[];
}
export interface BtfEnum64 extends Named<'enum64'> {
  readonly size: number;
  readonly signed: boolean;
  readonly values: readonly { readonly name: string; readonly value: bigint }[];
}
export interface BtfForward extends Named<'fwd'> {
  readonly of: 'struct' | 'union';
}
export interface BtfFunction extends Named<'func'> {
  /** Its func_proto. */
  readonly type: number;
  readonly linkage: number;
}
export interface BtfPrototype extends Named<'func_proto'> {
  readonly returns: number;
  /** A last parameter without name and type 0 stands for '...'. */
  readonly parameters: readonly { readonly name: string; readonly type: number }[];
}
export interface BtfVariable extends Named<'var'> {
  readonly type: number;
  /** 0 static, 1 global, 2 extern. */
  readonly linkage: number;
}
export interface BtfDataSection extends Named<'datasec'> {
  readonly size: number;
  /** Offsets are 0 in an object that was not linked by libbpf: take them from the symbol table. */
  readonly variables: readonly { readonly type: number; readonly offset: number; readonly size: number }[];
}
export interface BtfFloat extends Named<'float'> {
  readonly size: number;
}
export interface BtfDeclTag extends Named<'decl_tag'> {
  readonly type: number;
  /** Which member or parameter is meant, -1 for the whole. */
  readonly component: number;
}
export interface BtfUnknown extends Named<'unknown'> {}

export type BtfType =
  | BtfVoid
  | BtfInt
  | BtfReference
  | BtfArray
  | BtfComposite
  | BtfEnum
  | BtfEnum64
  | BtfForward
  | BtfFunction
  | BtfPrototype
  | BtfVariable
  | BtfDataSection
  | BtfFloat
  | BtfDeclTag
  | BtfUnknown;

/** Ids of the types that a type is made of or refers to. */
export function referencesOf(type: BtfType): readonly number[] {
  switch (type.kind) {
    case 'array':
      return [type.element, type.index];
    case 'struct':
    case 'union':
      return type.members.map((member) => member.type);
    case 'func_proto':
      return [type.returns, ...type.parameters.map((parameter) => parameter.type)];
    case 'datasec':
      return type.variables.map((variable) => variable.type);
    default:
      return 'type' in type ? [type.type] : [];
  }
}

const transparent: ReadonlySet<string> = new Set(['typedef', 'volatile', 'const', 'restrict', 'type_tag']);

/** True for a type that only names or qualifies another one. */
export function isTransparent(type: BtfType): type is BtfReference {
  return transparent.has(type.kind);
}
