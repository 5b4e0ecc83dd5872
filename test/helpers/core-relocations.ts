import type { Btf } from '../../lib/bpf/btf.ts';
import type { BtfType } from '../../lib/bpf/btf-kinds.ts';
import type { Elf } from '../../lib/bpf/elf.ts';

/** The kinds of relocations by number, as the kernel's interface defines them. */
const kinds = [
  'field_offset',
  'field_size',
  'field_exists',
  'field_signed',
  'field_lshift',
  'field_rshift',
  'type_id_local',
  'type_id_target',
  'type_exists',
  'type_size',
  'value_exists',
  'value',
  'type_matches',
] as const;

export type RelocationKind = (typeof kinds)[number];

/** One place in the code of an object that depends on the types of the kernel. */
export interface CoreRelocation {
  /** Name of the section of the code. */
  readonly section: string;
  /** Of the instruction, in bytes from the start of the section. */
  readonly offset: number;
  readonly kind: RelocationKind;
  /** Of the object's BTF. */
  readonly type: number;
  /** Which member: '0:1:2'. */
  readonly access: string;
}

/** Reads the relocations out of section .BTF.ext of an object file. */
export function coreRelocations(elf: Elf): CoreRelocation[] {
  const strings = namesOf(elf.section('.BTF')?.bytes ?? new Uint8Array());
  const bytes = elf.section('.BTF.ext')?.bytes ?? new Uint8Array();
  // An object without programs has no such section.
  if (bytes.length === 0) return [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = view.getUint32(4, true);
  // The header is longer in objects with such relocations.
  if (start < 32) return [];
  const out: CoreRelocation[] = [];
  let at = start + view.getUint32(24, true);
  const end = at + view.getUint32(28, true);
  const size = at < end ? view.getUint32(at, true) : 0;
  at += 4;
  while (at < end) {
    const section = strings(view.getUint32(at, true));
    const count = view.getUint32(at + 4, true);
    at += 8;
    for (let i = 0; i < count; i++, at += size) {
      const kind = kinds[view.getUint32(at + 12, true)];
      if (kind === undefined) throw new Error(`${section}: a relocation of unknown kind`);
      out.push({
        ...{ section, kind, offset: view.getUint32(at, true) },
        ...{ type: view.getUint32(at + 4, true), access: strings(view.getUint32(at + 8, true)) },
      });
    }
  }
  return out;
}

function namesOf(btf: Uint8Array): (offset: number) => string {
  const view = new DataView(btf.buffer, btf.byteOffset, btf.byteLength);
  const names = Buffer.from(btf.buffer, btf.byteOffset + view.getUint32(4, true) + view.getUint32(16, true));
  return (offset) => names.toString('utf8', offset, names.indexOf(0, offset));
}

/** A type, and the BTF that knows the types in it: the kernel's own, or that of a module. */
interface Found {
  readonly btf: Btf;
  readonly type: BtfType;
}

interface Place {
  readonly btf: Btf;
  readonly id: number;
}

/** The structures, unions and enumerations of a kernel and its modules by name: a name may stand for several. */
export class KernelTypes {
  readonly btf: Btf;
  readonly #absent: string | undefined;
  readonly #modules: () => Iterable<Btf>;
  readonly #own: ReadonlyMap<string, readonly Place[]>;
  #ofModules: ReadonlyMap<string, readonly Place[]> | undefined;

  /** @param absent the name of a type to be taken as missing */
  constructor(btf: Btf, modules: () => Iterable<Btf> = () => [], absent?: string) {
    this.btf = btf;
    this.#absent = absent;
    this.#modules = modules;
    this.#own = typesByName([btf]);
  }

  /** The same as if they did not have a type. */
  without(absent: string): KernelTypes {
    return new KernelTypes(this.btf, this.#modules, absent);
  }

  /**
   * Those that a name stands for; anonymous ones are known by their typedef alone. Those of modules count where the kernel
   * has none, as they do when an object is loaded.
   */
  named(name: string): readonly Found[] {
    if (name === this.#absent) return [];
    return (this.#own.get(name) ?? this.#inModules(name)).map(({ btf, id }) => ({ btf, type: btf.resolve(id) }));
  }

  #inModules(name: string): readonly Place[] {
    this.#ofModules ??= typesByName(this.#modules());
    return this.#ofModules.get(name) ?? [];
  }
}

function typesByName(all: Iterable<Btf>): ReadonlyMap<string, readonly Place[]> {
  const kinds: ReadonlySet<string> = new Set(['struct', 'union', 'enum', 'enum64', 'typedef']);
  const found = new Map<string, Place[]>();
  for (const btf of all) {
    for (let id = btf.firstId; id < btf.endId; id++) {
      if (!kinds.has(btf.kind(id))) continue;
      const one = { btf, id };
      const name = btf.name(id);
      const others = found.get(name);
      if (others === undefined) found.set(name, [one]);
      else others.push(one);
    }
  }
  return found;
}

/** What a relocation is about, in words: 'task_struct.mm', 'enum bpf_func_id.BPF_FUNC_task_pt_regs'. */
export function describeRelocation(local: Btf, { type, access, kind }: CoreRelocation): string {
  const { name, path } = accessed(local, type, access, kind);
  return [name, ...path].join('.');
}

/** Whether the kernel has what a relocation asks for. */
export function resolves(local: Btf, kernel: KernelTypes, relocation: CoreRelocation): boolean {
  const { kind, type, access } = relocation;
  if (kind === 'type_id_local') return true;
  const { name, path } = accessed(local, type, access, kind);
  const found = kernel.named(name);
  if (kind.startsWith('type')) return found.length > 0;
  const [first = ''] = path;
  if (kind.startsWith('value')) {
    return found.some(
      ({ type: one }) => 'values' in one && one.values.some((value) => essential(value.name) === first),
    );
  }
  return found.some(({ btf, type: one }) => path.length === 0 || hasPath(btf, one, path));
}

interface Accessed {
  readonly name: string;
  /** Names of members, without those of anonymous structures and indices of arrays. */
  readonly path: readonly string[];
}

function accessed(local: Btf, type: number, access: string, kind: RelocationKind): Accessed {
  const root = local.resolve(type);
  const name = essential(root.name || local.name(type));
  const [, ...indices] = access.split(':').map(Number);
  if (kind.startsWith('value')) {
    const value = 'values' in root ? root.values[Number(access)] : undefined;
    return { name, path: [essential(value?.name ?? '?')] };
  }
  const path: string[] = [];
  let current = root;
  for (const index of kind.startsWith('type') ? [] : indices) {
    if (current.kind === 'array') {
      current = local.resolve(current.element);
      continue;
    }
    const member = local.members(current.id)[index];
    if (member === undefined) throw new Error(`${name} has no member ${index}`);
    if (member.name !== '') path.push(member.name);
    current = local.resolve(member.type);
  }
  return { name, path };
}

function hasPath(kernel: Btf, type: BtfType, path: readonly string[]): boolean {
  const [first, ...rest] = path;
  if (first === undefined) return true;
  let inner = type;
  while (inner.kind === 'array') inner = kernel.resolve(inner.element);
  if (inner.kind !== 'struct' && inner.kind !== 'union') return false;
  return inner.members.some((member) => {
    const target = kernel.resolve(member.type);
    if (member.name === first) return hasPath(kernel, target, rest);
    return member.name === '' && hasPath(kernel, target, path);
  });
}

/** 'request___old' stands for an older request. */
function essential(name: string): string {
  return name.replace(/___.*$/, '');
}
