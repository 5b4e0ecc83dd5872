/** Resolves after the time, or at once when the signal is raised. */
export function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted === true) {
    return Promise.resolve();
  }
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal?.addEventListener('abort', done);
  });
}

/** Resolves at a time of `performance.now()`, however far away that is, or at once when the signal is raised. */
export async function pauseUntil(time: number, signal?: AbortSignal): Promise<void> {
  // Timers of Node take 31 bits of milliseconds.
  for (let left = time - performance.now(); left > 0 && signal?.aborted !== true; left = time - performance.now()) {
    await pause(Math.min(left, 2 ** 30), signal);
  }
}

/**
 * Pauses one after the other, all ended by one signal: to listen to a signal costs more than a timer, and here it is done
 * once.
 */
export class Pauses implements Disposable {
  readonly #signal: AbortSignal | undefined;
  #timer: NodeJS.Timeout | undefined;
  #resume: (() => void) | undefined;
  readonly #end = () => {
    clearTimeout(this.#timer);
    this.#resume?.();
  };

  constructor(signal?: AbortSignal) {
    this.#signal = signal;
    signal?.addEventListener('abort', this.#end);
  }

  /**
   * Resolves after the time, or at once when the signal is raised. @param enough asked then; while it says no, the same
   * timer starts again, so that waiting allocates nothing
   */
  pause(milliseconds: number, enough?: () => boolean): Promise<void> {
    if (this.#signal?.aborted === true) {
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      this.#resume = resolve;
      const timer = setTimeout(() => (enough?.() === false ? timer.refresh() : resolve()), milliseconds);
      this.#timer = timer;
    });
  }

  [Symbol.dispose](): void {
    this.#signal?.removeEventListener('abort', this.#end);
    this.#end();
  }
}
