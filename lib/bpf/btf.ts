import { KscopeError } from '../model/errors.ts';
import { type BtfKind, type BtfMember, type BtfType, btfKinds, isTransparent, referencesOf } from './btf-kinds.ts';
import { damaged, hashName, kindOf, placesOfTypes, vlenOf } from './btf-layout.ts';
import { firstNamed, indexNames, type NameIndex, type NameTable, placesOfName } from './btf-search.ts';

const littleMagic = 0xeb9f;
const bigMagic = 0x9feb;
const headerSize = 24;
// A C declaration nests far less; more is a loop.
const maxDepth = 64;
// An index of all names takes as long as so many searches.
const searchesMax = 8;

/**
 * The type information of an object file or a kernel. `parse` only notes where each type begins; a type becomes an
 * object when it is asked for. All checks against damage end in a KscopeError with code 'failed'.
 */
export class Btf {
  /** Id of the first type that is not in the base: 1 without a base. */
  readonly firstId: number;
  /** One more than the last id. */
  readonly endId: number;
  readonly #base: Btf | undefined;
  readonly #types: DataView;
  /** Where each type begins in #types, by id - firstId. */
  readonly #offsets: Uint32Array;
  readonly #strings: Buffer;
  readonly #stringsStart: number;
  readonly #cache = new Map<number, BtfType>();
  #searches = 0;
  #names: NameIndex | undefined;

  private constructor(base: Btf | undefined, types: DataView, offsets: Uint32Array, strings: Buffer) {
    this.#base = base;
    this.#types = types;
    this.#offsets = offsets;
    this.#strings = strings;
    this.#stringsStart = base === undefined ? 0 : base.#stringsStart + base.#strings.length;
    this.firstId = base === undefined ? 1 : base.endId;
    this.endId = this.firstId + offsets.length;
  }

  /**
   * Reads the contents of a .BTF section or of a file in /sys/kernel/btf. The bytes are kept, not copied.
   * `base` is the BTF of vmlinux for a module's. @throws KscopeError failed
   */
  static parse(bytes: Uint8Array, base?: Btf): Btf {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (bytes.length < headerSize) {
      throw damaged('it ends inside the header');
    }
    const magic = view.getUint16(0, true);
    if (magic === bigMagic) {
      throw new KscopeError('failed', 'BTF is big-endian, which is not supported');
    }
    if (magic !== littleMagic) {
      throw damaged('it does not begin with the magic number');
    }
    if (view.getUint8(2) !== 1) {
      throw new KscopeError('failed', `BTF version ${view.getUint8(2)} is not supported`);
    }
    const start = view.getUint32(4, true);
    const section = (at: number, what: string): { offset: number; size: number } => {
      const offset = start + view.getUint32(at, true);
      const size = view.getUint32(at + 4, true);
      if (start < headerSize || offset + size > bytes.length) {
        throw damaged(`the ${what} are beyond its end`);
      }
      return { offset, size };
    };
    const types = section(8, 'types');
    const strings = section(16, 'names');
    // Newer kernels say how long the kinds are, so that a reader can skip those that it does not know.
    const layout = start >= headerSize + 8 && bytes.length >= headerSize + 8 ? section(24, 'layouts') : undefined;
    const stringBytes = Buffer.from(bytes.buffer, bytes.byteOffset + strings.offset, strings.size);
    if (base === undefined && stringBytes[0] !== 0) {
      throw damaged('the names do not begin with an empty one');
    }
    if (stringBytes.length > 0 && stringBytes.at(-1) !== 0) {
      throw damaged('the last name does not end');
    }
    const typeView = new DataView(bytes.buffer, bytes.byteOffset + types.offset, types.size);
    const layoutView =
      layout === undefined ? undefined : new DataView(bytes.buffer, bytes.byteOffset + layout.offset, layout.size);
    return new Btf(base, typeView, placesOfTypes(typeView, layoutView), stringBytes);
  }

  /** The kind of a type, without making an object of it. @throws KscopeError failed for an id that does not exist */
  kind(id: number): BtfKind {
    if (id === 0) {
      return 'void';
    }
    return btfKinds[kindOf(this.#owner(id).#info(id))] ?? 'unknown';
  }

  /** The name of a type, without making an object of it; empty for an anonymous one. */
  name(id: number): string {
    return id === 0 ? '' : this.#string(this.#owner(id).#nameOffset(id));
  }

  /** @throws KscopeError failed for an id that does not exist */
  type(id: number): BtfType {
    const cached = this.#cache.get(id);
    if (cached !== undefined) {
      return cached;
    }
    const type: BtfType = id === 0 ? { kind: 'void', id, name: '' } : this.#owner(id).#read(id);
    this.#cache.set(id, type);
    return type;
  }

  /** The type of that name and kind; the base's first. */
  findByName<K extends BtfKind>(name: string, kind: K): (BtfType & { readonly kind: K }) | undefined {
    const id = this.#find(Buffer.from(name, 'utf8'), kind);
    return id === undefined ? undefined : (this.type(id) as BtfType & { readonly kind: K });
  }

  /** Ids of all types of a kind, the base's included. */
  *idsOfKind(kind: BtfKind): Generator<number> {
    for (let id = 1; id < this.endId; id++) {
      if (this.kind(id) === kind) {
        yield id;
      }
    }
  }

  /** The type behind typedefs, qualifiers and type tags. @throws KscopeError failed for a loop */
  resolve(id: number): BtfType {
    let type = this.type(id);
    for (let depth = 0; isTransparent(type); depth++) {
      if (depth === maxDepth) {
        throw damaged(`type ${id} refers to itself`);
      }
      type = this.type(type.type);
    }
    return type;
  }

  /** The name that a type is called by: that of its first typedef, or its own; qualifiers have none. */
  spelling(id: number): string {
    let type = this.type(id);
    for (let depth = 0; isTransparent(type) && (type.name === '' || type.kind === 'type_tag'); depth++) {
      if (depth === maxDepth) {
        throw damaged(`type ${id} refers to itself`);
      }
      type = this.type(type.type);
    }
    return type.name;
  }

  /** Members of the structure or union behind `id`. @throws KscopeError failed for another kind */
  members(id: number): readonly BtfMember[] {
    const type = this.resolve(id);
    if (type.kind !== 'struct' && type.kind !== 'union') {
      throw new KscopeError('failed', `BTF type ${id} is not a structure`);
    }
    return type.members;
  }

  /** Size in bytes; pointers have eight. @throws KscopeError failed for a kind without a size */
  sizeof(id: number): number {
    let factor = 1;
    let type = this.resolve(id);
    for (let depth = 0; type.kind === 'array' || type.kind === 'var'; depth++) {
      factor *= type.kind === 'array' ? type.count : 1;
      if (depth === maxDepth || factor > Number.MAX_SAFE_INTEGER) {
        throw damaged(`type ${id} contains itself or is too large`);
      }
      type = this.resolve(type.kind === 'array' ? type.element : type.type);
    }
    if (type.kind === 'ptr') {
      return factor * 8;
    }
    if ('size' in type) {
      return factor * type.size;
    }
    throw new KscopeError('failed', `BTF type ${id} (${type.kind}) has no size`);
  }

  /**
   * Reads every type that is not in the base, and looks whether what it refers to exists and can be what it is used
   * for: readers that trust their input do not survive without. @throws KscopeError failed
   */
  check(): void {
    for (let id = this.firstId; id < this.endId; id++) {
      const type = this.#read(id);
      for (const reference of referencesOf(type)) {
        if (reference >= this.endId) {
          throw damaged(`type ${id} refers to type ${reference}, which does not exist`);
        }
      }
      if (isTransparent(type)) {
        this.resolve(id);
      }
      if (type.kind === 'func' && this.kind(type.type) !== 'func_proto') {
        throw damaged(`function ${id} has no prototype`);
      }
      if (type.kind === 'datasec' && type.variables.some((one) => !sectionKinds.has(this.kind(one.type)))) {
        throw damaged(`section ${id} has what is no variable`);
      }
    }
  }

  #owner(id: number): Btf {
    if (id >= this.endId || id < 1) {
      throw damaged(`there is no type ${id}`);
    }
    let owner: Btf = this;
    while (id < owner.firstId) {
      owner = owner.#base as Btf;
    }
    return owner;
  }

  /** The BTF, this or a base, whose string table has the name at `offset`. */
  #namer(offset: number): Btf {
    let owner: Btf = this;
    while (offset < owner.#stringsStart) {
      owner = owner.#base as Btf;
    }
    return owner;
  }

  #at(id: number): number {
    return this.#offsets[id - this.firstId] as number;
  }

  #nameOffset(id: number): number {
    return this.#types.getUint32(this.#at(id), true);
  }

  #info(id: number): number {
    return this.#types.getUint32(this.#at(id) + 4, true);
  }

  #string(offset: number): string {
    const owner = this.#namer(offset);
    const at = offset - owner.#stringsStart;
    if (at >= owner.#strings.length) {
      throw damaged('a name is outside its table');
    }
    return owner.#strings.toString('utf8', at, owner.#strings.indexOf(0, at));
  }

  /** Makes the object of a type that is not in the base. */
  #read(id: number): BtfType {
    const view = this.#types;
    const at = this.#at(id);
    const u32 = (offset: number): number => view.getUint32(at + offset, true);
    const info = this.#info(id);
    const kind = btfKinds[kindOf(info)];
    const vlen = vlenOf(info);
    const flag = info >>> 31 === 1;
    const name = this.#string(u32(0));
    const reference = u32(8);
    const list = <T>(first: number, size: number, make: (offset: number) => T): T[] => {
      const out: T[] = [];
      for (let i = 0; i < vlen; i++) {
        out.push(make(first + i * size));
      }
      return out;
    };
    switch (kind) {
      case 'int': {
        const encoding = u32(12) >>> 24;
        return {
          kind,
          id,
          name,
          size: reference,
          signed: (encoding & 1) !== 0,
          char: (encoding & 2) !== 0,
          bool: (encoding & 4) !== 0,
          bits: u32(12) & 0xff,
          bitOffset: (u32(12) >>> 16) & 0xff,
        };
      }
      case 'ptr':
      case 'typedef':
      case 'volatile':
      case 'const':
      case 'restrict':
      case 'type_tag':
        return { kind, id, name, type: reference };
      case 'array':
        return { kind, id, name, element: u32(12), index: u32(16), count: u32(20) };
      case 'struct':
      case 'union': {
        const members = list(12, 12, (offset) => {
          const position = u32(offset + 8);
          return {
            name: this.#string(u32(offset)),
            type: u32(offset + 4),
            bitOffset: flag ? position & 0xffffff : position,
            bits: flag ? position >>> 24 : 0,
          };
        });
        return { kind, id, name, size: reference, members };
      }
      case 'enum': {
        const values = list(12, 8, (offset) => ({
          name: this.#string(u32(offset)),
          value: flag ? view.getInt32(at + offset + 4, true) : u32(offset + 4),
        }));
        return { kind, id, name, size: reference, signed: flag, values };
      }
      case 'enum64': {
        const values = list(12, 12, (offset) => ({
          name: this.#string(u32(offset)),
          value: (flag ? BigInt.asIntN : BigInt.asUintN)(
            64,
            (BigInt(u32(offset + 8)) << 32n) | BigInt(u32(offset + 4)),
          ),
        }));
        return { kind, id, name, size: reference, signed: flag, values };
      }
      case 'fwd':
        return { kind, id, name, of: flag ? 'union' : 'struct' };
      case 'func':
        return { kind, id, name, type: reference, linkage: vlen };
      case 'func_proto': {
        const parameters = list(12, 8, (offset) => ({ name: this.#string(u32(offset)), type: u32(offset + 4) }));
        return { kind, id, name, returns: reference, parameters };
      }
      case 'var':
        return { kind, id, name, type: reference, linkage: u32(12) };
      case 'datasec': {
        const variables = list(12, 12, (offset) => ({
          type: u32(offset),
          offset: u32(offset + 4),
          size: u32(offset + 8),
        }));
        return { kind, id, name, size: reference, variables };
      }
      case 'float':
        return { kind, id, name, size: reference };
      case 'decl_tag':
        return { kind, id, name, type: reference, component: view.getInt32(at + 12, true) };
      default:
        return { kind: 'unknown', id, name };
    }
  }

  #find(name: Buffer, kind: BtfKind): number | undefined {
    const inBase = this.#base === undefined ? undefined : this.#base.#find(name, kind);
    if (inBase !== undefined || name.length === 0) {
      return inBase;
    }
    const places = this.#searches++ < searchesMax ? placesOfName(name, this.#tables()) : undefined;
    if (places !== undefined) {
      const isOfKind = (index: number) => this.kind(this.firstId + index) === kind;
      const found = places.map((place) => firstNamed(this.#types, this.#offsets, place, isOfKind));
      const first = Math.min(...found.filter((index) => index !== undefined));
      return Number.isFinite(first) ? this.firstId + first : undefined;
    }
    this.#names ??= indexNames(this.#types, this.#offsets, (offset) => {
      const { strings, start } = this.#namer(offset).#table;
      return hashName(strings, offset - start);
    });
    const { heads, next } = this.#names;
    for (let i = heads[hashName(name, 0) & (heads.length - 1)] as number; i >= 0; i = next[i] as number) {
      const id = this.firstId + i;
      if (this.kind(id) === kind && this.#nameIs(this.#nameOffset(id), name)) {
        return id;
      }
    }
    return undefined;
  }

  get #table(): NameTable {
    return { start: this.#stringsStart, strings: this.#strings };
  }

  /** The names that its types can have. */
  *#tables(): Generator<NameTable> {
    for (let owner: Btf | undefined = this; owner !== undefined; owner = owner.#base) {
      yield owner.#table;
    }
  }

  #nameIs(offset: number, name: Buffer): boolean {
    const owner = this.#namer(offset);
    const at = offset - owner.#stringsStart;
    return (
      at + name.length < owner.#strings.length &&
      owner.#strings[at + name.length] === 0 &&
      owner.#strings.compare(name, 0, name.length, at, at + name.length) === 0
    );
  }
}

/** What a section may have: of functions, those that are defined elsewhere. */
const sectionKinds: ReadonlySet<string> = new Set(['var', 'func']);
