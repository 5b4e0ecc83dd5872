import { closeSync, openSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { enterCgroup, TestCgroup } from './cgroup.ts';
import { pointerTo } from './native-arguments.ts';
import { mustSyscall } from './syscall.ts';

const BPF_PROG_LOAD = 5;
const BPF_PROG_ATTACH = 8;
const BPF_PROG_DETACH = 9;
const BPF_PROG_TYPE_CGROUP_SKB = 8;
const BPF_CGROUP_INET_EGRESS = 1;
/** r0 = 0, which refuses the packet; exit. */
const REFUSE = BigUint64Array.of(0xb7n, 0x95n);

/** A cgroup of a test's own whose sockets may be kept from sending: what they send fails at once with EPERM. */
export class SilentCgroup implements Disposable {
  readonly #group = new TestCgroup();
  readonly #program: number;

  constructor() {
    const license = Buffer.from('GPL\0');
    const load = new DataView(new ArrayBuffer(72));
    load.setUint32(0, BPF_PROG_TYPE_CGROUP_SKB, true);
    load.setUint32(4, REFUSE.length, true);
    load.setBigUint64(8, pointerTo(new Uint8Array(REFUSE.buffer)), true);
    load.setBigUint64(16, pointerTo(license), true);
    load.setUint32(68, BPF_CGROUP_INET_EGRESS, true);
    this.#program = mustSyscall('bpf', BPF_PROG_LOAD, new Uint8Array(load.buffer), load.byteLength);
  }

  /** Sockets that this process makes meanwhile are in the cgroup for good. */
  inside<T>(make: () => T): T {
    const [, home = '/'] = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8')) ?? [];
    enterCgroup(this.#group.path, process.pid);
    try {
      return make();
    } finally {
      enterCgroup(join(dirname(this.#group.path), home), process.pid);
    }
  }

  silence(): void {
    this.#attach(BPF_PROG_ATTACH);
  }

  /** Ends that. */
  permit(): void {
    this.#attach(BPF_PROG_DETACH);
  }

  [Symbol.dispose](): void {
    closeSync(this.#program);
    this.#group[Symbol.dispose]();
  }

  #attach(command: number): void {
    const directory = openSync(this.#group.path, 'r');
    const attributes = new Uint8Array(Uint32Array.of(directory, this.#program, BPF_CGROUP_INET_EGRESS, 0).buffer);
    mustSyscall('bpf', command, attributes, attributes.length);
    closeSync(directory);
  }
}
