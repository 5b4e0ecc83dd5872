import { libbpf } from '../native/libbpf.ts';
import { libc } from '../native/libc.ts';
import type { Pointer } from '../native/library.ts';

/** An attached program. It stays attached until `close`; a link that is dropped without it is never detached early. */
export class BpfLink implements Disposable {
  #pointer: Pointer = null;
  #fd = -1;

  /** Takes ownership of a `struct bpf_link`, or of the descriptor of a link that libbpf does not know. */
  constructor(link: bigint | number) {
    if (typeof link === 'bigint') {
      this.#pointer = link;
    } else {
      this.#fd = link;
    }
  }

  /** Descriptor; negative after close. */
  get fd(): number {
    return this.#pointer === null ? this.#fd : libbpf.bpf_link__fd(this.#pointer);
  }

  /** Detaches; may be called twice. */
  close(): void {
    if (this.#pointer !== null) {
      libbpf.bpf_link__destroy(this.#pointer);
      this.#pointer = null;
    } else if (this.#fd >= 0) {
      libc.close(this.#fd);
      this.#fd = -1;
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
