import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import koffi from 'koffi';

const machines: Partial<Record<NodeJS.Architecture, Machine>> = {
  x64: {
    elf: 62,
    // nop; lea (%rdi,%rsi), %eax; ret
    add: [0x90, 0x8d, 0x04, 0x37, 0xc3],
    // mov $42, %eax; ret
    answer: [0xb8, 0x2a, 0x00, 0x00, 0x00, 0xc3],
    arguments: '8@%rdi -4@%esi',
  },
  arm64: {
    elf: 183,
    // nop; add w0, w0, w1; ret
    add: [0x1f, 0x20, 0x03, 0xd5, 0x00, 0x00, 0x01, 0x0b, 0xc0, 0x03, 0x5f, 0xd6],
    // mov w0, #42; ret
    answer: [0x40, 0x05, 0x80, 0x52, 0xc0, 0x03, 0x5f, 0xd6],
    arguments: '8@x0 -4@x1',
  },
};

interface Machine {
  readonly elf: number;
  readonly add: readonly number[];
  readonly answer: readonly number[];
  readonly arguments: string;
}

interface Section {
  readonly name: string;
  readonly type: number;
  readonly bytes: Buffer;
  /** Where it is in the file; in memory too, if it has an address. */
  readonly at: number;
  readonly address?: boolean;
  readonly link?: number;
  readonly entrySize?: number;
}

const PAGE = 0x10000;
const at = { symbols: 0x200, strings: 0x300, hash: 0x400, code: 0x800, dynamic: PAGE, note: PAGE + 0x200 };

/**
 * A shared library made without a compiler, loaded into this process: `add` has the statically defined probe
 * `kscope:add` at its beginning, with both arguments; `answer` returns 42.
 */
export class ProbedLibrary implements Disposable {
  readonly path: string;
  readonly add: (a: number, b: number) => number;
  readonly answer: () => number;
  readonly #folder: string;

  /** @param path where it is made, in a folder of its own; somewhere by default */
  constructor(path = join(mkdtempSync(join(tmpdir(), 'kscope-probed-')), 'libprobed.so')) {
    const machine = machines[process.arch];
    if (machine === undefined) {
      throw new Error(`no code for ${process.arch}`);
    }
    this.path = path;
    this.#folder = dirname(path);
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    writeFileSync(this.path, libraryBytes(machine), { mode: 0o755 });
    const library = koffi.load(this.path);
    this.add = library.func('int add(int a, int b)');
    this.answer = library.func('int answer()');
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true });
  }
}

function libraryBytes(machine: Machine): Buffer {
  const strings = Buffer.from('\0add\0answer\0libprobed.so\0');
  const name = (text: string) => strings.indexOf(`\0${text}\0`) + 1;
  const answerAt = at.code + 0x100;
  const code = Buffer.alloc(0x200);
  code.set(machine.add, 0);
  code.set(machine.answer, 0x100);
  const symbols = Buffer.concat([
    Buffer.alloc(24),
    symbol(name('add'), at.code, machine.add.length),
    symbol(name('answer'), answerAt, machine.answer.length),
  ]);
  // One bucket that begins with the first symbol, and the chain from each to the next.
  const hash = words(1, 3, 1, 0, 2, 0);
  const tags: [tag: number, value: number][] = [
    [14, name('libprobed.so')],
    [4, at.hash],
    [5, at.strings],
    [6, at.symbols],
    [10, strings.length],
    [11, 24],
    [0, 0],
  ];
  const dynamic = Buffer.concat(tags.map(([tag, value]) => longs(tag, value)));
  const sections: Section[] = [
    { name: '', type: 0, bytes: Buffer.alloc(0), at: 0 },
    { name: '.dynsym', type: 11, bytes: symbols, at: at.symbols, address: true, link: 2, entrySize: 24 },
    { name: '.dynstr', type: 3, bytes: strings, at: at.strings, address: true },
    { name: '.hash', type: 5, bytes: hash, at: at.hash, address: true, link: 1, entrySize: 4 },
    { name: '.text', type: 1, bytes: code, at: at.code, address: true },
    { name: '.dynamic', type: 6, bytes: dynamic, at: at.dynamic, address: true, link: 2, entrySize: 16 },
    { name: '.note.stapsdt', type: 7, bytes: probeNote(at.code, machine.arguments), at: at.note },
  ];
  const names = Buffer.from(`${[...sections.map((section) => section.name), '.shstrtab'].join('\0')}\0`);
  sections.push({ name: '.shstrtab', type: 3, bytes: names, at: PAGE + 0x400 });
  const headersAt = PAGE + 0x600;
  const file = Buffer.alloc(headersAt + sections.length * 64);
  for (const section of sections) {
    section.bytes.copy(file, section.at);
  }
  sectionHeaders(sections, names).copy(file, headersAt);
  // Two loaded segments (code; data that the loader writes to), the dynamic section, and no executable stack.
  const segments = [
    segment(1, 5, 0, at.code + code.length, PAGE),
    segment(1, 6, at.dynamic, dynamic.length, PAGE),
    segment(2, 6, at.dynamic, dynamic.length, 8),
    segment(0x6474e551, 6, 0, 0, 16),
  ];
  Buffer.concat(segments).copy(file, 64);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  file.writeUInt16LE(3, 16);
  file.writeUInt16LE(machine.elf, 18);
  file.writeUInt32LE(1, 20);
  longs(0, 64, headersAt).copy(file, 24);
  file.writeUInt16LE(64, 52);
  file.writeUInt16LE(56, 54);
  file.writeUInt16LE(segments.length, 56);
  file.writeUInt16LE(64, 58);
  file.writeUInt16LE(sections.length, 60);
  file.writeUInt16LE(sections.length - 1, 62);
  return file;
}

function words(...values: number[]): Buffer {
  return Buffer.from(Uint32Array.from(values).buffer);
}

function longs(...values: number[]): Buffer {
  return Buffer.from(BigUint64Array.from(values, BigInt).buffer);
}

/** A global function of section 4, .text. */
function symbol(name: number, address: number, size: number): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(name, 0);
  head.writeUInt8(0x12, 4);
  head.writeUInt16LE(4, 6);
  return Buffer.concat([head, longs(address, size)]);
}

function segment(type: number, flags: number, offset: number, size: number, alignment: number): Buffer {
  return Buffer.concat([words(type, flags), longs(offset, offset, offset, size, size, alignment)]);
}

function sectionHeaders(sections: readonly Section[], names: Buffer): Buffer {
  const headers = sections.map(({ name, type, bytes, at, address, link = 0, entrySize = 0 }) =>
    Buffer.concat([
      words(name === '' ? 0 : names.indexOf(`\0${name}\0`) + 1, type),
      longs(name === '.text' ? 6 : address === true ? 2 : 0, address === true ? at : 0, at, bytes.length),
      // The first symbol is the only local one.
      words(link, name === '.dynsym' ? 1 : 0),
      longs(name === '' ? 0 : 4, entrySize),
    ]),
  );
  return Buffer.concat(headers);
}

function probeNote(address: number, args: string): Buffer {
  const description = Buffer.concat([longs(address, 0, 0), Buffer.from(`kscope\0add\0${args}\0`)]);
  const padding = Buffer.alloc(-description.length & 3);
  return Buffer.concat([words(8, description.length, 3), Buffer.from('stapsdt\0'), description, padding]);
}
