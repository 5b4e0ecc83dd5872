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
