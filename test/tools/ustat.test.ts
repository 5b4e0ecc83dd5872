import assert from 'node:assert/strict';
import { test } from 'node:test';
import { languages, startProbed } from '../helpers/languages.ts';
import { runTool, type ToolResult } from '../helpers/run-tool.ts';
import { tableRows } from '../helpers/tables.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';
import { watch } from '../helpers/watch.ts';

const amounts = ['methods', 'collections', 'objects', 'classes', 'exceptions', 'threads'] as const;

/** Sums over the intervals for one process, in the order of `amounts`. */
const sums = ({ messages }: ToolResult, pid: number) =>
  amounts.map((name) =>
    tableRows(messages)
      .filter((row) => row.pid === pid)
      .reduce((sum, row) => sum + Number(row[name]), 0),
  );

test('methods, collections and imports of Python are counted', { skip: languages.python.missing }, async () => {
  using place = new TemporaryDirectory();
  await using program = languages.python.start(place);
  await program.ask('.');
  const pid = String(program.pid);
  const { all, text } = await watch(
    'pythonstat',
    { all: ['--json', '-p', pid, '60'], text: ['-C', '--no-summary', '-p', pid, '60'] },
    () => program.ask('cgcg'),
  );
  assert.deepEqual(sums(all, program.pid), [18, 2, 0, 0, 0, 0]);
  const [row] = tableRows(all.messages);
  assert.match(String(row?.cmdline), /^\/usr\/bin\/python3\.11 -Sc/);
  assert.ok(Number(row?.period) > 0);
  assert.match(text.stdout, /^ *PID CMDLINE +METHOD\/s +GC\/s OBJNEW\/s CLOAD\/s EXC\/s THR\/s\n *\d+ \/usr/);
});

test('exceptions of PHP are counted', { skip: languages.php.missing }, async () => {
  using place = new TemporaryDirectory();
  await using program = languages.php.start(place);
  await program.ask('.');
  const { all } = await watch('phpstat', { all: ['--json', '-p', String(program.pid), '60'] }, () => program.ask('x'));
  assert.deepEqual(sums(all, program.pid).slice(1), [0, 0, 0, 4, 0]);
});

test('objects of Ruby are counted', { skip: languages.ruby.missing }, async () => {
  using place = new TemporaryDirectory();
  await using program = languages.ruby.start(place);
  await program.ask('.');
  const { all } = await watch('rubystat', { all: ['--json', '-p', String(program.pid), '60'] }, () => program.ask('o'));
  const [methods = 0, gcs, objects = 0] = sums(all, program.pid);
  assert.ok(methods >= 7 && objects >= 7, `${methods} methods, ${objects} objects`);
  assert.equal(gcs, 0);
});

test('threads, objects and collections of Java are counted', { skip: languages.java.missing }, async () => {
  using place = new TemporaryDirectory();
  await using program = languages.java.start(place, ['-XX:+DTraceMethodProbes', '-XX:+DTraceAllocProbes']);
  // What the first of each loads is loaded then.
  await program.ask('cgot');
  const { all } = await watch('javastat', { all: ['--json', '-p', String(program.pid), '60'] }, () =>
    program.ask('cgott'),
  );
  const [methods = 0, gcs, objects = 0, , , threads] = sums(all, program.pid);
  assert.ok(methods >= 8 && objects >= 7, `${methods} methods, ${objects} objects`);
  assert.deepEqual([gcs, threads], [1, 2]);
});

test('methods of Perl and Tcl are counted where they have probes', async (t) => {
  using place = new TemporaryDirectory();
  await using program = await startProbed(t, place);
  if (program === undefined) {
    return;
  }
  const pid = String(program.pid);
  const { perl, tcl } = await watch(
    'ustat',
    { perl: ['--json', '-l', 'perl', '-p', pid, '60'], tcl: ['--json', '-l', 'tcl', '-p', pid, '60'] },
    () => program.ask('cc'),
  );
  assert.deepEqual(sums(perl, program.pid), [6, 0, 0, 0, 0, 0]);
  assert.deepEqual(sums(tcl, program.pid), [6, 0, 6, 0, 0, 0]);
  const node = await runTool('ustat', ['-p', String(process.pid)]);
  assert.equal(node.code, 3, node.stderr);
});
