import type { Elf, ElfSection } from '../bpf/elf.ts';

/** A statically defined probe of a binary. */
export interface UsdtProbe {
  readonly provider: string;
  readonly name: string;
  /** In the file, of the instruction. */
  readonly offset: number;
  /** In the file, of the counter that says how many look; undefined when the probe has none. */
  readonly semaphore?: number;
  /** Where the arguments are, as the compiler wrote it: '8@%rdi -4@%esi'. */
  readonly arguments: string;
}

const STAPSDT = 3;
const HEADER = 12;
const ADDRESSES = 24;

/** The probes that the notes of an ELF file describe, in their order; those that make no sense are left out. */
export function usdtProbes(elf: Elf): UsdtProbe[] {
  const probes: UsdtProbe[] = [];
  // What the linker moved is corrected by where this section came to lie.
  const base = elf.section('.stapsdt.base')?.address;
  for (const section of elf.sections.filter(({ name }) => name === '.note.stapsdt')) {
    const bytes = section.bytes;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0; at + HEADER <= bytes.length; ) {
      const nameSize = view.getUint32(at, true);
      const size = view.getUint32(at + 4, true);
      const type = view.getUint32(at + 8, true);
      const content = at + HEADER + padded(nameSize);
      const next = content + padded(size);
      if (next > bytes.length) {
        break;
      }
      if (type === STAPSDT && size >= ADDRESSES) {
        const [location = 0, linkedBase = 0, counter = 0] = [0, 8, 16].map((offset) =>
          Number(view.getBigUint64(content + offset, true)),
        );
        const moved = base === undefined || linkedBase === 0 ? 0 : base - linkedBase;
        const offset = fileOffset(elf.sections, location + moved);
        const semaphore = counter === 0 ? undefined : fileOffset(elf.sections, counter + moved);
        const [provider = '', name = '', args = ''] = Buffer.from(bytes.subarray(content + ADDRESSES, content + size))
          .toString('latin1')
          .split('\0');
        if (offset !== undefined && name !== '' && (counter === 0 || semaphore !== undefined)) {
          probes.push({ provider, name, offset, arguments: args, ...(semaphore !== undefined && { semaphore }) });
        }
      }
      at = next;
    }
  }
  return probes;
}

function padded(size: number): number {
  return (size + 3) & ~3;
}

/** Where in the file is what will be at an address; undefined for addresses that no section has. */
function fileOffset(sections: readonly ElfSection[], address: number): number | undefined {
  const home = sections.find((one) => one.address > 0 && address >= one.address && address < one.address + one.size);
  return home === undefined ? undefined : home.offset + address - home.address;
}
