import { KscopeError } from '../model/errors.ts';
import { Btf } from './btf.ts';
import { type Elf, parseElf } from './elf.ts';
import type { MapSchemas } from './map.ts';
import { type RowSchema, structSchema, type ValueSchema, valueSchema } from './schema.ts';

/** A global variable of an object. */
export interface VariableSpec extends ValueSchema {
  readonly name: string;
  /** '.rodata', '.data' or '.bss'. */
  readonly section: string;
  /** Bytes from the start of the section. */
  readonly offset: number;
}

/**
 * What an object file declares, read without libbpf and without privileges: the same on every machine. A `ring` is
 * known by its marker, `const struct T *const RING_record` in section .types.
 */
export interface ObjectSpec {
  readonly records: ReadonlyMap<string, RowSchema>;
  readonly variables: ReadonlyMap<string, VariableSpec>;
  readonly maps: ReadonlyMap<string, MapSchemas>;
  readonly programs: readonly ProgramSpec[];
}

/** A program and the section that says where it belongs: 'tp_btf/sched_process_exec'. */
export interface ProgramSpec {
  readonly name: string;
  readonly section: string;
}

const ALLOCATED = 0x2;
/** No program needs more, and a damaged size makes the kernel clear gigabytes. */
const MAX_SECTION = 64 * 2 ** 20;
const MARKER = /^(.+)_record$/;

/** @param what names the object in errors. @throws KscopeError failed */
export function readObjectSpec(bytes: Uint8Array, what: string): ObjectSpec {
  const elf = parseElf(bytes, what);
  const huge = elf.sections.find(({ flags, size }) => (flags & ALLOCATED) !== 0 && size > MAX_SECTION);
  if (huge !== undefined) {
    throw new KscopeError('failed', `${what} is damaged: its section ${huge.name} has ${huge.size} bytes`);
  }
  const section = elf.section('.BTF');
  const records = new Map<string, RowSchema>();
  const variables = new Map<string, VariableSpec>();
  const maps = new Map<string, MapSchemas>();
  const programs = programsOf(elf);
  if (section === undefined) {
    return { records, variables, maps, programs };
  }
  const btf = Btf.parse(section.bytes);
  btf.check();
  const offsets = new Map(elf.symbols().map((symbol) => [`${symbol.section}:${symbol.name}`, symbol.value]));
  for (const { section: name, variable, type } of variablesOf(btf)) {
    if (name === '.types') {
      const ring = MARKER.exec(variable)?.[1];
      const pointer = btf.resolve(type);
      if (ring !== undefined && pointer.kind === 'ptr') {
        records.set(ring, structSchema(btf, pointer.type));
      }
    } else if (name === '.maps') {
      maps.set(variable, mapSchemas(btf, type));
    } else if (/^\.(rodata|data|bss)$/.test(name)) {
      const offset = offsets.get(`${sectionIndex(elf, name)}:${variable}`);
      if (offset !== undefined) {
        variables.set(variable, { ...valueSchema(btf, type), name: variable, section: name, offset });
      }
    }
  }
  return { records, variables, maps, programs };
}

const EXECUTABLE = 0x4;
const FUNCTION = 2;
const GLOBAL = 1;

/** Global functions outside .text, which has what programs call. */
function programsOf(elf: Elf): ProgramSpec[] {
  return elf.symbols().flatMap(({ name, type, binding, section }) => {
    const home = elf.sections[section];
    return home !== undefined &&
      type === FUNCTION &&
      binding === GLOBAL &&
      home.name !== '.text' &&
      (home.flags & EXECUTABLE) !== 0
      ? [{ name, section: home.name }]
      : [];
  });
}

function sectionIndex(elf: Elf, name: string): number {
  return elf.section(name)?.index ?? -1;
}

function* variablesOf(btf: Btf): Generator<{ section: string; variable: string; type: number }> {
  for (let id = btf.firstId; id < btf.endId; id++) {
    const section = btf.kind(id) === 'datasec' ? btf.type(id) : undefined;
    if (section?.kind === 'datasec') {
      for (const entry of section.variables) {
        const variable = btf.type(entry.type);
        if (variable.kind === 'var') {
          yield { section: section.name, variable: variable.name, type: variable.type };
        }
      }
    }
  }
}

/** Key and value of a map declared with __type(key, K) and __type(value, V): members that point to them. */
function mapSchemas(btf: Btf, id: number): MapSchemas {
  const definition = btf.resolve(id);
  if (definition.kind !== 'struct') {
    throw new KscopeError('failed', 'a map is not declared as a structure');
  }
  const schemaOf = (name: string): ValueSchema | undefined => {
    const member = definition.members.find((candidate) => candidate.name === name);
    const pointer = member === undefined ? undefined : btf.resolve(member.type);
    return pointer?.kind === 'ptr' ? valueSchema(btf, pointer.type) : undefined;
  };
  return { key: schemaOf('key'), value: schemaOf('value') };
}
