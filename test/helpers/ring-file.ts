import { closeSync, ftruncateSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { libc } from '../../lib/native/libc.ts';

const BUSY = 0x80000000;
const DISCARDED = 0x40000000;
const page = libc.getpagesize();

/**
 * A file that looks like the ring buffer of a BPF map when it is mapped: the consumer's position, the producer's, and
 * the data twice. Both copies are written, as in the kernel they are one.
 */
export class RingFile implements Disposable {
  readonly fd: number;
  readonly size: number;
  #produced: number;

  /** @param start position of both sides, which only ever grow: a multiple of 8 */
  constructor(size: number, start = 0) {
    const folder = mkdtempSync(join(tmpdir(), 'kscope-ring-'));
    this.fd = openSync(join(folder, 'ring'), 'w+');
    rmSync(folder, { recursive: true });
    this.size = size;
    this.#produced = start;
    ftruncateSync(this.fd, 2 * page + 2 * size);
    this.#writeWord(0, start);
    this.#writeWord(page, start);
  }

  /** Adds a record. @returns where it is, for `finish` */
  add(payload: Uint8Array, state: 'ready' | 'busy' | 'discarded' = 'ready'): number {
    const record = Buffer.alloc((8 + payload.length + 7) & ~7);
    const flag = state === 'busy' ? BUSY : state === 'discarded' ? DISCARDED : 0;
    record.writeUInt32LE(payload.length + flag, 0);
    record.set(payload, 8);
    return this.addRaw(record);
  }

  /** Adds bytes that are records already. */
  addRaw(bytes: Uint8Array): number {
    const at = this.#produced;
    this.#write(at, bytes);
    this.#produced += bytes.length;
    this.#writeWord(page, this.#produced);
    return at;
  }

  /** Makes a busy record a ready one. */
  finish(at: number, length: number): void {
    const header = Buffer.alloc(4);
    header.writeUInt32LE(length);
    this.#write(at, header);
  }

  /** Up to where the records were given back. */
  get consumed(): number {
    const bytes = Buffer.alloc(8);
    readSync(this.fd, bytes, 0, 8, 0);
    return Number(bytes.readBigUInt64LE());
  }

  [Symbol.dispose](): void {
    closeSync(this.fd);
  }

  #write(at: number, bytes: Uint8Array): void {
    const start = at % this.size;
    for (const copy of [start - this.size, start, start + this.size]) {
      const from = Math.max(0, -copy);
      const to = Math.min(bytes.length, 2 * this.size - copy);
      if (from < to) {
        writeSync(this.fd, bytes, from, to - from, 2 * page + copy + from);
      }
    }
  }

  #writeWord(at: number, value: number): void {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt(value));
    writeSync(this.fd, bytes, 0, 8, at);
  }
}
