/** What several generators yield, as it comes. All are closed when the consumer stops. */
export async function* merged<T>(...sources: readonly AsyncGenerator<T, void, void>[]): AsyncGenerator<T, void, void> {
  const ask = async (source: AsyncGenerator<T, void, void>) => ({ source, result: await source.next() });
  const waiting = new Map(sources.map((source) => [source, ask(source)]));
  try {
    while (waiting.size > 0) {
      const { source, result } = await Promise.race(waiting.values());
      if (result.done === true) {
        waiting.delete(source);
      } else {
        waiting.set(source, ask(source));
        yield result.value;
      }
    }
  } finally {
    // One that is waiting for its next value takes notice when that comes.
    for (const source of waiting.keys()) {
      void source.return();
    }
  }
}
