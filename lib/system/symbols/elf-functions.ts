import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { lastNotAbove } from './kernel.ts';

const HEADER = 64;
const SECTION_HEADER = 64;
const PROGRAM_HEADER = 56;
const SYMBOL = 24;
const SHT_SYMTAB = 2;
const SHT_NOTE = 7;
const SHT_DYNSYM = 11;
const PT_LOAD = 1;
const STT_FUNC = 2;
const STT_GNU_IFUNC = 10;

// Bounds for files that belong to whoever is traced: far above any honest binary, far below what would hurt.
const SECTIONS_MAX = 4096;
const TABLE_MAX = 256 * 2 ** 20;
const SYMBOLS_MAX = 2 ** 22;

interface Section {
  readonly type: number;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
  readonly name: number;
}

interface Segment {
  readonly offset: number;
  readonly address: number;
  readonly size: number;
}

/** Functions in the order of their addresses. */
interface Functions {
  readonly starts: Float64Array;
  readonly sizes: Float64Array;
  /** Where in the strings each name begins. */
  readonly names: Uint32Array;
}

/** The functions of one binary or shared object, by address. Only its headers and symbol tables are read. */
export class ElfFunctions {
  /** Those of the file, until they are sorted. */
  #symbols: Buffer;
  readonly #strings: Buffer;
  readonly #segments: readonly Segment[];
  #sorted: Functions | undefined;
  /** Hexadecimal build id; undefined when the file has none. */
  readonly buildId: string | undefined;
  /** Name of the file with its debugging information, from .gnu_debuglink. */
  readonly debugLink: string | undefined;
  /**
   * The same for files that give the same names, as copies of a library in many containers do. A build id alone does not
   * tell: whoever writes a file chooses it, and could name the functions of others. So what names come from counts too.
   */
  readonly content: string;

  private constructor(reader: Reader) {
    const sections = readSections(reader);
    const table = sections.find(({ type }) => type === SHT_SYMTAB) ?? sections.find(({ type }) => type === SHT_DYNSYM);
    this.#segments = readSegments(reader);
    this.buildId = readBuildId(reader, sections);
    this.debugLink = readDebugLink(reader, sections);
    const strings = table === undefined ? undefined : sections[table.link];
    this.#symbols =
      table === undefined ? Buffer.alloc(0) : reader.read(table.offset, Math.min(table.size, SYMBOLS_MAX * SYMBOL));
    this.#strings = strings === undefined ? Buffer.alloc(0) : reader.read(strings.offset, strings.size);
    // Most commands read no binary, and it takes long to load.
    const { createHash } = process.getBuiltinModule('node:crypto');
    const places = JSON.stringify([this.debugLink, this.#segments, this.#symbols.length]);
    const digest = createHash('sha256').update(places).update(this.#symbols).update(this.#strings).digest('base64');
    this.content = `${this.buildId ?? 'no build id'} ${digest}`;
  }

  /** How many functions are known; 0 for a stripped file. */
  get size(): number {
    return this.#functions().starts.length;
  }

  /**
   * Reads a file. Undefined when it cannot be opened, is no regular file or no 64-bit little-endian ELF file: it belongs
   * to whoever is traced, and anything may be in it.
   */
  static open(path: string): ElfFunctions | undefined {
    let fd: number;
    try {
      // A FIFO in the place of a binary must not stop us.
      fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    } catch {
      return undefined;
    }
    try {
      const stats = fstatSync(fd);
      return stats.isFile() ? new ElfFunctions(new Reader(fd, 0, stats.size)) : undefined;
    } catch {
      return undefined;
    } finally {
      closeSync(fd);
    }
  }

  /** Reads the file that the kernel has put into our own memory. Undefined when that is refused or no ELF file. */
  static inMemory(start: number, end: number): ElfFunctions | undefined {
    try {
      const fd = openSync('/proc/self/mem', constants.O_RDONLY);
      try {
        return new ElfFunctions(new Reader(fd, start, end - start));
      } finally {
        closeSync(fd);
      }
    } catch {
      return undefined;
    }
  }

  /** The function at an offset in the file, as /proc/PID/maps counts. */
  atFileOffset(offset: number): { readonly symbol: string; readonly offset: number } | undefined {
    const segment = this.#segments.find((one) => offset >= one.offset && offset < one.offset + one.size);
    return segment === undefined ? undefined : this.atAddress(offset - segment.offset + segment.address);
  }

  /** The function at an address in the file's own address space. */
  atAddress(address: number): { readonly symbol: string; readonly offset: number } | undefined {
    const { starts, sizes, names } = this.#functions();
    let at = lastNotAbove(starts, address);
    // Of several names of one function, the one with a size tells most.
    while (at > 0 && sizes[at] === 0 && starts[at - 1] === starts[at]) {
      at--;
    }
    const start = starts[at];
    const size = sizes[at] ?? 0;
    if (start === undefined || (size > 0 && address >= start + size)) {
      return undefined;
    }
    const name = names[at] ?? 0;
    const end = this.#strings.indexOf(0, name);
    const symbol = this.#strings.toString('utf8', name, Math.min(end < 0 ? this.#strings.length : end, name + 4096));
    return symbol === '' ? undefined : { symbol, offset: address - start };
  }

  /** Sorted when they are first asked for: of most files that a process has mapped, nothing is. */
  #functions(): Functions {
    if (this.#sorted === undefined) {
      this.#sorted = sortedFunctions(this.#symbols);
      this.#symbols = Buffer.alloc(0);
    }
    return this.#sorted;
  }
}

function sortedFunctions(symbols: Buffer): Functions {
  const found: { start: number; size: number; name: number }[] = [];
  for (let at = 0; at + SYMBOL <= symbols.length; at += SYMBOL) {
    const type = (symbols[at + 4] ?? 0) & 0xf;
    const defined = symbols.readUInt16LE(at + 6) !== 0;
    if ((type === STT_FUNC || type === STT_GNU_IFUNC) && defined) {
      found.push({
        start: Number(symbols.readBigUInt64LE(at + 8)),
        size: Number(symbols.readBigUInt64LE(at + 16)),
        name: symbols.readUInt32LE(at),
      });
    }
  }
  found.sort((a, b) => a.start - b.start);
  return {
    starts: Float64Array.from(found, ({ start }) => start),
    sizes: Float64Array.from(found, ({ size }) => size),
    names: Uint32Array.from(found, ({ name }) => name),
  };
}

/** Bounded reads of parts of a file. */
class Reader {
  readonly #fd: number;
  readonly #start: number;
  readonly #size: number;
  readonly header: Buffer;

  /** @param start where in what `fd` stands for the ELF file begins */
  constructor(fd: number, start: number, size: number) {
    this.#fd = fd;
    this.#start = start;
    this.#size = size;
    this.header = this.read(0, HEADER);
    if (
      this.header.length < HEADER ||
      this.header.readUInt32BE(0) !== 0x7f454c46 ||
      this.header.readUInt16BE(4) !== 0x0201
    ) {
      throw new Error('no ELF file');
    }
  }

  /** What there is of a range; shorter at the end of the file, empty for one that cannot be true. */
  read(offset: number, size: number): Buffer {
    if (!(offset >= 0 && size >= 0 && size <= TABLE_MAX && offset <= this.#size)) {
      return Buffer.alloc(0);
    }
    const bytes = Buffer.alloc(Math.min(size, this.#size - offset));
    let done = 0;
    while (done < bytes.length) {
      const count = readSync(this.#fd, bytes, done, bytes.length - done, this.#start + offset + done);
      if (count === 0) {
        break;
      }
      done += count;
    }
    return bytes.subarray(0, done);
  }
}

function readSections(reader: Reader): Section[] {
  const offset = Number(reader.header.readBigUInt64LE(40));
  const entry = reader.header.readUInt16LE(58);
  const count = Math.min(reader.header.readUInt16LE(60), SECTIONS_MAX);
  const bytes = entry === SECTION_HEADER ? reader.read(offset, count * SECTION_HEADER) : Buffer.alloc(0);
  const sections: Section[] = [];
  for (let at = 0; at + SECTION_HEADER <= bytes.length; at += SECTION_HEADER) {
    sections.push({
      name: bytes.readUInt32LE(at),
      type: bytes.readUInt32LE(at + 4),
      offset: Number(bytes.readBigUInt64LE(at + 24)),
      size: Number(bytes.readBigUInt64LE(at + 32)),
      link: bytes.readUInt32LE(at + 40),
    });
  }
  return sections;
}

function readSegments(reader: Reader): Segment[] {
  const offset = Number(reader.header.readBigUInt64LE(32));
  const entry = reader.header.readUInt16LE(54);
  const count = reader.header.readUInt16LE(56);
  const bytes = entry === PROGRAM_HEADER ? reader.read(offset, count * PROGRAM_HEADER) : Buffer.alloc(0);
  const segments: Segment[] = [];
  for (let at = 0; at + PROGRAM_HEADER <= bytes.length; at += PROGRAM_HEADER) {
    if (bytes.readUInt32LE(at) === PT_LOAD) {
      segments.push({
        offset: Number(bytes.readBigUInt64LE(at + 8)),
        address: Number(bytes.readBigUInt64LE(at + 16)),
        size: Number(bytes.readBigUInt64LE(at + 32)),
      });
    }
  }
  return segments;
}

function readBuildId(reader: Reader, sections: readonly Section[]): string | undefined {
  for (const { type, offset, size } of sections) {
    const note = type === SHT_NOTE ? reader.read(offset, Math.min(size, 4096)) : Buffer.alloc(0);
    // namesz 4, descsz, type 3 (NT_GNU_BUILD_ID), "GNU\0", then the id.
    if (
      note.length > 16 &&
      note.readUInt32LE(0) === 4 &&
      note.readUInt32LE(8) === 3 &&
      note.readUInt32BE(12) === 0x474e5500
    ) {
      const length = Math.min(note.readUInt32LE(4), 64);
      return note.toString('hex', 16, 16 + length);
    }
  }
  return undefined;
}

function readDebugLink(reader: Reader, sections: readonly Section[]): string | undefined {
  const names = sections[reader.header.readUInt16LE(62)];
  const strings = names === undefined ? Buffer.alloc(0) : reader.read(names.offset, Math.min(names.size, 2 ** 20));
  const link = sections.find(({ name }) => strings.toString('latin1', name, name + 15) === '.gnu_debuglink\0');
  const bytes = link === undefined ? Buffer.alloc(0) : reader.read(link.offset, Math.min(link.size, 4096));
  const end = bytes.indexOf(0);
  const file = end <= 0 ? '' : bytes.toString('utf8', 0, end);
  return file === '' || file.includes('/') ? undefined : file;
}
