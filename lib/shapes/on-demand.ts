/** Listens to a signal of the process, by which somebody asks for something in between. */
export class Demands implements Disposable {
  readonly #signal: NodeJS.Signals;
  readonly #demand: () => void;
  #waiting = 0;
  #wake = () => {};

  constructor(signal: NodeJS.Signals) {
    this.#signal = signal;
    this.#demand = () => {
      this.#waiting++;
      this.#wake();
    };
    process.on(signal, this.#demand);
  }

  /** Passes on what comes, and `undefined` for whoever asked since. */
  async *among<T>(source: AsyncGenerator<T, void, void>): AsyncGenerator<T | undefined, void, void> {
    try {
      let next = source.next();
      for (;;) {
        const asked = new Promise<undefined>((resolve) => {
          this.#wake = () => resolve(undefined);
        });
        const result = this.#waiting > 0 ? undefined : await Promise.race([next, asked]);
        if (result === undefined) {
          this.#waiting = 0;
          yield undefined;
        } else if (result.done === true) {
          return;
        } else {
          yield result.value;
          next = source.next();
        }
      }
    } finally {
      await source.return();
    }
  }

  [Symbol.dispose](): void {
    process.off(this.#signal, this.#demand);
  }
}
