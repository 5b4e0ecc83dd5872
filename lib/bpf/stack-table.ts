import { KscopeError } from '../model/errors.ts';
import { libbpf } from '../native/libbpf.ts';
import { errorText } from '../native/libc.ts';
import type { BpfMap } from './map.ts';

const ENOENT = -2;

// See bpf/include/stack.h.
const SECOND_TABLE = 2 ** 30;

/** The stacks that programs put aside with bpf_get_stackid(), by their ids. */
export class StackTable {
  readonly #first: BpfMap;
  readonly #second: BpfMap;
  readonly #stack: BigUint64Array;

  /** The two maps that STACKS makes. */
  constructor(first: BpfMap, second: BpfMap) {
    this.#first = first;
    this.#second = second;
    this.#stack = new BigUint64Array(first.valueSize / 8);
  }

  /** Addresses, the innermost first; undefined when there is no such stack. @throws KscopeError failed */
  get(id: number): bigint[] | undefined {
    const map = id >= SECOND_TABLE ? this.#second : this.#first;
    const key = new Uint8Array(new Uint32Array([id % SECOND_TABLE]).buffer);
    const result = libbpf.bpf_map_lookup_elem(map.fd, key, new Uint8Array(this.#stack.buffer));
    if (result === ENOENT) {
      return undefined;
    }
    if (result < 0) {
      throw new KscopeError('failed', `the stacks of ${map.name} cannot be read: ${errorText(result)}`);
    }
    const end = this.#stack.indexOf(0n);
    return [...this.#stack.subarray(0, end < 0 ? this.#stack.length : end)];
  }
}
