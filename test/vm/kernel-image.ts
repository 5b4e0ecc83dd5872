import { command } from './command.ts';

const setupSectors = 0x1f1;
const headerMagic = 0x202;
const payloadOffset = 0x248;
const payloadLength = 0x24c;

const decompressors: readonly { magic: string; program: string; sizeAppended: boolean }[] = [
  { magic: '28b52ffd', program: 'zstd', sizeAppended: true },
  { magic: 'fd377a58', program: 'xz', sizeAppended: true },
  { magic: '02214c18', program: 'lz4', sizeAppended: true },
  { magic: '1f8b0800', program: 'gzip', sizeAppended: false },
];

/**
 * Cuts the ELF kernel out of an x86 bzImage. QEMU boots it through its PVH note, which saves the emulated CPU the
 * decompression. Throws when the image is not one or its compression is unknown.
 */
export async function extractVmlinux(image: Buffer): Promise<Buffer> {
  if (image.length < 0x250 || image.toString('latin1', headerMagic, headerMagic + 4) !== 'HdrS') {
    throw new Error('not an x86 kernel image: no HdrS');
  }
  const start = (image.readUInt8(setupSectors) + 1) * 512 + image.readUInt32LE(payloadOffset);
  const end = start + image.readUInt32LE(payloadLength);
  if (end > image.length) throw new Error(`the payload ends at ${end}, behind the image's ${image.length} bytes`);
  const payload = image.subarray(start, end);
  const magic = payload.toString('hex', 0, 4);
  const kind = decompressors.find((candidate) => candidate.magic === magic);
  if (!kind) throw new Error(`unknown compression of the kernel image: ${magic}`);
  // The kernel's build appends the uncompressed size to all but gzip, and the programs refuse trailing bytes.
  const input = kind.sizeAppended ? payload.subarray(0, -4) : payload;
  const elf = await command(kind.program, ['-dc'], { input });
  if (elf.toString('latin1', 0, 4) !== '\x7fELF') throw new Error('the payload of the kernel image is not ELF');
  return elf;
}
