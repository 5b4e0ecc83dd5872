import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KscopeError } from '../../lib/model/errors.ts';
import type { LostMessage } from '../../lib/model/message.ts';
import { Status } from '../../lib/output/status.ts';
import { CollectingWriter } from '../helpers/collecting-writer.ts';
import { fakeStats, ready } from '../helpers/fake-tool.ts';

function status(options: { readonly verbose?: boolean; readonly now?: () => number } = {}) {
  const writer = new CollectingWriter();
  return { writer, status: new Status(writer, 'rows', options) };
}

function lost(count: number, total: number, details: Partial<LostMessage> = {}): LostMessage {
  return { type: 'lost', what: 'events', count, total, final: false, ...details };
}

test('ready says what is traced and how to end it', () => {
  const { writer, status: quiet } = status();
  quiet.message(ready('rows'));
  assert.equal(writer.text, 'Tracing nothing... Hit Ctrl-C to end.\n');
});

test('with -v, the hooks stand before the ready line, which scripts wait for', () => {
  const { writer, status: verbose } = status({ verbose: true });
  verbose.message(ready('rows'));
  assert.equal(writer.text, 'rows: on_event: tracepoint fake:event\nTracing nothing... Hit Ctrl-C to end.\n');
});

test('losses are told at most once a second, and none is forgotten', () => {
  let now = 0;
  const { writer, status: counting } = status({ now: () => now });
  counting.message(lost(1, 1));
  now = 500;
  counting.message(lost(2, 3));
  now = 999;
  counting.message(lost(4, 7, { what: 'entries of start' }));
  assert.equal(writer.text, 'rows: lost 1 events\n');
  now = 1000;
  counting.message(lost(8, 15));
  assert.equal(writer.text, 'rows: lost 1 events\nrows: lost 10 events, 4 entries of start\n');
  counting.message(lost(0, 15, { final: true }));
  assert.match(writer.text, /\nrows: lost 15 events in all\n$/);
});

test('warnings and errors name the tool and say what to do', () => {
  const { writer, status: plain } = status();
  plain.message({ type: 'warning', text: 'the map is full', hint: 'make it larger' });
  plain.error(
    new KscopeError('failed', 'cannot attach: no such file (ENOENT)', { hint: ['one', 'two'], log: 'secret' }),
    ['three'],
  );
  assert.equal(
    writer.text,
    'rows: warning: the map is full\nhint: make it larger\nrows: cannot attach: no such file (ENOENT)\nhint: one\nhint: two\nhint: three\n',
  );
});

test('log, causes and stack are for those who asked', () => {
  const cause = new Error('middle', { cause: new Error('deep') });
  const error = new KscopeError('failed', 'top', { log: 'first\nsecond', cause });
  const { writer: quiet, status: plain } = status();
  plain.error(error);
  assert.equal(quiet.text, 'rows: top\n');
  const { writer: full, status: verbose } = status({ verbose: true });
  verbose.error(error);
  assert.match(full.text, /^rows: top\nlog:\n {2}first\n {2}second\ncaused by: middle\ncaused by: deep\n {4}at /);
});

test('a chain of causes that bites its tail ends', () => {
  const first = new Error('first');
  first.cause = new Error('second', { cause: first });
  const { writer, status: verbose } = status({ verbose: true });
  verbose.error(first);
  assert.equal(writer.text.match(/caused by/g)?.length, 1);
});

test('a bug is called one, without its stack', () => {
  const { writer, status: plain } = status();
  plain.error(new TypeError('x is not a function'));
  assert.equal(writer.text, 'rows: unexpected failure: x is not a function\nhint: -v shows where it happened\n');
  plain.error('just a text');
  assert.match(writer.text, /rows: unexpected failure: just a text\n/);
});

test('nothing that a message quotes reaches the terminal raw', () => {
  const { writer, status: plain } = status({ verbose: true });
  plain.error(new KscopeError('usage', `unknown option '--\x1b[31m\u202e\n'`, { hint: 'a\rb' }));
  plain.warning('C:\\path\tand tab \x07');
  plain.debug('one\ntwo\x1b]0;title\x07\n');
  const [first, second] = writer.text.split('\n');
  assert.equal(first, "rows: unknown option '--\\x1b[31m\\u{202e}\\n'");
  assert.equal(second, 'hint: a\\rb');
  assert.match(writer.text, /\nrows: warning: C:\\path\tand tab \\x07\nrows: one\nrows: two\\x1b\]0;title\\x07\n$/);
});

test('what tracing cost is a line for the process, and one for each program, map and ring', () => {
  const { writer, status: asked } = status();
  asked.message(fakeStats);
  asked.message({ ...fakeStats, seconds: 0, programs: [], maps: [], rings: [], lost: [], uncounted: 'not permitted' });
  assert.deepEqual(writer.text.trimEnd().split('\n'), [
    'rows: after 10.0 s: own CPU time 1.200 s (12.0 %), 80 MiB at most, lost 3 events',
    'rows: program on_event (tracepoint fake:event): 1000000 runs, 412 ns each, 4.12 % of a CPU',
    'rows: program on_end (tracepoint fake:end): runs not counted',
    'rows: map starts: 12 of 10240 entries',
    'rows: ring events: 1.00 MiB of 8.00 MiB at most',
    'rows: after 0.0 s: own CPU time 1.200 s (- %), 80 MiB at most, nothing lost',
    'rows: not permitted',
  ]);
});
