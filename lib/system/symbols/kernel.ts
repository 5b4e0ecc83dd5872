import { readFileSync } from 'node:fs';
import type { Frame } from '../../model/message.ts';

// All kernel addresses have their top 16 bits set; without them they fit a number exactly.
const KERNEL_BASE = 0xffff000000000000n;
const DIGITS = 12;

const LINE_END = 0x0a;
const SPACE = 0x20;

/** The kernel's functions by address, from /proc/kallsyms. Read when first needed: it is some megabytes. */
export class KernelSymbols {
  /** The kernel hides addresses from us: every look-up finds nothing. */
  readonly hidden: boolean;
  readonly #text: Buffer;
  readonly #addresses: Float64Array;
  readonly #names: Uint32Array;
  readonly #known = new Map<bigint, Frame>();

  constructor(file = '/proc/kallsyms') {
    this.#text = readFileSync(file);
    const { addresses, names, hidden } = functions(this.#text);
    this.hidden = hidden;
    const order = Uint32Array.from(addresses.keys()).sort((a, b) => (addresses[a] ?? 0) - (addresses[b] ?? 0));
    this.#addresses = Float64Array.from(order, (i) => addresses[i] ?? 0);
    this.#names = Uint32Array.from(order, (i) => names[i] ?? 0);
  }

  /** The function that an address is in. */
  resolve(address: bigint): Frame {
    let frame = this.#known.get(address);
    if (frame === undefined) {
      frame = this.#find(address);
      this.#known.set(address, frame);
    }
    return frame;
  }

  /** Where a function begins, and where the next one does; undefined for one that is not there. */
  extent(name: string): readonly [bigint, bigint] | undefined {
    const wanted = [`${name}\n`, `${name}\t`].map((line) => Buffer.from(line));
    const at = this.#names.findIndex((start) =>
      wanted.some((line) => this.#text.compare(line, 0, line.length, start, start + line.length) === 0),
    );
    const start = this.#addresses[at];
    const end = start === undefined ? undefined : this.#addresses.subarray(at).find((address) => address > start);
    return start === undefined || end === undefined
      ? undefined
      : [KERNEL_BASE + BigInt(start), KERNEL_BASE + BigInt(end)];
  }

  #find(address: bigint): Frame {
    if (this.hidden || address < KERNEL_BASE) {
      return { address };
    }
    const wanted = Number(address - KERNEL_BASE);
    const at = lastNotAbove(this.#addresses, wanted);
    if (at < 0) {
      return { address };
    }
    const start = this.#names[at] ?? 0;
    const end = this.#text.indexOf(LINE_END, start);
    const [symbol = '', module] = this.#text.toString('latin1', start, end < 0 ? this.#text.length : end).split('\t');
    return {
      address,
      symbol,
      offset: wanted - (this.#addresses[at] ?? 0),
      ...(module !== undefined && { module }),
    };
  }
}

/** Index of the last element that is not above the value; -1 when all are. The array is sorted. */
export function lastNotAbove(sorted: Float64Array, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? 0) <= value) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low - 1;
}

/** Lines are 'ffffffff81000000 T name' and may end in a tab and '[module]'. */
function functions(text: Buffer): { addresses: number[]; names: number[]; hidden: boolean } {
  const addresses: number[] = [];
  const names: number[] = [];
  let seen = 0;
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf(LINE_END, at);
    const line = end < 0 ? text.length : end;
    // Functions have type t or w, in either case.
    const type = (text[at + 17] ?? 0) | 0x20;
    if (text[at + 16] === SPACE && (type === 0x74 || type === 0x77)) {
      const address = Number.parseInt(text.toString('latin1', at + 16 - DIGITS, at + 16), 16);
      seen++;
      if (address > 0) {
        addresses.push(address);
        names.push(at + 19);
      }
    }
    at = line + 1;
  }
  return { addresses, names, hidden: seen > 0 && addresses.length === 0 };
}
