import assert from 'node:assert/strict';
import { test } from 'node:test';
import { languages, startProbed } from '../helpers/languages.ts';
import { type JsonMessage, runTool } from '../helpers/run-tool.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';
import { watch } from '../helpers/watch.ts';

const flow = (rows: readonly JsonMessage[], wanted = /./) =>
  rows
    .filter(({ name }) => wanted.test(String(name)))
    .map(({ name, depth, returns }) => `${depth}${returns === undefined ? '>' : '<'} ${name}`);

const factorial = [1, 2, 3].map((depth) => `${depth}> Work.fact`);

test('calls of PHP are lines when they begin and end, by depth', { skip: languages.php.missing }, async () => {
  using place = new TemporaryDirectory();
  await using program = languages.php.start(place);
  await program.ask('.');
  const pid = String(program.pid);
  const { all, some, text } = await watch(
    'phpflow',
    { all: ['--json', pid], some: ['--json', '-C', 'Work', '-M', 'fa', pid], text: [pid] },
    () => program.ask('c'),
  );
  const leaf = ['0> Work.leaf', '0< Work.leaf'];
  const five = [0, 1, 2, 3, 4];
  const fact = [...five.map((i) => `${i}> Work.fact`), ...five.reverse().map((i) => `${i}< Work.fact`)];
  const calls = flow(all.rows, /^(Work|plain)/);
  assert.deepEqual(calls, [...leaf, ...leaf, ...leaf, ...fact, '0> plain', '0< plain']);
  assert.deepEqual(flow(some.rows), fact);
  assert.ok(all.rows.every((row) => row.pid === program.pid && row.tid === program.pid && row.comm === 'php8.2'));
  assert.match(text.stdout, /^TIME +CPU +PID +TID METHOD\n/);
  assert.match(text.stdout, /\d -> Work\.fact\n.+\d {3}-> Work\.fact\n.+\d {5}-> Work\.fact\n/);
});

test('methods of Ruby are within those that call them', { skip: languages.ruby.missing }, async () => {
  using place = new TemporaryDirectory();
  await using program = languages.ruby.start(place);
  await program.ask('.');
  const { all } = await watch('uflow', { all: ['--json', '-C', 'Work', String(program.pid)] }, () => program.ask('c'));
  const calls = flow(all.rows);
  assert.deepEqual(calls.slice(0, 10), [
    '0> Work.work',
    ...[1, 2, 3].flatMap(() => ['1> Work.leaf', '1< Work.leaf']),
    ...factorial,
  ]);
  assert.deepEqual(calls.slice(-2), ['1< Work.fact', '0< Work.work']);
  assert.equal(calls.length, 2 * (1 + 3 + 5));
});

test('methods of Java are indented by thread', { skip: languages.java.missing }, async () => {
  using place = new TemporaryDirectory();
  await using program = languages.java.start(place, ['-XX:+DTraceMethodProbes']);
  await program.ask('.');
  const { all } = await watch('javaflow', { all: ['--json', '-C', 'Work', String(program.pid)] }, () =>
    program.ask('t'),
  );
  const threads = [...new Set(all.rows.map(({ tid }) => tid))];
  assert.equal(threads.length, 2);
  const worker = all.rows.filter(({ tid }) => tid === threads[1]);
  const [first] = worker;
  const depth = Number(first?.depth);
  assert.deepEqual(flow(worker), [
    `${depth}> Work.run`,
    `${depth + 1}> Work.leaf`,
    `${depth + 1}< Work.leaf`,
    `${depth}< Work.run`,
  ]);
});

test('calls of Python that only say when they end are not indented', { skip: languages.python.missing }, async () => {
  using place = new TemporaryDirectory();
  await using program = languages.python.start(place);
  await program.ask('.');
  const { all } = await watch('pythonflow', { all: ['--json', String(program.pid)] }, () => program.ask('c'));
  assert.deepEqual(
    flow(all.rows),
    [...Array(3).fill('leaf'), ...Array(5).fill('fact'), 'work'].map((name) => `0< <string>.${name}`),
  );
});

test('calls of Perl and Tcl are lines where they have probes', async (t) => {
  using place = new TemporaryDirectory();
  await using program = await startProbed(t, place);
  if (program === undefined) {
    return;
  }
  const pid = String(program.pid);
  const { perl, tcl } = await watch(
    'uflow',
    { perl: ['--json', '-l', 'perl', pid], tcl: ['--json', '-l', 'tcl', pid] },
    () => program.ask('c'),
  );
  const lines = (name: string) => ['0>', '1>', '2>', '2<', '1<', '0<'].map((one) => `${one} ${name}`);
  assert.deepEqual(flow(perl.rows), lines('Some::Package.work'));
  assert.deepEqual(flow(tcl.rows), lines('::work'));
});

test('a process without such probes is refused in a sentence', async () => {
  const { code, stderr } = await runTool('uflow', [String(process.pid)]);
  assert.equal(code, 3, stderr);
  assert.match(stderr, /^uflow: process \d+ has no such probes: Node\.js has none since version 19\n/);
});
