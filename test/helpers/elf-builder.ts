export interface SectionSpec {
  readonly name: string;
  /** sh_type, 1 (PROGBITS) by default. */
  readonly type?: number;
  readonly flags?: number;
  readonly link?: number;
  readonly entrySize?: number;
  readonly bytes?: Uint8Array;
  /** Size to write for a section without bytes (.bss). */
  readonly size?: number;
}

export interface SymbolSpec {
  readonly name: string;
  readonly value?: number;
  readonly size?: number;
  readonly type?: number;
  readonly binding?: number;
  readonly section?: number;
}

/** Writes a relocatable ELF64 file: the given sections from index 1 on, then .symtab, .strtab and .shstrtab. */
export function buildElf(given: readonly SectionSpec[], symbols: readonly SymbolSpec[] = [], machine = 247): Buffer {
  const strings = new Strings();
  const table = Buffer.alloc((symbols.length + 1) * 24);
  for (const [i, symbol] of symbols.entries()) {
    const at = (i + 1) * 24;
    table.writeUInt32LE(strings.add(symbol.name), at);
    table.writeUInt8(((symbol.binding ?? 1) << 4) | (symbol.type ?? 2), at + 4);
    table.writeUInt16LE(symbol.section ?? 1, at + 6);
    table.writeBigUInt64LE(BigInt(symbol.value ?? 0), at + 8);
    table.writeBigUInt64LE(BigInt(symbol.size ?? 0), at + 16);
  }
  const names = new Strings();
  const sections: SectionSpec[] = [
    { name: '', type: 0 },
    ...given,
    { name: '.symtab', type: 2, link: given.length + 2, entrySize: 24, bytes: table },
    { name: '.strtab', type: 3, bytes: strings.bytes() },
    { name: '.shstrtab', type: 3 },
  ];
  const nameOffsets = sections.map(({ name }) => names.add(name));
  sections[sections.length - 1] = { name: '.shstrtab', type: 3, bytes: names.bytes() };

  const parts: Buffer[] = [Buffer.alloc(64)];
  let position = 64;
  const headers = Buffer.alloc(sections.length * 64);
  for (const [i, section] of sections.entries()) {
    const bytes = Buffer.from(section.bytes ?? []);
    const at = i * 64;
    headers.writeUInt32LE(nameOffsets[i] as number, at);
    headers.writeUInt32LE(section.type ?? 1, at + 4);
    headers.writeBigUInt64LE(BigInt(section.flags ?? 0), at + 8);
    headers.writeBigUInt64LE(BigInt(i === 0 ? 0 : position), at + 0x18);
    headers.writeBigUInt64LE(BigInt(section.size ?? bytes.length), at + 0x20);
    headers.writeUInt32LE(section.link ?? 0, at + 0x28);
    headers.writeBigUInt64LE(BigInt(section.entrySize ?? 0), at + 0x38);
    parts.push(bytes);
    position += bytes.length;
  }
  const header = parts[0] as Buffer;
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  header.writeUInt16LE(1, 0x10);
  header.writeUInt16LE(machine, 0x12);
  header.writeBigUInt64LE(BigInt(position), 0x28);
  header.writeUInt16LE(64, 0x3a);
  header.writeUInt16LE(sections.length, 0x3c);
  header.writeUInt16LE(sections.length - 1, 0x3e);
  return Buffer.concat([...parts, headers]);
}

class Strings {
  readonly #bytes: number[] = [0];

  add(text: string): number {
    if (text === '') {
      return 0;
    }
    const at = this.#bytes.length;
    this.#bytes.push(...Buffer.from(text, 'utf8'), 0);
    return at;
  }

  bytes(): Buffer {
    return Buffer.from(this.#bytes);
  }
}
