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
  /** All symbols of .symtab, or of `table`; empty when there is no such table. @throws KscopeError failed */
  symbols(table?: '.symtab' | '.dynsym'): readonly ElfSymbol[];
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
  /** The contents, without a copy; empty for a section without any (.bss). @throws KscopeError failed */
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
export function parseElf(bytes: Uint8Array, what = 'object file'): Elf {
  const fail = (why: string): KscopeError => new KscopeError('failed', `${what} ${why}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 4 || view.getUint32(0, false) !== 0x7f454c46) {
    throw fail('is not an ELF file');
  }
  if (bytes.length < headerSize) {
    throw fail('is truncated: it ends inside the ELF header');
  }
  if (bytes[4] !== 2 || bytes[5] !== 1) {
    throw fail('is not a 64-bit little-endian ELF file');
  }
  // Positions beyond 2^53 are beyond any file: rounding them does not make them valid.
  const u64 = (at: number): number => view.getUint32(at + 4, true) * 0x100000000 + view.getUint32(at, true);
  const u32 = (at: number): number => view.getUint32(at, true);
  const u16 = (at: number): number => view.getUint16(at, true);

  const tableOffset = u64(0x28);
  let count = u16(0x3c);
  let namesIndex = u16(0x3e);
  if (tableOffset !== 0) {
    if (u16(0x3a) !== sectionHeaderSize) {
      throw fail('is damaged: its section headers have an unknown size');
    }
    if (tableOffset + sectionHeaderSize > bytes.length) {
      throw fail('is truncated: the section headers are beyond its end');
    }
    // Counts that do not fit in the header are kept in the first section header.
    count = count === 0 ? u64(tableOffset + 0x20) : count;
    namesIndex = namesIndex === 0xffff ? u32(tableOffset + 0x28) : namesIndex;
    if (tableOffset + count * sectionHeaderSize > bytes.length) {
      throw fail('is truncated: the section headers are beyond its end');
    }
  } else {
    count = 0;
  }

  const contents = (at: number): Uint8Array => {
    const offset = u64(at + 0x18);
    const size = u64(at + 0x20);
    if (u32(at + 4) === noBits || u32(at + 4) === 0 || size === 0) {
      return bytes.subarray(0, 0);
    }
    if ((u32(at + 8) & compressed) !== 0) {
      throw fail('has a compressed section, which is not supported');
    }
    if (offset + size > bytes.length) {
      throw fail('is truncated: a section reaches beyond its end');
    }
    return bytes.subarray(offset, offset + size);
  };
  const string = (table: Uint8Array, at: number): string => {
    const end = table.indexOf(0, at);
    if (at >= table.length || end < 0) {
      throw fail('is damaged: a name is outside its string table');
    }
    return Buffer.from(table.buffer, table.byteOffset + at, end - at).toString('utf8');
  };

  if (count > 0 && namesIndex >= count) {
    throw fail('is damaged: it has no section names');
  }
  const names = count > 0 ? contents(tableOffset + namesIndex * sectionHeaderSize) : bytes.subarray(0, 0);
  const sections: ElfSection[] = [];
  for (let index = 0; index < count; index++) {
    const at = tableOffset + index * sectionHeaderSize;
    const section: ElfSection = {
      index,
      name: index === 0 ? '' : string(names, u32(at)),
      type: u32(at + 4),
      flags: u64(at + 8),
      address: u64(at + 0x10),
      offset: u64(at + 0x18),
      size: u64(at + 0x20),
      link: u32(at + 0x28),
      info: u32(at + 0x2c),
      entrySize: u64(at + 0x38),
      get bytes() {
        return contents(at);
      },
    };
    sections.push(section);
  }

  return {
    machine: u16(0x12),
    type: u16(0x10),
    sections,
    section: (name) => sections.find((section) => section.index !== 0 && section.name === name),
    symbols: (wanted = '.symtab') => {
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
      const table = section.bytes;
      const names = strings.bytes;
      const from = table.byteOffset - bytes.byteOffset;
      for (let at = from; at + symbolSize <= from + table.length; at += symbolSize) {
        const nameAt = u32(at);
        symbols.push({
          name: nameAt === 0 ? '' : string(names, nameAt),
          value: u64(at + 8),
          size: u64(at + 16),
          type: view.getUint8(at + 4) & 0xf,
          binding: view.getUint8(at + 4) >> 4,
          section: u16(at + 6),
        });
      }
      return symbols;
    },
  };
}
