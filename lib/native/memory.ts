import { KscopeError } from '../model/errors.ts';
import { koffi } from './koffi.ts';
import { errno, errorText, libc } from './libc.ts';

const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_SHARED = 1;
const MAP_PRIVATE = 2;
const MAP_ANONYMOUS = 0x20;
const MAP_FAILED = -1n;

/**
 * Native memory seen in place. A view of unmapped memory is a crash, and V8 cannot empty such views, so whoever takes
 * one keeps it in a field that `close` of the same object drops first, and never hands it out.
 */
export class MappedMemory {
  readonly address: bigint;
  readonly length: number;
  #buffer: ArrayBuffer | undefined;

  private constructor(address: bigint, length: number) {
    this.address = address;
    this.length = length;
    this.#buffer = koffi().view(address, length);
  }

  /** @throws KscopeError failed after close */
  get buffer(): ArrayBuffer {
    if (this.#buffer === undefined) {
      throw new KscopeError('failed', 'memory was used after it was unmapped');
    }
    return this.#buffer;
  }

  /** Maps part of a file that is shared with the kernel. @throws KscopeError failed */
  static shared(fd: number, offset: number, length: number, writable: boolean): MappedMemory {
    return MappedMemory.#map(length, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, offset);
  }

  /** Zeroed memory of our own at a fixed address; pages cost nothing until touched. @throws KscopeError failed */
  static private(length: number): MappedMemory {
    return MappedMemory.#map(length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  }

  /** Reads from a file of the kernel, which has it in memory. @throws KscopeError failed, where that cannot be mapped */
  static readOnly(fd: number, length: number): MappedMemory {
    return MappedMemory.#map(length, PROT_READ, MAP_PRIVATE, fd, 0);
  }

  static #map(length: number, protection: number, flags: number, fd: number, offset: number): MappedMemory {
    const address = BigInt(libc.mmap(null, length, protection, flags, fd, offset));
    if (address === MAP_FAILED) {
      throw new KscopeError('failed', `cannot map ${length} bytes of memory: ${errorText(errno())}`);
    }
    return new MappedMemory(address, length);
  }

  /** May be called twice. */
  close(): void {
    if (this.#buffer !== undefined) {
      this.#buffer = undefined;
      libc.munmap(this.address, this.length);
    }
  }
}

/** Bytes at a native address that stays valid for as long as the caller uses them. */
export function viewMemory(address: bigint, length: number): Uint8Array {
  return new Uint8Array(koffi().view(address, length));
}

/** Address of a buffer's bytes, valid while the caller holds the buffer. */
export function addressOf(bytes: Uint8Array): bigint {
  return koffi().address(bytes);
}
