import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failedFiles, runsAlone } from '../../lib/gen/test-run.ts';

test('a test file runs alone when a line of it says so and why', () => {
  assert.equal(runsAlone("import x from 'y';\n\n// Alone: counts what the whole machine does.\n"), true);
  assert.equal(runsAlone('// Alone: counts what the whole machine does.'), true);
  for (const other of ['', '// Alone:\ncode();\n', '// Alone\n', "const text = '// Alone: why';\n"]) {
    assert.equal(runsAlone(other), false, other);
  }
});

test('the files of failed tests are run again: here, or in the guest with the kernel where they failed', () => {
  const here = ['tools/opensnoop.test.js: opens are seen', 'tools/opensnoop.test.js: paths are whole'];
  const other = ['vm/guest.test.js: a guest runs commands'];
  const guests = [
    'vm/matrix.test.js: 6.1 tools/opensnoop.test.js > opens are seen',
    'vm/matrix.test.js: 5.10 tools/opensnoop.test.js > opens are seen',
  ];
  assert.deepEqual(failedFiles([...here, ...other, ...guests]), [
    { file: 'tools/opensnoop.test.js' },
    { file: 'vm/guest.test.js' },
    { file: 'tools/opensnoop.test.js', kernel: '6.1' },
    { file: 'tools/opensnoop.test.js', kernel: '5.10' },
  ]);
  assert.deepEqual(failedFiles([]), []);
  assert.equal(failedFiles([...other, 'vm/matrix.test.js: matrix']), undefined);
  assert.equal(failedFiles(['no tests in test/kernel']), undefined);
});
