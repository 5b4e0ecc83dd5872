import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Stack, StacksMessage, WeighedStack } from '../../lib/model/message.ts';
import { renderFlameGraph } from '../../lib/output/flame-graph.ts';
import { BrowserPage } from '../helpers/browser.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';

const stackOf = (names: readonly string[]): Stack =>
  names.map((symbol, i) => ({ address: BigInt(i), symbol })).reverse();

const stack = (weight: number, ...names: string[]): WeighedStack => ({
  key: {},
  user: stackOf(names),
  kernel: 'none',
  weight,
});

const profile: StacksMessage = {
  type: 'stacks',
  time: 0,
  types: {},
  unit: 'samples',
  stacks: [
    stack(60, 'main', 'parse', 'read_token'),
    stack(20, 'main', 'parse', '<"\'&]]>'),
    stack(15, 'main', 'write_out'),
    stack(5, 'idle'),
  ],
};

/** The frame of a function, as an expression in the page. */
const frame = (name: string) => `[...document.querySelectorAll('.frame')].find((one) => one.dataset.n === '${name}')`;

test('a browser shows the flame graph: a click zooms, a search marks, and no script fails', async (t) => {
  using place = new TemporaryDirectory();
  const file = join(place.path, 'flame.svg');
  writeFileSync(file, renderFlameGraph(profile, 'a test'));
  await using page = await BrowserPage.open(t, file);
  if (page === undefined) {
    return;
  }
  const width = async (name: string) =>
    Number(await page.evaluate(`${frame(name)}.querySelector('rect').getAttribute('width')`));
  const hidden = (name: string) => page.evaluate(`${frame(name)}.style.display === 'none'`);
  const text = (id: string) => page.evaluate(`document.getElementById('${id}').textContent`);

  assert.equal(await page.evaluate("document.querySelectorAll('.frame').length"), 7);
  const whole = await width('all');
  assert.ok(Math.abs((await width('parse')) / whole - 0.8) < 0.001);

  await page.click(frame('parse'));
  assert.ok(Math.abs((await width('parse')) - whole) < 1);
  assert.ok(Math.abs((await width('read_token')) / whole - 0.75) < 0.001);
  assert.equal(await hidden('write_out'), true);
  assert.equal(await hidden('main'), false, 'what led there stays');

  await page.click("document.getElementById('reset')");
  assert.ok(Math.abs((await width('parse')) / whole - 0.8) < 0.001);
  assert.equal(await hidden('write_out'), false);

  page.answer = '^(read_|write_)';
  await page.click("document.getElementById('search')");
  assert.deepEqual(await page.evaluate("[...document.querySelectorAll('.match')].map((one) => one.dataset.n).sort()"), [
    'read_token',
    'write_out',
  ]);
  assert.equal(await text('search'), 'Matched: 75.0 %');

  // Not a regular expression: nothing is marked and nothing fails.
  page.answer = '(';
  await page.click("document.getElementById('search')");
  assert.equal(await page.evaluate("document.querySelectorAll('.match').length"), 0);
  assert.deepEqual(page.errors, []);
});
