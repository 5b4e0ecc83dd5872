import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { copyProject } from '../helpers/copied-project.ts';
import type { JsonMessage } from '../helpers/run-tool.ts';

const scratch = mkdtempSync(join(tmpdir(), 'kscope-examples-'));
const project = join(scratch, 'project');
/** Seven times a hundred bytes. */
const workload = ['dd', 'if=/dev/zero', 'of=/dev/null', 'bs=100', 'count=7', 'status=none'];
/** A file whose first line is its name. */
const exampleFile = /^```(?:c|ts)\n(?:\/\* (\S+) \*\/|\/\/ (\S+))\n(.*?)^```$/gms;

before(() => {
  copyProject(project);
  const guide = readFileSync(join(project, 'lib/README.md'), 'utf8');
  const tools = guide.slice(guide.indexOf('### snoop'));
  const files = [...tools.matchAll(exampleFile)];
  assert.equal(files.length, 8, 'two files for each shape');
  const contributing = readFileSync(join(project, 'CONTRIBUTING.md'), 'utf8');
  files.push(...contributing.matchAll(exampleFile));
  assert.equal(files.length, 9, 'a test');
  for (const [, c, ts, text = ''] of files) {
    writeFileSync(join(project, c ?? ts ?? ''), text);
  }
  const { status, stderr } = spawnSync(process.execPath, ['lib/gen/build.mjs'], { cwd: project, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
});
after(() => rmSync(scratch, { recursive: true }));

/** What an example says of the workload. */
function traced(name: string): JsonMessage[] {
  const command = join(project, 'dist/commands/bin', name);
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, '--json', '--', ...workload], {
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

test('the example of a snoop has a row for each event', () => {
  const rows = traced('writesnoop').filter(({ type, comm }) => type === 'event' && comm === 'dd');
  assert.deepEqual(
    rows.map(({ result }) => result),
    Array(7).fill('100'),
  );
});

/** Runs test files of the project. */
function assertPass(...files: readonly string[]): void {
  // Node says of itself there that it runs tests, and then runs no others.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const paths = files.map((file) => join(project, 'dist/test', file));
  const { status, stdout } = spawnSync(process.execPath, ['--test', ...paths], { encoding: 'utf8', env });
  assert.equal(status, 0, stdout);
  assert.match(stdout, /^# pass [1-9]/m);
}

test('the example of a test passes', () => assertPass('tools/writesnoop.test.js'));

test('the examples call things as all tools do, and say what they are', () => {
  assertPass('unit/field-types.test.js', 'unit/voice.test.js');
});

test('the example of a histogram has them in their bucket', () => {
  const histogram = traced('writesize').find(({ type, comm }) => type === 'histogram' && comm === 'dd');
  const buckets = (histogram?.buckets ?? []) as { from: number; to: number; count: number }[];
  const filled = buckets.filter(({ count }) => count > 0);
  assert.deepEqual(filled, [{ from: 64, to: 127, count: 7 }]);
  assert.equal(histogram?.total, 700);
});

test('the example of a top table adds them up', () => {
  const rows = traced('writetop').flatMap(({ type, rows }) => (type === 'table' ? (rows as JsonMessage[]) : []));
  const sum = (field: string) => rows.reduce((total, row) => total + Number(row[field]), 0);
  assert.equal(sum('writes'), 7);
  assert.equal(sum('bytes'), 700);
});

test('the example of stacks knows where they come from', () => {
  const stacks = traced('writestacks').filter(({ type, comm }) => type === 'stack' && comm === 'dd');
  assert.equal(
    stacks.reduce((total, { weight }) => total + Number(weight), 0),
    700,
  );
  assert.ok(stacks.every(({ user }) => Array.isArray(user) && user.length > 0));
});
