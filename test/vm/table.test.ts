import assert from 'node:assert/strict';
import test from 'node:test';
import type { GuestTest } from './report.ts';
import { afterRerun, cellsOf, hooksNote, markdown } from './table.ts';

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
    hooksNote('waits', []),
  ];
  assert.deepEqual(cellsOf({ release: '', tests, notes }, ['opens', 'new']), {
    opens: { outcome: 'pass', hooks: ['tracepoint a:b', 'c'] },
    new: { outcome: 'untested' },
    files: { outcome: 'unsupported', reason: 'the kernel has no function a' },
    waits: { outcome: 'fail', hooks: [], failed: ['outer > inner'] },
  });
});

test('what ran again takes the place of what it had told', () => {
  const again = [told('tools/waits', ['outer', 'inner'], 'passed'), told('tools/waits', ['other'], 'passed')];
  const all = afterRerun(
    { release: '1', tests, notes: [hooksNote('waits', [])] },
    { release: '2', tests: again, notes: [] },
  );
  assert.equal(all.release, '2');
  assert.equal(all.tests.length, tests.length + 1);
  const { waits, opens } = cellsOf(all, []);
  assert.deepEqual([waits, opens?.outcome], [{ outcome: 'pass', hooks: [] }, 'pass']);
});

test('the table has a line for each tool and a column for each kernel', () => {
  const kernels = ['5.10', '6.1'].map((kernel) => ({ kernel, release: `${kernel}.9` }));
  const notes = [hooksNote('reads', [])];
  const all6 = [...tests, told('kernel/conformance', ['reads', 'traces'], 'passed')];
  const [head, , files, opens, reads, waits, all] = markdown(
    kernels.map((one) => ({ ...one, tools: cellsOf({ ...one, tests: all6, notes }, []) })),
  ).split('\n');
  assert.equal(head, '| tool | 5.10.9 | 6.1.9 |');
  assert.match(files ?? '', /^\| files \| unsupported: the kernel has no function a \|/);
  assert.match(opens ?? '', /^\| opens \| pass: hooks not told \|/);
  assert.match(reads ?? '', /^\| reads \| pass: no hook, it only reads \|/);
  assert.match(waits ?? '', /^\| waits \| FAIL: outer > inner \|/);
  assert.match(all ?? '', /^\| all \| 2 pass, 1 unsupported, 1 fail \|/);
});
