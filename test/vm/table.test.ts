import assert from 'node:assert/strict';
import test from 'node:test';
import type { GuestTest } from './report.ts';
import { cellsOf, hooksNote, markdown } from './table.ts';

function told(file: string, path: string[], outcome: GuestTest['outcome'], reason = ''): GuestTest {
  return { file: `/repo/dist/test/${file}.test.js`, path, outcome, reason, duration: 1 };
}

const tests = [
  told('kernel/conformance', ['every tool is a command'], 'passed'),
  told('kernel/conformance', ['opens', 'traces'], 'passed'),
  told('tools/opens', ['17 opens'], 'passed'),
  told('kernel/conformance', ['files'], 'skipped', 'the kernel has no function a'),
  told('tools/files', ['rows'], 'skipped', 'the kernel has no function a'),
  told('kernel/conformance', ['waits', 'traces'], 'passed'),
  told('tools/waits', ['outer', 'inner'], 'failed'),
  told('kernel/library', ['opens'], 'failed'),
];

test('a tool is what its tests and its conformance say', () => {
  const notes = [
    'tests 5',
    hooksNote('opens', [{ hook: 'tracepoint a:b' }, { hook: 'tracepoint a:b' }, { hook: 'c' }]),
  ];
  assert.deepEqual(cellsOf(tests, notes), {
    opens: { outcome: 'pass', hooks: ['tracepoint a:b', 'c'] },
    files: { outcome: 'unsupported', hooks: [], reason: 'the kernel has no function a' },
    waits: { outcome: 'fail', hooks: [], failed: ['outer > inner'] },
  });
});

test('the table has a line for each tool and a column for each kernel', () => {
  const kernels = ['5.10', '6.1'].map((kernel) => ({ kernel, release: `${kernel}.9`, tools: cellsOf(tests, []) }));
  const [head, , files, opens, waits, all] = markdown(kernels).split('\n');
  assert.equal(head, '| tool | 5.10.9 | 6.1.9 |');
  assert.match(files ?? '', /^\| files \| unsupported: the kernel has no function a \|/);
  assert.match(opens ?? '', /^\| opens \| pass: hooks not told \|/);
  assert.match(waits ?? '', /^\| waits \| FAIL: outer > inner \|/);
  assert.match(all ?? '', /^\| all \| 1 pass, 1 unsupported, 1 fail \|/);
});
