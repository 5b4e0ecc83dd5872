import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sparkline } from '../../lib/view/sparkline.ts';

test('a course is as wide as it is asked to be, the latest at the right', () => {
  assert.equal(sparkline([], 3), '   ');
  assert.equal(sparkline([1], 3), '  █');
  assert.equal(sparkline([9, 1, 2, 3], 3), '▃▆█', 'what is older does not count');
});

test('the largest is a full bar, anything is a bar, and nothing is none', () => {
  assert.equal(sparkline([8, 7, 6, 5, 4, 3, 2, 1], 8), '█▇▆▅▄▃▂▁');
  assert.equal(sparkline([0, 1e-9, 1000, 0], 4), ' ▁█ ');
  assert.equal(sparkline([0, 0], 2), '  ');
  assert.equal(sparkline([-5, 5], 2), ' █');
});
