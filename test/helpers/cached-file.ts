import { closeSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';
import { mustSyscall } from './syscall.ts';

const POSIX_FADV_DONTNEED = 4;

/** A file of whole pages on a disk, of which a test says what is in the page cache. */
export class CachedFile implements Disposable {
  readonly fd: number;
  readonly #page: number;

  constructor(path: string, pages: number, page = 4096) {
    this.fd = openSync(path, 'w+');
    this.#page = page;
    this.write(0, pages);
  }

  /** Takes all of it out of the cache. */
  drop(): void {
    fsyncSync(this.fd);
    mustSyscall('fadvise64', this.fd, 0, 0, POSIX_FADV_DONTNEED);
  }

  /** Reads pages, `at` a time. */
  read(first: number, count: number, at = 16): void {
    const room = Buffer.alloc(at * this.#page);
    for (let page = first; page < first + count; page += at) {
      readSync(this.fd, room, 0, Math.min(at, first + count - page) * this.#page, page * this.#page);
    }
  }

  /** Overwrites or appends pages, one at a time. */
  write(first: number, count: number): void {
    const text = Buffer.alloc(this.#page, 'x');
    for (let page = first; page < first + count; page++) {
      writeSync(this.fd, text, 0, text.length, page * this.#page);
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.fd);
  }
}
