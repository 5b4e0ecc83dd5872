/** A signal of the process, or that it is time. */
type Demand = NodeJS.Signals | 'time';

/** Listens to signals of the process, by which somebody asks for something in between, and to the clock. */
export class Demands implements Disposable {
  readonly #signals: readonly NodeJS.Signals[];
  readonly #demand: (demand: Demand) => void;
  readonly #waiting = new Set<Demand>();
  #timer: NodeJS.Timeout | undefined;
  #wake = () => {};

  constructor(...signals: readonly NodeJS.Signals[]) {
    this.#signals = signals;
    this.#demand = (demand) => {
      this.#waiting.add(demand);
      this.#wake();
    };
    for (const signal of signals) {
      process.on(signal, this.#demand);
    }
  }

  /** Has it be time all that many milliseconds. */
  every(period: number): void {
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#demand('time'), period);
  }

  /** Passes on what comes, and what was asked for since. */
  async *among<T>(source: AsyncGenerator<T, void, void>): AsyncGenerator<T | Demand, void, void> {
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
    clearInterval(this.#timer);
    for (const signal of this.#signals) {
      process.off(signal, this.#demand);
    }
  }
}
