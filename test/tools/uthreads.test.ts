import assert from 'node:assert/strict';
import { test } from 'node:test';
import { languages, startProbed } from '../helpers/languages.ts';
import type { JsonMessage } from '../helpers/run-tool.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';
import { watch } from '../helpers/watch.ts';

const told = (rows: readonly JsonMessage[]) => rows.map(({ kind, description }) => [kind, description]);

test('threads of Java have their names, and come between what the kernel says', {
  skip: languages.java.missing,
}, async () => {
  using place = new TemporaryDirectory();
  await using program = languages.java.start(place);
  await program.ask('.');
  const pid = String(program.pid);
  const { java, none, text } = await watch(
    'uthreads',
    { java: ['--json', '-l', 'java', pid], none: ['--json', '-l', 'none', pid], text: [pid] },
    async ({ java, none, text }) => {
      await program.ask('t');
      await java.until(({ rows }) => rows.length === 4);
      await none.until(({ rows }) => rows.length === 2);
      await text.until(({ stdout }) => stdout.split('\n').length > 5);
    },
  );
  const [first, ...others] = java.rows;
  assert.equal(new Set(java.rows.map(({ tid }) => tid)).size, 1);
  assert.notEqual(first?.tid, program.pid);
  const begins = [['pthread', 'thread_native_entry(Thread*)']];
  assert.deepEqual(told(java.rows), [
    ...begins,
    ['start', 'worker-of-work'],
    ['stop', 'worker-of-work'],
    ['end', undefined],
  ]);
  assert.deepEqual(
    others.map(({ runtime_id }) => Number(runtime_id) > 0),
    [true, true, false],
  );
  assert.deepEqual(told(none.rows), [...begins, ['end', undefined]]);
  assert.match(text.stdout, /^TIME +PID +ID TYPE +ERR +DESCRIPTION\n/);
  assert.match(text.stdout, / start +- +worker-of-work\n/);
});

test('threads of C have the function that they begin with', async (t) => {
  using place = new TemporaryDirectory();
  await using program = await startProbed(t, place);
  if (program === undefined) {
    return;
  }
  const { all } = await watch('cthreads', { all: ['--json', String(program.pid)] }, async ({ all }) => {
    await program.ask('tt');
    await all.until(({ rows }) => rows.length === 4);
  });
  const threads = [...new Set(all.rows.map(({ tid }) => tid))];
  assert.equal(threads.length, 2);
  assert.ok(all.rows.every(({ pid }) => pid === program.pid));
  for (const thread of threads) {
    assert.deepEqual(told(all.rows.filter(({ tid }) => tid === thread)), [
      ['pthread', 'thread_of_work'],
      ['end', undefined],
    ]);
  }
});
