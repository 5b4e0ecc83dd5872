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
  const before = process.listenerCount('SIGUSR2');
  let open = () => {};
  const gate = {
    open: new Promise<void>((resolve) => {
      open = resolve;
    }),
  };
  const seen: (number | undefined)[] = [];
  {
    using demands = new Demands('SIGUSR2');
    process.emit('SIGUSR2', 'SIGUSR2');
    for await (const one of demands.among(counting(3, gate))) {
      seen.push(one);
      open();
    }
  }
  assert.deepEqual(seen, [undefined, 1, 2, 3]);
  assert.equal(process.listenerCount('SIGUSR2'), before);
});
