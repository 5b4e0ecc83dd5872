import assert from 'node:assert/strict';
import { test } from 'node:test';
import { languages, startProbed } from '../helpers/languages.ts';
import { runTool, type ToolResult } from '../helpers/run-tool.ts';
import { tableRows } from '../helpers/tables.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';
import { watch } from '../helpers/watch.ts';

/** [objects, bytes] of the row of a type. */
const of = (result: ToolResult, type: string) =>
  tableRows(result.messages)
    .filter(({ name }) => name === type)
    .map(({ allocs, bytes }) => [allocs, bytes]);

test('objects of Java are counted by class where it was started so', { skip: languages.java.missing }, async () => {
  using place = new TemporaryDirectory();
  await using program = languages.java.start(place, ['-XX:+DTraceAllocProbes']);
  await program.ask('.');
  const pid = String(program.pid);
  const { all, text } = await watch('javaobjnew', { all: ['--json', pid], text: ['-C', '1', pid] }, () =>
    program.ask('oo'),
  );
  // HotSpot tells sizes that are none: of 14 objects, 16 bytes in all.
  assert.deepEqual(of(all, 'Work'), [[14, 0]]);
  assert.match(text.stdout, /^ *PID NAME\/TYPE # ALLOCS +# BYTES\n *\d+ Work +14 +-\n$/);
});

test('objects of Ruby are counted by class, and bytes of strings', { skip: languages.ruby.missing }, async () => {
  using place = new TemporaryDirectory();
  await using program = languages.ruby.start(place);
  await program.ask('.');
  const { all } = await watch('rubyobjnew', { all: ['--json', String(program.pid)] }, () => program.ask('oos'));
  assert.deepEqual(of(all, 'Work'), [[14, 0]]);
  const [[strings, bytes] = []] = of(all, 'String');
  assert.ok(Number(strings) >= 3 && Number(bytes) >= 3 * 100, `${strings} strings of ${bytes} bytes`);
});

test('blocks of C are counted by size in one process, and objects of Tcl where it has probes', async (t) => {
  using place = new TemporaryDirectory();
  await using program = await startProbed(t, place);
  if (program === undefined) {
    return;
  }
  const pid = String(program.pid);
  const { c, tcl, big } = await watch(
    'uobjnew',
    { c: ['--json', '-l', 'c', pid], tcl: ['--json', pid], big: ['-S', '1', '-l', 'c', pid] },
    () => program.ask('mc'),
  );
  assert.deepEqual(
    tableRows(c.messages).map(({ pid: who, size, name, allocs, bytes }) => [who, size, name, allocs, bytes]),
    [[program.pid, 4242, 'block size 4242', 7, 7 * 4242]],
  );
  assert.deepEqual(of(tcl, 'Tcl_Obj'), [[3, 0]]);
  assert.match(big.stdout, /\n *\d+ block size 4242 +7 +29694\n$/);
});

test('C is the language of a process without another, and must be asked for with a process', async (t) => {
  const { own } = await watch('uobjnew', { own: [String(process.pid)] }, () => {});
  assert.match(own.stdout, /block size \d+/);
  const { code, stderr } = await runTool('cobjnew', []);
  assert.equal(code, 2, stderr);
  assert.match(stderr, /^cobjnew: blocks of C are counted in a process that is named\n/);
  if (languages.php.missing !== false) {
    t.skip(languages.php.missing);
    return;
  }
  using place = new TemporaryDirectory();
  await using program = languages.php.start(place);
  const java = await runTool('javaobjnew', [String(program.pid)]);
  assert.equal(java.code, 3, java.stderr);
  assert.match(java.stderr, /^javaobjnew: process \d+ has no such probes of java: it runs PHP\n/);
});
