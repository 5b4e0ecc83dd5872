import { BpfObject } from './object.ts';
import type { ObjectFile } from './object-file.ts';
import type { BpfProgram } from './program.ts';

export interface GeneratedCode {
  /** Instructions; maps are in them by their descriptors. */
  readonly code: Uint8Array;
  readonly type: number;
  readonly attachType?: number;
  /** Function of the kernel, for fentry and fexit. */
  readonly target?: string;
}

/**
 * A program whose instructions were written at run time.
 *
 * libbpf loads it, as code that takes the place of a stub: a program of an object file that does nothing and refers to no
 * map. It comes in an object of its own, because code that names maps by their descriptors cannot be written before
 * they are there, which is after the load of the object that has them. So libbpf needs no relocation for it, and does
 * what depends on kernels: which helpers there are, and how places are attached to. The alternative was tried with 250
 * instructions that compare names of files behind five pointers and take two stacks: bpf_prog_load() takes the same code,
 * in 0.5 ms instead of 2 ms, but what attaches programs (perf events, references of USDT probes, links, and what older
 * kernels have instead) would have to be written again.
 */
export class GeneratedProgram implements Disposable {
  readonly program: BpfProgram;
  /** For people: 'kprobe vfs_read'. */
  readonly hook: string;
  readonly #object: BpfObject;

  /**
   * Loads it.
   * @param file the object file with the stub
   * @throws KscopeError permission, unsupported or failed, with the verifier's log
   */
  constructor(file: ObjectFile, stub: string, name: string, hook: string, code: GeneratedCode) {
    this.#object = BpfObject.openBytes(file.bytes, { name, spec: file.spec });
    try {
      this.#object.leaveOutMaps();
      for (const program of this.#object.programs.values()) {
        program.autoload = program.name === stub;
      }
      this.program = this.#object.program(stub);
      this.program.rewrite(code.code, code);
      this.#object.load();
    } catch (error) {
      this.#object.close();
      throw error;
    }
    this.hook = hook;
  }

  detach(): void {
    this.#object.detach();
  }

  /** May be called twice. */
  close(): void {
    this.#object.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
