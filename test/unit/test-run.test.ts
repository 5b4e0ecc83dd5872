import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runsAlone } from '../../lib/gen/test-run.ts';

test('a test file runs alone when a line of it says so and why', () => {
  assert.equal(runsAlone("import x from 'y';\n\n// Alone: counts what the whole machine does.\n"), true);
  assert.equal(runsAlone('// Alone: counts what the whole machine does.'), true);
  for (const other of ['', '// Alone:\ncode();\n', '// Alone\n', "const text = '// Alone: why';\n"]) {
    assert.equal(runsAlone(other), false, other);
  }
});
