import assert from 'node:assert/strict';
import { test } from 'node:test';
import { languages, startProbed } from '../helpers/languages.ts';
import { runTool, type ToolResult } from '../helpers/run-tool.ts';
import { tableRows } from '../helpers/tables.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';
import { watch } from '../helpers/watch.ts';

/** [class, method, calls] of the rows, in the order of the methods, without what the loop around does. */
function counts({ messages }: ToolResult, wanted: RegExp): unknown[][] {
  return tableRows(messages)
    .filter(({ name }) => wanted.test(String(name)))
    .map(({ class: of, method, calls }) => [of, method, calls])
    .sort((a, b) => String(a[1]).localeCompare(String(b[1])));
}

test('functions of Python that return are counted, and system calls beside them', {
  skip: languages.python.missing,
}, async () => {
  using place = new TemporaryDirectory();
  await using program = languages.python.start(place);
  await program.ask('.');
  const pid = String(program.pid);
  const seen = await watch(
    'ucalls',
    {
      all: ['--json', pid],
      calls: ['--json', '-S', '-L', '-l', 'none', pid],
      text: ['-T', '1', '-S', pid],
    },
    () => program.ask('cc.'),
  );
  assert.deepEqual(counts(seen.all, /./), [
    ['<string>', 'fact', 10],
    ['<string>', 'leaf', 6],
    ['<string>', 'work', 2],
  ]);
  const calls = tableRows(seen.calls.messages);
  assert.deepEqual(calls.map(({ pid: who, syscall, calls: count }) => [who, syscall, count]).sort(), [
    // The first read was under way.
    [program.pid, 'read', 3],
    [program.pid, 'write', 3],
  ]);
  assert.ok(calls.every(({ total }) => Number(total) > 0));
  assert.match(seen.text.stdout, /^ *PID METHOD +# CALLS\n *\d+ <string>\.fact +10\n$/);
});

test('methods of Ruby take the time of their outermost calls', { skip: languages.ruby.missing }, async () => {
  using place = new TemporaryDirectory();
  await using program = languages.ruby.start(place);
  await program.ask('.');
  const pid = String(program.pid);
  const { all, latency } = await watch('rubycalls', { all: ['--json', pid], latency: ['--json', '-L', pid] }, () =>
    program.ask('cc'),
  );
  const expected = [
    ['Work', 'fact', 10],
    ['Work', 'leaf', 6],
    ['Work', 'work', 2],
  ];
  assert.deepEqual(counts(all, /^Work/), expected);
  assert.deepEqual(counts(latency, /^Work/), expected);
  const time = new Map(tableRows(latency.messages).map(({ name, total }) => [name, Number(total)]));
  const parts = Number(time.get('Work.fact')) + Number(time.get('Work.leaf'));
  assert.ok(parts > 0 && Number(time.get('Work.work')) > parts);
  assert.ok(tableRows(all.messages).every(({ total }) => total === undefined));
});

test('methods and functions of PHP are counted', { skip: languages.php.missing }, async () => {
  using place = new TemporaryDirectory();
  await using program = languages.php.start(place);
  await program.ask('.');
  const { all } = await watch('phpcalls', { all: ['--json', '-L', String(program.pid)] }, () => program.ask('cc'));
  assert.deepEqual(counts(all, /^(Work|plain)/), [
    ['Work', 'fact', 10],
    ['Work', 'leaf', 6],
    [undefined, 'plain', 2],
  ]);
});

test('methods of Java are counted where it was started so', { skip: languages.java.missing }, async () => {
  using place = new TemporaryDirectory();
  await using program = languages.java.start(place, ['-XX:+DTraceMethodProbes']);
  await program.ask('.');
  const { all } = await watch('javacalls', { all: ['--json', '-L', String(program.pid)] }, () => program.ask('cct'));
  assert.deepEqual(counts(all, /^Work/), [
    ['Work', '<init>', 1],
    ['Work', 'fact', 10],
    ['Work', 'leaf', 7],
    ['Work', 'run', 1],
  ]);
});

test('methods of Perl and Tcl are counted where they have probes', async (t) => {
  using place = new TemporaryDirectory();
  await using program = await startProbed(t, place);
  if (program === undefined) {
    return;
  }
  const pid = String(program.pid);
  const { perl, tcl, both } = await watch(
    'ucalls',
    { perl: ['--json', '-L', '-l', 'perl', pid], tcl: ['--json', '-l', 'tcl', pid], both: ['--json', pid] },
    () => program.ask('cc'),
  );
  assert.deepEqual(counts(perl, /./), [['Some::Package', 'work', 6]]);
  assert.deepEqual(counts(tcl, /./), [[undefined, '::work', 6]]);
  assert.equal(counts(both, /./).length, 2);
});

test('a process without such probes is refused in a sentence', async () => {
  const [node, none] = await Promise.all([runTool('ucalls', [String(process.pid)]), runTool('ucalls', ['4194000'])]);
  assert.equal(node.code, 3, node.stderr);
  assert.match(node.stderr, /^ucalls: process \d+ has no such probes: Node\.js has none since version 19\n/);
  assert.equal(none.code, 2, none.stderr);
});
