import { closeSync, openSync, readSync } from 'node:fs';

const FIRST = 1 << 20;

/**
 * Reads a file that the kernel writes while it is read, some kilobytes at a time and of a size that nobody knows before: to
 * make room for each of thousands of pieces by itself, as readFileSync does, takes longer than to read them.
 * @param memory is read into, as far as it is large enough: what is returned is overwritten by who reads into it next
 * @param most reading ends when there is more than that
 * @throws NodeJS.ErrnoException as readFileSync
 */
export function readKernelFile(
  path: string,
  memory = Buffer.allocUnsafe(FIRST),
  most = Number.POSITIVE_INFINITY,
): Buffer {
  const file = openSync(path, 'r');
  try {
    let bytes = memory;
    let end = 0;
    for (;;) {
      const read = end > most ? 0 : readSync(file, bytes, end, bytes.length - end, null);
      if (read === 0) {
        return bytes.subarray(0, end);
      }
      end += read;
      if (end === bytes.length) {
        const larger = Buffer.allocUnsafe(2 * end);
        bytes.copy(larger);
        bytes = larger;
      }
    }
  } finally {
    closeSync(file);
  }
}
