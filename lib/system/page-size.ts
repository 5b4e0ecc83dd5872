import { readFileSync } from 'node:fs';

const AT_PAGESZ = 6n;

/** Bytes of a page of memory, as the kernel tells every program. */
export function pageSize(file = '/proc/self/auxv'): number {
  const bytes = readFileSync(file);
  for (let at = 0; at + 16 <= bytes.length; at += 16) {
    if (bytes.readBigUInt64LE(at) === AT_PAGESZ) {
      return Number(bytes.readBigUInt64LE(at + 8));
    }
  }
  return 4096;
}
