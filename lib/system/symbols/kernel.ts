import type { Frame } from '../../model/message.ts';
import { firstNotBefore } from '../../model/sorted.ts';
import { readKernelFile } from '../kernel-file.ts';

// All kernel addresses have their top 16 bits set; without them they fit a number exactly.
const KERNEL_BASE = 0xffff000000000000n;
const DIGITS = 12;
/** Address, type, and a name of one letter. */
const SHORTEST_LINE = 20;

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
    this.#text = readKernelFile(file);
    const { hidden, ...found } = functions(this.#text);
    const { addresses, names } = sorted(found);
    this.hidden = hidden;
    this.#addresses = addresses;
    this.#names = names;
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

  /** Where the functions of a name begin, and where for each the next other one does. */
  extents(name: string): (readonly [bigint, bigint])[] {
    const wanted = [`${name}\n`, `${name}\t`].map((line) => Buffer.from(line));
    const found = new Map<number, readonly [bigint, bigint]>();
    this.#names.forEach((place, at) => {
      const start = this.#addresses[at];
      if (wanted.some((line) => this.#text.compare(line, 0, line.length, place, place + line.length) === 0)) {
        const end = this.#addresses.subarray(at).find((address) => address > (start ?? 0));
        if (start !== undefined && end !== undefined) {
          found.set(start, [KERNEL_BASE + BigInt(start), KERNEL_BASE + BigInt(end)]);
        }
      }
    });
    return [...found.values()];
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
  return firstNotBefore(sorted.length, (index) => (sorted[index] as number) <= value) - 1;
}

interface Functions {
  readonly addresses: Float64Array;
  /** Where in the text are the names. */
  readonly names: Uint32Array;
}

/** Lines are 'ffffffff81000000 T name' and may end in a tab and '[module]'. */
function functions(text: Buffer): Functions & { hidden: boolean } {
  const most = Math.ceil(text.length / SHORTEST_LINE);
  const addresses = new Float64Array(most);
  const names = new Uint32Array(most);
  let seen = 0;
  let count = 0;
  for (let at = 0; at < text.length; ) {
    // Functions have type t or w, in either case.
    const type = (text[at + 17] ?? 0) | 0x20;
    if (text[at + 16] === SPACE && (type === 0x74 || type === 0x77)) {
      const address = hexadecimal(text, at + 16 - DIGITS, at + 16);
      seen++;
      if (address > 0) {
        addresses[count] = address;
        names[count++] = at + 19;
      }
    }
    while (at < text.length && text[at] !== LINE_END) {
      at++;
    }
    at++;
  }
  return {
    addresses: addresses.slice(0, count),
    names: names.slice(0, count),
    hidden: seen > 0 && count === 0,
  };
}

/** Sorts by address. The kernel has sorted its own functions, a hundred thousand, but not those of modules. */
function sorted({ addresses, names }: Functions): Functions {
  const count = addresses.length;
  let start = 1;
  while (start < count && (addresses[start] ?? 0) >= (addresses[start - 1] ?? 0)) {
    start++;
  }
  if (start >= count) {
    return { addresses, names };
  }
  const rest = Uint32Array.from({ length: count - start }, (_, i) => start + i).sort(
    (a, b) => (addresses[a] ?? 0) - (addresses[b] ?? 0),
  );
  const merged = { addresses: new Float64Array(count), names: new Uint32Array(count) };
  for (let i = 0, own = 0, other = 0; i < count; i++) {
    const next = rest[other] ?? count;
    const isOwn = own < start && !(next < count && (addresses[next] ?? 0) < (addresses[own] ?? 0));
    const from = isOwn ? own++ : next;
    other += isOwn ? 0 : 1;
    merged.addresses[i] = addresses[from] ?? 0;
    merged.names[i] = names[from] ?? 0;
  }
  return merged;
}

/** The number that these digits are; NaN when some are none. */
function hexadecimal(text: Uint8Array, from: number, end: number): number {
  let value = 0;
  for (let at = from; at < end; at++) {
    const character = text[at] ?? 0;
    const digit = character <= 0x39 ? character - 0x30 : (character | 0x20) - 0x57;
    value = digit >= 0 && digit < 16 ? value * 16 + digit : Number.NaN;
  }
  return value;
}
