import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { KscopeError } from '../model/errors.ts';
import { type Elf, type ElfSource, parseElf } from './elf.ts';

const FILE_MAX = 2 ** 32;

/** A program or library, of which only what is looked at is read: a large one has a hundred megabytes of code. */
export class ElfFile implements Disposable {
  readonly elf: Elf;
  /** Leads to the file that was read, whoever renames files meanwhile. */
  readonly path: string;
  readonly #fd: number;

  private constructor(fd: number, elf: Elf) {
    this.#fd = fd;
    this.elf = elf;
    this.path = `/proc/self/fd/${fd}`;
  }

  /**
   * Opens it. @param seen files that are of no interest any more, under whatever path; gets this one
   * @returns undefined for what cannot be read, is no ELF file, or was seen before
   */
  static open(path: string, seen: Set<string>): ElfFile | undefined {
    let fd: number;
    try {
      // A FIFO in the place of a library must not stop us.
      fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    } catch {
      return undefined;
    }
    let file: ElfFile | undefined;
    try {
      const stats = fstatSync(fd);
      const identity = `${stats.dev} ${stats.ino}`;
      if (!seen.has(identity)) {
        seen.add(identity);
        const readable = stats.isFile() && stats.size <= FILE_MAX;
        file = readable ? new ElfFile(fd, parseElf(piecesOf(fd, stats.size, path), path)) : undefined;
      }
    } catch (error) {
      if (!(error instanceof KscopeError)) {
        throw error;
      }
    } finally {
      if (file === undefined) {
        closeSync(fd);
      }
    }
    return file;
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}

/**
 * What is found in a program or library. @param seen as of `ElfFile.open()`
 * @returns undefined also for one that is damaged
 */
export function inElfFile<T>(path: string, seen: Set<string>, find: (elf: Elf) => T): T | undefined {
  using file = ElfFile.open(path, seen);
  try {
    return file === undefined ? undefined : find(file.elf);
  } catch (error) {
    if (error instanceof KscopeError && error.code === 'failed') {
      return undefined;
    }
    throw error;
  }
}

/** Names and symbols are never larger than this together; sections that claim to be are no program's. */
const PIECES_MAX = 512 * 2 ** 20;

function piecesOf(fd: number, size: number, path: string): ElfSource {
  let left = PIECES_MAX;
  return {
    size,
    part(offset, length) {
      left -= length;
      if (left < 0) {
        throw new KscopeError('failed', `${path} is damaged: its sections are too large`);
      }
      const bytes = Buffer.allocUnsafeSlow(length);
      for (let have = 0; have < length; ) {
        const count = readSync(fd, bytes, have, length - have, offset + have);
        if (count === 0) {
          throw new KscopeError('failed', `${path} is truncated: it became shorter`);
        }
        have += count;
      }
      return bytes;
    },
  };
}
