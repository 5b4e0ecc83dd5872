import assert from 'node:assert/strict';
import { pointerTo } from './native-arguments.ts';
import type { JsonMessage } from './run-tool.ts';
import { mustSyscall } from './syscall.ts';
import { timeless } from './watch.ts';

/** How many calls of each kind `readAll` and `writeAll` make. */
export const KINDS = 5;

/** Reads that many bytes from a file in each way that there is, in this thread, the first two one behind the other. */
export function readAll(fd: number, bytes: number): void {
  const buffer = Buffer.alloc(bytes);
  using vector = new Vector(buffer);
  mustSyscall('lseek', fd, 0, 0);
  mustSyscall('read', fd, buffer, bytes);
  mustSyscall('pread64', fd, buffer, bytes, 0);
  mustSyscall('readv', fd, vector.memory, 1);
  mustSyscall('preadv', fd, vector.memory, 1, 0, 0);
  mustSyscall('preadv2', fd, vector.memory, 1, 0, 0, 0);
}

/** Writes that many bytes in each way, the first two one behind the other. */
export function writeAll(fd: number, bytes: number): void {
  const buffer = Buffer.alloc(bytes, 1);
  using vector = new Vector(buffer);
  mustSyscall('write', fd, buffer, bytes);
  mustSyscall('writev', fd, vector.memory, 1);
  mustSyscall('pwrite64', fd, buffer, bytes, 0);
  mustSyscall('pwritev', fd, vector.memory, 1, 0, 0);
  mustSyscall('pwritev2', fd, vector.memory, 1, 0, 0, 0);
}

/** Rows about one file, without what no test can know exactly. */
export function rowsAbout(path: string, rows: readonly JsonMessage[]): object[] {
  const own = rows.filter((row) => row.path === path);
  assert.ok(own.every(({ latency }) => Number(latency) > 0 && Number(latency) < 60e9));
  return timeless(own.map(({ latency, ...row }) => row as JsonMessage));
}

/** A struct iovec for one buffer, which it holds. */
class Vector implements Disposable {
  readonly memory: Uint8Array;
  held: Uint8Array | undefined;

  constructor(buffer: Uint8Array) {
    this.held = buffer;
    this.memory = new Uint8Array(BigUint64Array.of(pointerTo(buffer), BigInt(buffer.length)).buffer);
  }

  [Symbol.dispose](): void {
    this.held = undefined;
  }
}
