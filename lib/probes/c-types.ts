import type { Width } from './assembler.ts';
import { nearestNames, type Span, specificationError } from './specification-error.ts';
import type { TypeName } from './syntax.ts';

/** The types that values of traced code have, wherever they are known from. */
export type CType = NumberType | PointerType | ArrayType | StructureType | OpaqueType;

export interface NumberType {
  readonly is: 'number';
  readonly name: string;
  readonly size: 1 | 2 | 4 | 8;
  readonly signed: boolean;
  /** A letter: an array of those is a text. */
  readonly letter?: boolean;
  /** Nothing is known about it: a register, of which a format says how much counts. */
  readonly register?: boolean;
  /** Names of values, of an enumeration. */
  readonly names?: () => ReadonlyMap<bigint, string>;
}
export interface PointerType {
  readonly is: 'pointer';
  readonly target: () => CType;
}
export interface ArrayType {
  readonly is: 'array';
  readonly element: () => CType;
  readonly count: number;
}
export interface StructureType {
  readonly is: 'structure';
  /** 'struct sock'. */
  readonly name: string;
  readonly size: number;
  /** Members of anonymous ones inside included. */
  readonly member: (name: string) => Member | undefined;
  readonly names: () => Iterable<string>;
}
/** void, a function, or what is only declared: there is nothing to read. */
export interface OpaqueType {
  readonly is: 'opaque';
  readonly name: string;
}
export interface Member {
  readonly type: CType;
  readonly bitOffset: number;
  /** Of a bit field, otherwise 0. */
  readonly bits: number;
}

/** A register whose type nobody told. */
export const register: NumberType = { is: 'number', name: 'register', size: 8, signed: false, register: true };
export const u64 = number('u64', 8, false);
export const s64 = number('s64', 8, true);
export const u32 = number('u32', 4, false);
export const letter: NumberType = { ...number('char', 1, true), letter: true };
export const nothing: OpaqueType = { is: 'opaque', name: 'void' };

export function number(name: string, size: 1 | 2 | 4 | 8, signed: boolean): NumberType {
  return { is: 'number', name, size, signed };
}

export function pointerTo(target: CType): PointerType {
  return { is: 'pointer', target: () => target };
}

/** How a type is written in messages. */
export function nameOf(type: CType): string {
  switch (type.is) {
    case 'pointer': {
      const target = nameOf(type.target());
      return `${target}${target.endsWith('*') ? '' : ' '}*`;
    }
    case 'array':
      return `${nameOf(type.element())}[${type.count}]`;
    default:
      return type.name;
  }
}

/** Bytes that a value takes; 0 where that is not known. */
export function sizeOf(type: CType): number {
  switch (type.is) {
    case 'pointer':
      return 8;
    case 'array':
      return sizeOf(type.element()) * type.count;
    case 'opaque':
      return 0;
    default:
      return type.size;
  }
}

/** Whether there is a text where it points, or in it. */
export function isText(type: CType): boolean {
  const inner = type.is === 'pointer' ? type.target() : type.is === 'array' ? type.element() : undefined;
  return inner?.is === 'number' && inner.size === 1;
}

export type TypeKind = 'struct' | 'union' | 'enum' | 'typedef';

/** Finds types that are not the same everywhere. */
export interface FindType {
  (kind: TypeKind, name: string): CType | undefined;
  /** What it finds, for those who named something else. */
  readonly names?: (kind: TypeKind) => Iterable<string>;
}

const plain: Readonly<Record<string, readonly [Width, boolean]>> = {
  ...{ bool: [1, false], _Bool: [1, false], size_t: [8, false], ssize_t: [8, true], uintptr_t: [8, false] },
  ...{ intptr_t: [8, true], pid_t: [4, true], uid_t: [4, false], gid_t: [4, false], off_t: [8, true] },
  ...{ loff_t: [8, true], mode_t: [4, false], umode_t: [2, false], time_t: [8, true] },
};
const sized = /^(?:__)?(?:([us])|(u)?int)(8|16|32|64)(?:_t)?$/;

/** The type that a name stands for. @throws KscopeError usage for an unknown one */
export function typeNamed(text: string, name: TypeName, find: FindType): CType {
  let type = wordsType(text, name, name.words, find);
  for (let i = 0; i < name.pointers; i++) {
    type = pointerTo(type);
  }
  return type;
}

function wordsType(text: string, span: Span, words: readonly string[], find: FindType): CType {
  const [first = '', second = ''] = words;
  const written = words.join(' ');
  if (first === 'struct' || first === 'union' || first === 'enum') {
    // Where nothing is known about it, a pointer to it is still a pointer.
    return find(first, second) ?? { is: 'opaque', name: written };
  }
  if (first === 'void') {
    return nothing;
  }
  const type = numberNamed(words) ?? (words.length === 1 ? find('typedef', first) : undefined);
  if (type === undefined) {
    const names = [
      ...Object.keys(plain),
      ...'char',
      'int',
      'long',
      'short',
      'unsigned',
      'u8',
      'u16',
      'u32',
      'u64',
      ...(find.names?.('typedef') ?? []),
    ];
    const near = nearestNames('did you mean', written, names);
    throw specificationError(text, span, `there is no type '${written}'`, near, isStructure(find, written));
  }
  return type;
}

/** In C, the name of a structure is none of a type. */
function isStructure(find: FindType, name: string): string {
  const kind = (['struct', 'union', 'enum'] as const).find((one) => find(one, name) !== undefined);
  return kind === undefined ? '' : `write ${kind} ${name}`;
}

/** A hint with the names that are near to 'struct NAME', of which nothing is known. */
export function nearestTypes(find: FindType, name: string): string {
  const [kind = '', wanted = ''] = name.split(' ');
  return kind === 'struct' || kind === 'union' || kind === 'enum'
    ? nearestNames(`did you mean ${kind}`, wanted, find.names?.(kind) ?? [])
    : '';
}

/** The type of whole numbers with a name that means the same everywhere; undefined for other names. */
export function numberNamed(words: readonly string[]): NumberType | undefined {
  const [first = ''] = words;
  const written = words.join(' ');
  if (words.includes('char')) {
    return { ...number(written, 1, !words.includes('unsigned')), letter: true };
  }
  if (words.every((word) => /^(unsigned|signed|short|int|long)$/.test(word))) {
    const size = words.includes('short') ? 2 : words.includes('long') ? 8 : 4;
    return number(written, size, !words.includes('unsigned'));
  }
  if (words.length > 1) {
    return undefined;
  }
  const known = Object.hasOwn(plain, first) ? plain[first] : undefined;
  if (known !== undefined) {
    return number(first, ...known);
  }
  const [, letterOf, unsigned, bits] = sized.exec(first) ?? [];
  return bits === undefined
    ? undefined
    : number(first, (Number(bits) / 8) as Width, letterOf === 's' || (letterOf ?? unsigned) === undefined);
}
