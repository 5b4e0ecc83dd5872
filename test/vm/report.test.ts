import assert from 'node:assert/strict';
import test from 'node:test';
import { type GuestTest, Report, type ReportLine } from './report.ts';

const file = '/repo/dist/test/tools/some.test.js';

function told(lines: (ReportLine | string)[]): { tests: GuestTest[]; report: Report } {
  const tests: GuestTest[] = [];
  const report = new Report((found) => tests.push(found));
  const text = lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join('');
  // In pieces, as it comes from a guest.
  for (const byte of Buffer.from(text)) report.push(Uint8Array.of(byte));
  return { tests, report };
}

function start(name: string, nesting = 0): ReportLine {
  return { type: 'start', file, name, nesting };
}

function end(name: string, nesting = 0, rest: Partial<ReportLine> = {}): ReportLine {
  return { type: 'end', file, name, nesting, duration: 5, passed: true, suite: false, ...rest } as ReportLine;
}

const failed = { passed: false, error: { message: 'why', stack: 'where' }, failureType: 'testCodeFailure' };

test('notes are kept beside the results', () => {
  const { tests, report } = told([start('one'), end('one'), { type: 'note', file, text: 'hooks of a: b' }]);
  assert.deepEqual([tests.length, report.notes, report.noise], [1, ['hooks of a: b'], '']);
});

test('a test is named behind those around it, and a suite is none itself', () => {
  const { tests, report } = told([
    ...[start('süite'), start('one', 1), end('one', 1), start('two', 1), end('two', 1)],
    ...[end('süite', 0, { suite: true }), start('three'), end('three')],
  ]);
  assert.deepEqual(
    tests.map(({ path, outcome }) => [...path, outcome]),
    [
      ['süite', 'one', 'passed'],
      ['süite', 'two', 'passed'],
      ['three', 'passed'],
    ],
  );
  assert.deepEqual([report.tests, report.failed, [...report.files]], [3, 0, [file]]);
});

test('a failure has its message, its stack and what the file printed; its parents do not fail again', () => {
  const { tests, report } = told([
    { type: 'output', file, text: 'printed' },
    ...[start('parent'), start('child', 1), end('child', 1, failed)],
    end('parent', 0, { passed: false, failureType: 'subtestsFailed' }),
  ]);
  assert.equal(tests.length, 1);
  const { path, outcome, error, output } = tests[0] as GuestTest;
  assert.deepEqual([path, outcome, output], [['parent', 'child'], 'failed', 'printed']);
  assert.deepEqual(error, { message: 'why', stack: 'where' });
  assert.equal(report.failed, 1);
});

test('skips and tests to do keep their reasons and are no failures', () => {
  const { tests, report } = told([
    end('a', 0, { skip: 'no kprobes' }),
    end('b', 0, { skip: 'true' }),
    end('c', 0, { ...failed, todo: 'later' }),
  ]);
  assert.deepEqual(
    tests.map(({ outcome, reason }) => [outcome, reason]),
    [
      ['skipped', 'no kprobes'],
      ['skipped', ''],
      ['todo', 'later'],
    ],
  );
  assert.equal(report.failed, 0);
});

test('a file that fails to load is a failure, and so is one without tests', () => {
  const broken = told([start(file), end(file, 0, failed)]);
  assert.deepEqual([broken.report.failed, broken.tests[0]?.path], [1, []]);
  const empty = told([start(file), end(file)]);
  assert.deepEqual([empty.report.failed, empty.report.tests], [1, 0]);
  assert.match(empty.tests[0]?.error?.message ?? '', /no test/);
});

test('a file that is told of besides its tests is no test', () => {
  const { report } = told([end('one'), end(file)]);
  assert.deepEqual([report.tests, report.failed], [1, 0]);
});

test('what is not a line of the reporter is kept apart', () => {
  const { report } = told(['Warning: something', start('one')]);
  assert.equal(report.noise, 'Warning: something\n');
});

test('the test that runs is known before it ends', () => {
  const running = (name: string, nesting: number): ReportLine => ({ type: 'running', file, name, nesting });
  const lines = [running(file, 0), running('parent', 0), running('child', 1)];
  assert.equal(told(lines).report.current, 'some.test.js > parent > child');
  assert.equal(told([...lines, running('next', 0)]).report.current, 'some.test.js > next');
  assert.equal(told([]).report.current, 'no test');
});
