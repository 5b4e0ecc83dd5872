import { KscopeError } from '../model/errors.ts';
import { libbpf } from '../native/libbpf.ts';
import { errorText } from '../native/libc.ts';
import type { BpfMap } from './map.ts';

const ENOENT = -2;

/** The stacks that programs put aside with bpf_get_stackid(), by their ids. */
export class StackTable {
  readonly #map: BpfMap;
  readonly #bytes: BigUint64Array;

  constructor(map: BpfMap) {
    this.#map = map;
    this.#bytes = new BigUint64Array(map.valueSize / 8);
  }

  /** Addresses, the innermost first; undefined when there is no such stack. @throws KscopeError failed */
  get(id: number): bigint[] | undefined {
    const key = new Uint8Array(new Uint32Array([id]).buffer);
    const result = libbpf.bpf_map_lookup_elem(this.#map.fd, key, new Uint8Array(this.#bytes.buffer));
    if (result === ENOENT) {
      return undefined;
    }
    if (result < 0) {
      throw new KscopeError('failed', `the stacks of ${this.#map.name} cannot be read: ${errorText(result)}`);
    }
    const end = this.#bytes.indexOf(0n);
    return [...this.#bytes.subarray(0, end < 0 ? this.#bytes.length : end)];
  }
}
