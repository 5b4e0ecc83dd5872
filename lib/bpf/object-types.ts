import { KscopeError } from '../model/errors.ts';
import { escapeText } from '../model/escape.ts';
import { Btf } from './btf.ts';
import type { BtfType, BtfVariable } from './btf-kinds.ts';
import { type Elf, parseElf } from './elf.ts';
import { isIdentifier, structSchema, typescriptOf, valueSchema } from './schema.ts';

/** What an object file declares, as TypeScript. */
export interface ObjectTypes {
  /** Declarations of the structures on ring buffers, and empty lines between them. */
  readonly records: readonly string[];
  /** The members of a `SkeletonTypes`, without its braces. */
  readonly members: string;
  /** Ring buffers of which no marker says what is on them: their records are bytes. */
  readonly untypedRings: readonly string[];
}

/**
 * Reads the types from the BTF of an object. @param source names it in errors
 * @throws KscopeError failed, when it has no BTF or contradicts itself
 */
export function objectTypes(bytes: Uint8Array, source: string): ObjectTypes {
  const elf = parseElf(bytes, source);
  const section = elf.section('.BTF');
  if (section === undefined) {
    throw new KscopeError('failed', `${source} has no BTF`);
  }
  const btf = Btf.parse(section.bytes);
  btf.check();
  const maps = globals(btf, '.maps').map((variable) => mapOf(btf, variable));
  const rings = maps.filter((map) => map.ring);
  const records = ringRecords(btf, source);
  // Iterators write to whoever reads them.
  const iterates = elf.sections.some((one) => one.name.startsWith('iter/'));
  for (const name of records.keys()) {
    if (!iterates && !rings.some((ring) => ring.name === name)) {
      throw new KscopeError('failed', `${source} has records for ring buffer '${name}', which does not exist`);
    }
  }
  const untypedRings = rings.map(({ name }) => checked(name, source)).filter((name) => !records.has(name));
  const tags = new Map<string, string>();
  for (const { tag, text } of records.values()) {
    tags.set(tag, text);
  }
  const members = [
    group('events', [
      ...Array.from(records, ([ring, { tag }]) => [ring, tag] as const),
      ...untypedRings.map((ring) => [ring, 'Uint8Array'] as const),
    ]),
    group(
      'rodata',
      globals(btf, '.rodata').map((variable) => [checked(variable.name, source), typeOf(btf, variable.type)]),
    ),
    group(
      'maps',
      maps
        .filter((map) => !map.ring)
        .map((map) => [checked(map.name, source), `{ key: ${map.key}; value: ${map.value} }`]),
    ),
    `  programs: ${union(programNames(elf).map((name) => checked(name, source)))};`,
  ].join('\n');
  return {
    records: Array.from(tags, ([tag, text]) => [`export type ${tag} = ${text};`, '']).flat(),
    members,
    untypedRings,
  };
}

function group(name: string, members: readonly (readonly [string, string])[]): string {
  const lines = members.map(([member, type]) => `    ${member}: ${type.replaceAll('\n', '\n    ')};\n`);
  // A type without members would accept any: it must be one that nothing can be looked up in.
  return lines.length === 0 ? `  ${name}: Record<never, never>;` : `  ${name}: {\n${lines.join('')}  };`;
}

function union(names: readonly string[]): string {
  return names.length === 0 ? 'never' : names.map((name) => `'${name}'`).join(' | ');
}

interface MapTypes {
  readonly name: string;
  readonly ring: boolean;
  readonly key: string;
  readonly value: string;
}

const ringBuffer = 27;

/** A map is a variable whose structure has a member for each property: numbers as array lengths, types as pointers. */
function mapOf(btf: Btf, variable: BtfVariable): MapTypes {
  const members = new Map(btf.members(variable.type).map((member) => [member.name, member.type]));
  const number = (name: string) => {
    const pointer = members.get(name);
    const array = pointer === undefined ? undefined : pointedAt(btf, pointer);
    return array?.kind === 'array' ? array.count : undefined;
  };
  const type = (name: string) => {
    const pointer = members.get(name);
    const target = pointer === undefined ? undefined : btf.resolve(pointer);
    return target?.kind === 'ptr' ? typeOf(btf, target.type) : 'Uint8Array';
  };
  return { name: variable.name, ring: number('type') === ringBuffer, key: type('key'), value: type('value') };
}

function pointedAt(btf: Btf, id: number): BtfType | undefined {
  const pointer = btf.resolve(id);
  return pointer.kind === 'ptr' ? btf.resolve(pointer.type) : undefined;
}

/** By ring buffer: the markers that keep the structure of its records in BTF. */
function ringRecords(btf: Btf, source: string): Map<string, { readonly tag: string; readonly text: string }> {
  const records = new Map<string, { tag: string; text: string }>();
  for (const { name, type } of globals(btf, '.types')) {
    const ring = checked(name, source).replace(/_record$/, '');
    const struct = pointedAt(btf, type);
    if (ring === name || struct?.kind !== 'struct') {
      continue;
    }
    const tag = checked(struct.name, source);
    records.set(ring, { tag, text: typescriptOf(structSchema(btf, struct.id)) });
  }
  return records;
}

/** Variables of a section that other files could see: what the compiler puts there for itself is static. */
function globals(btf: Btf, sectionName: string): readonly BtfVariable[] {
  const section = btf.findByName(sectionName, 'datasec');
  const variables = section?.kind === 'datasec' ? section.variables : [];
  return variables
    .map(({ type }) => btf.type(type))
    .filter((type) => type.kind === 'var' && type.linkage === 1) as BtfVariable[];
}

function typeOf(btf: Btf, id: number): string {
  return typescriptOf(valueSchema(btf, id));
}

const executable = 0x4;
const functionSymbol = 2;
const globalSymbol = 1;

/** Functions outside .text: that one has what is called from programs. */
function programNames(elf: Elf): readonly string[] {
  return elf
    .symbols()
    .filter(({ type, binding, section }) => {
      const { name = '.text', flags = 0 } = elf.sections[section] ?? {};
      return type === functionSymbol && binding === globalSymbol && name !== '.text' && (flags & executable) !== 0;
    })
    .map(({ name }) => name)
    .sort();
}

/** Words of TypeScript that cannot name a type, though C has no objection. */
const reserved =
  /^(any|bigint|boolean|never|null|number|object|string|symbol|undefined|unknown|void|class|enum|export|import|type|interface|skeleton)$/;

/** Names become code: anything but an identifier would be executed. */
function checked(name: string, source: string): string {
  if (!isIdentifier(name) || reserved.test(name)) {
    throw new KscopeError('failed', `${source} uses the name '${escapeText(name)}', which TypeScript cannot`);
  }
  return name;
}
