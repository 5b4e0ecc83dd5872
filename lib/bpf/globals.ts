import { KscopeError } from '../model/errors.ts';
import type { DecodeContext } from '../model/types.ts';
import { compileDecoder, compileEncoder, memoryOf } from './decoder.ts';
import type { VariableSpec } from './object-spec.ts';

/**
 * The global variables of an object. Constants (.rodata) can be set until load; after load, .bss and .data are the live
 * memory that the programs use, and reading it costs no system call.
 */
export class Globals<T extends object = Record<string, unknown>> {
  readonly #variables: ReadonlyMap<string, VariableSpec>;
  readonly #memoryOf: (section: string, write: boolean) => Uint8Array;
  readonly #context: DecodeContext;

  /** @param memory gives a section's bytes, or throws why it cannot be read or written now */
  constructor(
    variables: ReadonlyMap<string, VariableSpec>,
    memory: (section: string, write: boolean) => Uint8Array,
    context: DecodeContext,
  ) {
    this.#variables = variables;
    this.#memoryOf = memory;
    this.#context = context;
  }

  get names(): readonly string[] {
    return [...this.#variables.keys()];
  }

  has(name: string): boolean {
    return this.#variables.has(name);
  }

  /** @throws KscopeError failed: unknown name, a value out of the type's range, or a constant after load */
  set<N extends keyof T & string>(name: N, value: T[N]): void {
    const variable = this.#variable(name);
    const memory = this.#memoryOf(variable.section, true);
    // What cannot be set must not leave half of itself behind.
    const bytes = new Uint8Array(variable.size);
    try {
      compileEncoder(variable, this.#context)(value, bytes);
    } catch (cause) {
      const why = cause instanceof KscopeError ? cause.message : String(cause);
      throw new KscopeError('failed', `cannot set ${name}: ${why}`, { cause, subject: name });
    }
    memory.set(bytes, variable.offset);
  }

  /** @throws KscopeError failed: unknown name */
  get(name: string): unknown {
    const variable = this.#variable(name);
    const memory = memoryOf(this.#memoryOf(variable.section, false));
    return compileDecoder<unknown>(variable, this.#context)(memory, variable.offset, variable.size);
  }

  /** A reader of an unsigned 64-bit counter, quicker than `get`; exact up to 2^53. */
  counter(name: string): () => number {
    const { section, offset } = this.#variable(name);
    return () => {
      // Asked for each time: memory that was unmapped must not be looked at.
      const bytes = this.#memoryOf(section, false);
      const words = new Uint32Array(bytes.buffer, bytes.byteOffset + offset, 2);
      return (words[0] ?? 0) + (words[1] ?? 0) * 2 ** 32;
    };
  }

  #variable(name: string): VariableSpec {
    const variable = this.#variables.get(name);
    if (variable === undefined) {
      throw new KscopeError('failed', `the object has no variable '${name}'`, { subject: name });
    }
    return variable;
  }
}
