import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Demands } from '../../lib/shapes/on-demand.ts';

async function* counting(until: number, gate: { open: Promise<void> }): AsyncGenerator<number, void, void> {
  for (let i = 1; i <= until; i++) {
    await gate.open;
    yield i;
  }
}

test('a demand comes between what is passed on, and nobody listens afterwards', async () => {
  // Nothing else listens for it; to SIGUSR2, later versions of Node answer with a report while they run tests.
  const signal = 'SIGCONT';
  const before = process.listenerCount(signal);
  let open = () => {};
  const gate = {
    open: new Promise<void>((resolve) => {
      open = resolve;
    }),
  };
  const seen: (number | string)[] = [];
  {
    using demands = new Demands(signal);
    process.emit(signal, signal);
    for await (const one of demands.among(counting(3, gate))) {
      seen.push(one);
      open();
    }
  }
  assert.deepEqual(seen, [signal, 1, 2, 3]);
  assert.equal(process.listenerCount(signal), before);
});
