import koffi from 'koffi';

/** A number, a C string, memory to read or write, or a list of C strings that ends with NULL. */
export type Argument = number | bigint | string | Uint8Array | readonly (string | Uint8Array)[];

/** Arguments of a native call as the numbers that they are there. Hold it during the call: the memory is its own. */
export class NativeArguments implements Disposable {
  readonly numbers: readonly (number | bigint)[];
  readonly #held: Uint8Array[] = [];

  constructor(args: readonly Argument[]) {
    this.numbers = args.map((argument) => this.#numberOf(argument));
  }

  [Symbol.dispose](): void {
    this.#held.length = 0;
  }

  #numberOf(argument: Argument): number | bigint {
    if (typeof argument === 'number' || typeof argument === 'bigint') {
      return argument;
    }
    if (argument instanceof Uint8Array) {
      return this.#address(argument);
    }
    if (typeof argument === 'string') {
      return this.#address(terminated(argument));
    }
    const pointers = argument.map((one) => this.#address(terminated(one)));
    return this.#address(new Uint8Array(BigUint64Array.from([...pointers, 0n]).buffer));
  }

  #address(memory: Uint8Array): bigint {
    this.#held.push(memory);
    return pointerTo(memory);
  }
}

/** Address of memory that a structure given to a native call points to; valid while the caller holds the memory. */
export function pointerTo(memory: Uint8Array): bigint {
  return koffi.address(memory);
}

function terminated(text: string | Uint8Array): Uint8Array {
  return Buffer.concat([typeof text === 'string' ? Buffer.from(text) : text, Buffer.of(0)]);
}
