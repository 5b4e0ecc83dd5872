import { join } from 'node:path';
import { pointerTo } from './native-arguments.ts';
import { mustSyscall, syscall } from './syscall.ts';
import { TemporaryDirectory } from './temporary-directory.ts';

const BPF_MAP_CREATE = 0;
const BPF_MAP_UPDATE_ELEM = 2;
const BPF_OBJ_PIN = 6;
const BPF_MAP_TYPE_HASH = 1;
const MNT_DETACH = 2;

/**
 * A set of 64-bit numbers that a test pins in a BPF file system of its own, as a container runtime would for a tool.
 * Made with bare system calls: what is tested has no part in it.
 */
export class PinnedSet implements Disposable {
  /** Of the pinned map. */
  readonly path: string;
  readonly #directory = new TemporaryDirectory();

  constructor(members: readonly bigint[], valueSize: 4 | 8) {
    mustSyscall('mount', 'bpf', this.#directory.path, 'bpf', 0, 0);
    this.path = join(this.#directory.path, 'set');
    const create = new Uint8Array(64);
    create.set(new Uint8Array(Uint32Array.of(BPF_MAP_TYPE_HASH, 8, valueSize, 1024).buffer));
    const fd = mustSyscall('bpf', BPF_MAP_CREATE, create, create.length);
    const path = Buffer.from(`${this.path}\0`);
    const value = new Uint8Array(valueSize);
    for (const member of members) {
      const key = new Uint8Array(BigUint64Array.of(member).buffer);
      const update = BigUint64Array.of(BigInt(fd), pointerTo(key), pointerTo(value), 0n);
      // What the structure points to is given as well, past the last argument: so it stays in place.
      mustSyscall('bpf', BPF_MAP_UPDATE_ELEM, new Uint8Array(update.buffer), update.byteLength, key, value);
    }
    const pin = BigUint64Array.of(pointerTo(path), BigInt(fd));
    mustSyscall('bpf', BPF_OBJ_PIN, new Uint8Array(pin.buffer), pin.byteLength, path);
    mustSyscall('close', fd);
  }

  [Symbol.dispose](): void {
    syscall('umount2', this.#directory.path, MNT_DETACH);
    this.#directory[Symbol.dispose]();
  }
}
