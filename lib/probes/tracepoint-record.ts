import {
  type CType,
  letter,
  type Member,
  type NumberType,
  nothing,
  number,
  numberNamed,
  pointerTo,
  type StructureType,
} from './c-types.ts';
import type { TracepointField } from './tracepoint-format.ts';

/** A field whose place and length are in the record: 'lower half: where it begins; upper half: how long it is'. */
export interface DynamicField {
  /** Where the word with both is. */
  readonly offset: number;
  /** Counted from behind that word, and not from the beginning of the record. */
  readonly relative: boolean;
  readonly element: CType;
}

/** What a tracepoint records, as values are evaluated with it. */
export interface TracepointRecord {
  readonly record: StructureType;
  readonly dynamic: ReadonlyMap<string, DynamicField>;
  readonly names: readonly string[];
}

/** @param name of the tracepoint: 'sched:sched_switch' */
export function tracepointRecord(fields: readonly TracepointField[], name: string): TracepointRecord {
  const members = new Map<string, Member>();
  const dynamic = new Map<string, DynamicField>();
  for (const { name: field, type: declared, offset, size, signed } of fields) {
    const [, type = '', count] = /^(.*?)\s*(?:\[(\d*)\])?$/s.exec(declared) ?? [];
    const [, relative, element] = /^__(rel_)?(?:data_)?loc (.*)$/.exec(type) ?? [];
    if (element !== undefined) {
      dynamic.set(field, { offset, relative: relative !== undefined, element: typeOf(element, 1, signed) });
    } else {
      members.set(field, { type: memberType(type, count, size, signed), bitOffset: offset * 8, bits: 0 });
    }
  }
  const names = [...members.keys(), ...dynamic.keys()];
  const record: StructureType = {
    is: 'structure',
    name: `tracepoint ${name}`,
    size: 0,
    member: (wanted) => members.get(wanted),
    names: () => names,
  };
  return { record, dynamic, names };
}

function memberType(type: string, count: string | undefined, size: number, signed: boolean): CType {
  if (count === undefined) {
    return typeOf(type, size, signed);
  }
  const elements = count === '' ? 0 : Number(count);
  const element = typeOf(type, elements === 0 ? 1 : size / elements, signed);
  return { is: 'array', element: () => element, count: elements };
}

function typeOf(type: string, size: number, signed: boolean): CType {
  const plain = type.replace(/\b(const|volatile|__user|struct|enum)\b/g, ' ').trim();
  if (plain.endsWith('*')) {
    return pointerTo(/^(unsigned )?char \*$/.test(plain.replace(/\s+/g, ' ')) ? letter : nothing);
  }
  if (/^(unsigned |signed )?char$/.test(plain)) {
    return letter;
  }
  // Arguments of system calls are described with the size of a register.
  const declared = numberNamed(plain.split(/\s+/));
  if (declared !== undefined && declared.size < size) {
    return declared;
  }
  return size === 1 || size === 2 || size === 4 || size === 8
    ? (number(plain, size, signed) satisfies NumberType)
    : { is: 'opaque', name: plain };
}
