/** Listens to signals of the process, by which somebody asks for something in between. */
export class Demands implements Disposable {
  readonly #signals: readonly NodeJS.Signals[];
  readonly #demand: (signal: NodeJS.Signals) => void;
  readonly #waiting = new Set<NodeJS.Signals>();
  #wake = () => {};

  constructor(...signals: readonly NodeJS.Signals[]) {
    this.#signals = signals;
    this.#demand = (signal) => {
      this.#waiting.add(signal);
      this.#wake();
    };
    for (const signal of signals) {
      process.on(signal, this.#demand);
    }
  }

  /** Passes on what comes, and the signal of whoever asked since. */
  async *among<T>(source: AsyncGenerator<T, void, void>): AsyncGenerator<T | NodeJS.Signals, void, void> {
    try {
      let next = source.next();
      for (;;) {
        const asked = new Promise<undefined>((resolve) => {
          this.#wake = () => resolve(undefined);
        });
        const result = this.#waiting.size > 0 ? undefined : await Promise.race([next, asked]);
        if (result === undefined) {
          const waiting = [...this.#waiting];
          this.#waiting.clear();
          yield* waiting;
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
    for (const signal of this.#signals) {
      process.off(signal, this.#demand);
    }
  }
}
