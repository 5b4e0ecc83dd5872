import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { Pauses } from '../../lib/system/pause.ts';

const AGE = 600_000;

test('pauses last as long as told', async () => {
  using pauses = new Pauses();
  const start = performance.now();
  await pauses.pause(20);
  await pauses.pause(20);
  assert.ok(performance.now() - start >= 38);
});

test('a pause goes on until it was enough', async () => {
  using pauses = new Pauses();
  let asked = 0;
  await pauses.pause(1, () => ++asked === 3);
  assert.equal(asked, 3);
});

test('a signal ends the pause that is, and all after it, and is listened to once', async () => {
  const end = new AbortController();
  const { signal } = end;
  using pauses = new Pauses(signal);
  await pauses.pause(0);
  assert.equal(getEventListeners(signal, 'abort').length, 1);
  const long = pauses.pause(AGE, () => false);
  end.abort();
  await long;
  await pauses.pause(AGE);
});

test('whoever pauses no more does not keep the process, nor the signal a listener', async () => {
  const { signal } = new AbortController();
  const pauses = new Pauses(signal);
  const long = pauses.pause(AGE);
  pauses[Symbol.dispose]();
  await long;
  assert.equal(getEventListeners(signal, 'abort').length, 0);
});
