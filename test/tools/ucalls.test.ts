import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { inElfFile } from '../../lib/bpf/elf-file.ts';
import { usdtProbes } from '../../lib/probes/usdt-notes.ts';
import { mappedFiles } from '../../lib/system/libraries.ts';
import { Answering } from '../helpers/answering.ts';
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

/** Programs that answer each byte with the same. */
const echoes = {
  perl: { program: '/usr/bin/perl', text: 'syswrite(STDOUT, $byte) while sysread(STDIN, $byte, 1);' },
  tcl: {
    program: '/usr/bin/tclsh8.6',
    text: 'fconfigure stdout -buffering none\nwhile {[set byte [read stdin 1]] ne ""} {puts -nonewline $byte}',
  },
} as const;

for (const [language, { program, text }] of Object.entries(echoes)) {
  test(`${language} is refused where it was built without probes`, {
    skip: !existsSync(program) && `there is no ${program}`,
  }, async (t) => {
    using place = new TemporaryDirectory();
    const script = join(place.path, 'script');
    writeFileSync(script, text);
    await using running = new Answering(program, [script]);
    await running.ask('.');
    const pid = running.pid;
    const files = mappedFiles(/^(perl|libperl|tclsh|libtcl)/, pid);
    if (files.some((file) => (inElfFile(file, new Set(), usdtProbes) ?? []).length > 0)) {
      t.skip('it has some');
      return;
    }
    const given = [String(pid)];
    const [calls, flow, stat, gc, other] = await Promise.all([
      runTool(`${language}calls`, given),
      runTool('uflow', given),
      runTool('ustat', ['-p', ...given]),
      runTool('ugc', given),
      runTool('phpcalls', given),
    ]);
    for (const { code, stderr } of [calls, flow, stat]) {
      assert.equal(code, 3, stderr);
      assert.match(
        stderr,
        /has no such probes[a-z ]*: this (Perl was built without -Dusedtrace|Tcl was .* --enable-dtrace)\n/,
      );
    }
    assert.match(gc.stderr, /: (Perl|Tcl) has none for this\n/);
    assert.match(other.stderr, / of php: it runs (Perl|Tcl)\n/);
  });
}

test('a process without such probes is refused in a sentence', async () => {
  const [node, none] = await Promise.all([runTool('ucalls', [String(process.pid)]), runTool('ucalls', ['4194000'])]);
  assert.equal(node.code, 3, node.stderr);
  assert.match(node.stderr, /^ucalls: process \d+ has no such probes: Node\.js has none since version 19\n/);
  assert.equal(none.code, 2, none.stderr);
});
