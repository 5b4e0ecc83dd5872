import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { pointerTo } from './native-arguments.ts';
import { mustSyscall } from './syscall.ts';

const PAGE = 4096;
const MOVE = 2;
const BALANCING = '/proc/sys/kernel/numa_balancing';

/** What a test of several nodes asks first. */
export function hasNodes(): boolean {
  return existsSync('/sys/devices/system/node/node1');
}

/** The NUMA node that a processor belongs to. */
export function nodeOfCpu(cpu: number): number {
  const link = readdirSync(`/sys/devices/system/cpu/cpu${cpu}`).find((name) => /^node\d+$/.test(name));
  return Number(link?.slice('node'.length) ?? 0);
}

/** Nobody but the test moves anything to the node where it is used, until this is disposed of. */
export class Unbalanced implements Disposable {
  readonly #before = readFileSync(BALANCING, 'utf8');

  constructor() {
    writeFileSync(BALANCING, '0');
  }

  /** Does something as if it was not there. */
  without(work: () => void): void {
    writeFileSync(BALANCING, '1');
    try {
      work();
    } finally {
      writeFileSync(BALANCING, '0');
    }
  }

  [Symbol.dispose](): void {
    writeFileSync(BALANCING, this.#before);
  }
}

/** Memory of this process that can be sent from node to node. */
export class Pages {
  readonly addresses: BigUint64Array;
  readonly #memory: Buffer;
  readonly #offset: number;

  constructor(count: number) {
    // Of this size it comes from the kernel, and not from what others hold.
    this.#memory = Buffer.alloc((count + 1) * PAGE, 1);
    const address = pointerTo(this.#memory);
    const first = (address + BigInt(PAGE - 1)) & ~BigInt(PAGE - 1);
    this.#offset = Number(first - address);
    this.addresses = BigUint64Array.from({ length: count }, (_, page) => first + BigInt(page * PAGE));
  }

  /** Writes to each page. */
  touch(): void {
    for (let page = 0; page < this.addresses.length; page++) {
      this.#memory[this.#offset + page * PAGE] = page;
    }
  }

  /** Moves them where {@link Unbalanced} leaves them, by one call of move_pages(2). @throws Error unless all are there afterwards */
  moveTo(node: number): void {
    // Pages that the kernel has marked for balancing count as absent on some kernels until they are used.
    this.touch();
    const count = this.addresses.length;
    const nodes = Int32Array.from({ length: count }, () => node);
    const status = new Int32Array(count).fill(-1);
    mustSyscall('move_pages', 0, count, bytes(this.addresses), bytes(nodes), bytes(status), MOVE);
    if (!status.every((one) => one === node)) {
      throw new Error(`not all pages are on node ${node}: ${status.join(' ')}`);
    }
  }

  /** The node of each page. */
  nodes(): number[] {
    const status = new Int32Array(this.addresses.length);
    mustSyscall('move_pages', 0, status.length, bytes(this.addresses), 0, bytes(status), MOVE);
    return [...status];
  }

  /** Has the pages where they belong by a policy, by one call of mbind(2) that moves them. */
  bindTo(node: number): void {
    const BIND = 2;
    const [first = 0n] = this.addresses;
    const mask = bytes(BigUint64Array.of(1n << BigInt(node)));
    mustSyscall('mbind', first, this.addresses.length * PAGE, BIND, mask, 64, MOVE);
  }
}

function bytes({ buffer }: BigUint64Array | Int32Array): Uint8Array {
  return new Uint8Array(buffer);
}
