import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { lastNotAbove } from './kernel.ts';

// Bounds for a file that belongs to whoever is traced: above any honest one.
const SIZE_MAX = 64 * 2 ** 20;
const FUNCTIONS_MAX = 2 ** 18;
const NAME_MAX = 512;
const MUCH = 1.5;

/**
 * The functions that a JIT compiler made, from /tmp/perf-PID.map of its process: lines of start, size (both
 * hexadecimal) and name. The file grows while the process runs; later lines win over earlier ones.
 */
export class PerfMap {
  readonly #files: readonly string[];
  readonly #uid: number;
  #size = -1;
  #starts = new Float64Array(0);
  #ends = new Float64Array(0);
  #names: readonly string[] = [];

  /**
   * @param files where it may be, the best place first
   * @param uid owner of the process: a file that is neither theirs nor root's tells lies about others
   */
  constructor(files: readonly string[], uid: number) {
    this.#files = files;
    this.#uid = uid;
  }

  /** The function at an address; undefined when the map does not have it. */
  find(address: number): { readonly symbol: string; readonly offset: number } | undefined {
    const at = lastNotAbove(this.#starts, address);
    const start = this.#starts[at];
    return start === undefined || address >= (this.#ends[at] ?? 0)
      ? undefined
      : { symbol: this.#names[at] ?? '', offset: address - start };
  }

  /** Reads the file again if it has changed since the last time. */
  refresh(): void {
    this.#read((size) => size !== this.#size);
  }

  /** Reads the file again if it has grown by half since the last time. */
  refreshIfMuch(): void {
    this.#read((size) => size > this.#size * MUCH);
  }

  #read(wanted: (size: number) => boolean): void {
    for (const file of this.#files) {
      let fd: number;
      try {
        fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY | constants.O_NOFOLLOW);
      } catch {
        continue;
      }
      try {
        const stats = fstatSync(fd);
        if (stats.isFile() && (stats.uid === 0 || stats.uid === this.#uid)) {
          if (wanted(stats.size)) {
            this.#parse(readAll(fd, Math.min(stats.size, SIZE_MAX)));
            this.#size = stats.size;
          }
          return;
        }
      } catch {
        // As if it were not there.
      } finally {
        closeSync(fd);
      }
    }
  }

  #parse(text: Buffer): void {
    const functions = new Map<number, { end: number; name: string }>();
    for (let at = 0; at < text.length && functions.size < FUNCTIONS_MAX; ) {
      const found = text.indexOf(0x0a, at);
      const end = found < 0 ? text.length : found;
      const line = text.toString('utf8', at, Math.min(end, at + NAME_MAX + 40));
      const match = /^(?:0x)?([0-9a-f]{1,13}) (?:0x)?([0-9a-f]{1,8}) (.+)$/i.exec(line);
      if (match !== null) {
        const start = Number.parseInt(match[1] ?? '', 16);
        functions.set(start, { end: start + Number.parseInt(match[2] ?? '', 16), name: match[3] ?? '' });
      }
      at = end + 1;
    }
    const sorted = [...functions].sort(([a], [b]) => a - b);
    this.#starts = Float64Array.from(sorted, ([start]) => start);
    this.#ends = Float64Array.from(sorted, ([, { end }]) => end);
    this.#names = sorted.map(([, { name }]) => name);
  }
}

function readAll(fd: number, size: number): Buffer {
  const bytes = Buffer.alloc(size);
  let done = 0;
  while (done < size) {
    const count = readSync(fd, bytes, done, size - done, done);
    if (count === 0) {
      break;
    }
    done += count;
  }
  return bytes.subarray(0, done);
}
