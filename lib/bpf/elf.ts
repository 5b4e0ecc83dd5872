import { KscopeError } from '../model/errors.ts';

/** What kscope reads of a 64-bit little-endian ELF file. Every offset in it is checked before it is followed. */
export interface Elf {
  /** e_machine: 247 BPF, 62 x86-64, 183 AArch64. */
  readonly machine: number;
  /** e_type: 1 relocatable, 2 executable, 3 shared object. */
  readonly type: number;
  readonly sections: readonly ElfSection[];
  /** The first section of that name. */
  section(name: string): ElfSection | undefined;
  /** The symbols of .symtab, or of `table`; empty when there is no such table. @throws KscopeError failed */
  symbols(table?: '.symtab' | '.dynsym', only?: SymbolChoice): readonly ElfSymbol[];
}

/** Which symbols are wanted; nothing is made of the others, of which large programs have a hundred thousand. */
export interface SymbolChoice {
  readonly type?: number;
  readonly names?: readonly string[];
}

/** Bytes that are fetched when they are looked at. */
export interface ElfSource {
  readonly size: number;
  /** @param offset, length never beyond the size */
  part(offset: number, length: number): Uint8Array;
}

export interface ElfSection {
  readonly index: number;
  readonly name: string;
  /** sh_type: 1 PROGBITS, 2 SYMTAB, 3 STRTAB, 7 NOTE, 8 NOBITS, 11 DYNSYM. */
  readonly type: number;
  readonly flags: number;
  readonly address: number;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
  readonly info: number;
  readonly entrySize: number;
  /** The contents, without a copy of what is in memory; empty for a section without any (.bss). @throws KscopeError failed */
  readonly bytes: Uint8Array;
}

export interface ElfSymbol {
  readonly name: string;
  readonly value: number;
  readonly size: number;
  /** 0 none, 1 object, 2 function, 3 section, 4 file, 10 indirect function. */
  readonly type: number;
  /** 0 local, 1 global, 2 weak. */
  readonly binding: number;
  /** Index of the section it lies in; 0 undefined, 0xfff1 absolute. */
  readonly section: number;
}

const headerSize = 64;
const sectionHeaderSize = 64;
const symbolSize = 24;
const noBits = 8;
const compressed = 0x800;

/** Reads an ELF file. `what` names it in errors. @throws KscopeError failed */
export function parseElf(file: Uint8Array | ElfSource, what = 'object file'): Elf {
  const fail = (why: string): KscopeError => new KscopeError('failed', `${what} ${why}`);
  const source = file instanceof Uint8Array ? inMemory(file) : file;
  const header = numbersIn(source.part(0, Math.min(headerSize, source.size)));
  if (header.size < 4 || header.u32(0) !== 0x464c457f) {
    throw fail('is not an ELF file');
  }
  if (header.size < headerSize) {
    throw fail('is truncated: it ends inside the ELF header');
  }
  if (header.u8(4) !== 2 || header.u8(5) !== 1) {
    throw fail('is not a 64-bit little-endian ELF file');
  }

  const tableOffset = header.u64(0x28);
  let count = header.u16(0x3c);
  let namesIndex = header.u16(0x3e);
  const headers = (wanted: number): Numbers => {
    if (tableOffset + wanted * sectionHeaderSize > source.size) {
      throw fail('is truncated: the section headers are beyond its end');
    }
    return numbersIn(source.part(tableOffset, wanted * sectionHeaderSize));
  };
  if (tableOffset !== 0) {
    if (header.u16(0x3a) !== sectionHeaderSize) {
      throw fail('is damaged: its section headers have an unknown size');
    }
    // Counts that do not fit in the header are kept in the first section header.
    const first = headers(1);
    count = count === 0 ? first.u64(0x20) : count;
    namesIndex = namesIndex === 0xffff ? first.u32(0x28) : namesIndex;
  } else {
    count = 0;
  }
  const table = headers(count);

  const fetched = new Map<number, Uint8Array>();
  const contents = (at: number): Uint8Array => {
    const known = fetched.get(at);
    if (known !== undefined) {
      return known;
    }
    const offset = table.u64(at + 0x18);
    const size = table.u64(at + 0x20);
    if (table.u32(at + 4) === noBits || table.u32(at + 4) === 0 || size === 0) {
      return source.part(0, 0);
    }
    if ((table.u32(at + 8) & compressed) !== 0) {
      throw fail('has a compressed section, which is not supported');
    }
    if (offset + size > source.size) {
      throw fail('is truncated: a section reaches beyond its end');
    }
    const bytes = source.part(offset, size);
    fetched.set(at, bytes);
    return bytes;
  };
  const string = (strings: Uint8Array, at: number): string => {
    const end = strings.indexOf(0, at);
    if (at >= strings.length || end < 0) {
      throw fail('is damaged: a name is outside its string table');
    }
    return Buffer.from(strings.buffer, strings.byteOffset + at, end - at).toString('utf8');
  };

  if (count > 0 && namesIndex >= count) {
    throw fail('is damaged: it has no section names');
  }
  const names = count > 0 ? contents(namesIndex * sectionHeaderSize) : source.part(0, 0);
  const sections: ElfSection[] = [];
  for (let index = 0; index < count; index++) {
    const at = index * sectionHeaderSize;
    const section: ElfSection = {
      index,
      name: index === 0 ? '' : string(names, table.u32(at)),
      type: table.u32(at + 4),
      flags: table.u64(at + 8),
      address: table.u64(at + 0x10),
      offset: table.u64(at + 0x18),
      size: table.u64(at + 0x20),
      link: table.u32(at + 0x28),
      info: table.u32(at + 0x2c),
      entrySize: table.u64(at + 0x38),
      get bytes() {
        return contents(at);
      },
    };
    sections.push(section);
  }

  return {
    machine: header.u16(0x12),
    type: header.u16(0x10),
    sections,
    section: (name) => sections.find((section) => section.index !== 0 && section.name === name),
    symbols: (wanted = '.symtab', only = {}) => {
      const type = wanted === '.symtab' ? 2 : 11;
      const section = sections.find((candidate) => candidate.type === type && candidate.name === wanted);
      if (section === undefined) {
        return [];
      }
      const strings = sections[section.link];
      if (section.entrySize !== symbolSize || strings === undefined) {
        throw fail('is damaged: its symbol table cannot be read');
      }
      const symbols: ElfSymbol[] = [];
      const entries = numbersIn(section.bytes);
      const names = strings.bytes;
      const places = only.names === undefined ? undefined : placesOf(names, only.names);
      // To decode all at once is ten times as fast as one by one; a few are better decoded by themselves.
      const text =
        places === undefined ? Buffer.from(names.buffer, names.byteOffset, names.length).toString('latin1') : '';
      const nameOf = (nameAt: number): string => {
        const end = text.indexOf('\0', nameAt);
        const name = end < 0 ? '' : text.slice(nameAt, end);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII.
        return name !== '' && /^[\x01-\x7f]*$/.test(name) ? name : string(names, nameAt);
      };
      for (let at = 0; at + symbolSize <= entries.size; at += symbolSize) {
        const nameAt = entries.u32(at);
        const kind = entries.u8(at + 4);
        if ((only.type ?? kind & 0xf) !== (kind & 0xf) || places?.has(nameAt) === false) {
          continue;
        }
        symbols.push({
          name: nameAt === 0 ? '' : nameOf(nameAt),
          value: entries.u64(at + 8),
          size: entries.u64(at + 16),
          type: kind & 0xf,
          binding: kind >> 4,
          section: entries.u16(at + 6),
        });
      }
      return symbols;
    },
  };
}

function inMemory(bytes: Uint8Array): ElfSource {
  return { size: bytes.length, part: (offset, length) => bytes.subarray(offset, offset + length) };
}

interface Numbers {
  readonly size: number;
  u8(at: number): number;
  u16(at: number): number;
  u32(at: number): number;
  u64(at: number): number;
}

function numbersIn(bytes: Uint8Array): Numbers {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    size: bytes.length,
    u8: (at) => view.getUint8(at),
    u16: (at) => view.getUint16(at, true),
    u32: (at) => view.getUint32(at, true),
    // Positions beyond 2^53 are beyond any file: rounding them does not make them valid.
    u64: (at) => view.getUint32(at + 4, true) * 0x100000000 + view.getUint32(at, true),
  };
}

/** Where in a table of strings one of these begins; a name may be the end of another one. */
function placesOf(strings: Uint8Array, names: readonly string[]): ReadonlySet<number> {
  const table = Buffer.from(strings.buffer, strings.byteOffset, strings.length);
  const places = new Set<number>();
  for (const name of names) {
    const wanted = Buffer.from(`${name}\0`);
    for (let at = table.indexOf(wanted); at >= 0; at = table.indexOf(wanted, at + 1)) {
      places.add(at);
    }
  }
  return places;
}
