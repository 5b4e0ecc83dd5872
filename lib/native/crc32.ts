import { koffi } from './koffi.ts';
import { bind } from './library.ts';

interface Zlib {
  crc32(crc: number, bytes: Uint8Array, length: number): number | bigint;
}

const zlib = bind<Zlib>(() => koffi().load('libz.so.1'), {
  crc32: 'ulong crc32(ulong crc, const uint8_t *bytes, uint32_t length)',
});

/** CRC-32 by the library that libbpf brings along: where it is not alone, Node's own, which takes ten times as long to load. */
export function crc32(bytes: Uint8Array): number {
  try {
    return Number(zlib.crc32(0, bytes, bytes.length));
  } catch {
    return process.getBuiltinModule('node:zlib').crc32(bytes);
  }
}
