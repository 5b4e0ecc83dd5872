import { libbpf } from '../native/libbpf.ts';
import type { Pointer } from '../native/library.ts';

/** An attached program. It stays attached until `close`; a link that is dropped without it is never detached early. */
export class BpfLink implements Disposable {
  #pointer: Pointer;

  /** Takes ownership of a `struct bpf_link`. */
  constructor(pointer: bigint) {
    this.#pointer = pointer;
  }

  /** Descriptor; negative after close. */
  get fd(): number {
    return this.#pointer === null ? -1 : libbpf.bpf_link__fd(this.#pointer);
  }

  /** Detaches; may be called twice. */
  close(): void {
    if (this.#pointer !== null) {
      libbpf.bpf_link__destroy(this.#pointer);
      this.#pointer = null;
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
