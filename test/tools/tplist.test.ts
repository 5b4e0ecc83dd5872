import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ProbedLibrary } from '../helpers/probed-library.ts';
import { type JsonMessage, runTool, type ToolResult } from '../helpers/run-tool.ts';

const events = ['/sys/kernel/tracing/events', '/sys/kernel/debug/tracing/events'].find((place) => existsSync(place));

function rowsOf({ code, stderr, messages }: ToolResult): JsonMessage[] {
  assert.equal(code, 0, stderr);
  return messages.filter(({ type }) => type === 'table').flatMap(({ rows }) => rows as JsonMessage[]);
}

test('tracepoints are listed, with their fields', {
  skip: events === undefined && 'tracefs is not mounted',
}, async () => {
  const [scheduler, one, text] = await Promise.all([
    runTool('tplist', ['--json', 'sched:*']),
    runTool('tplist', ['--json', '-v', '-r', 'sched:sched_switch$']),
    runTool('tplist', ['sched:sched_switc?']),
  ]);
  const names = readdirSync(`${events}/sched`, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  assert.deepEqual(
    rowsOf(scheduler).map(({ event }) => event),
    names.map(({ name }) => `sched:${name}`).sort(),
  );
  const [row, ...more] = rowsOf(one);
  const { format, ...rest } = row as JsonMessage;
  assert.deepEqual([rest, more], [{ kind: 'tracepoint', event: 'sched:sched_switch' }, []]);
  const fields = String(format).split(', ');
  assert.deepEqual(fields.slice(0, 3), ['char[16] prev_comm', 'pid_t prev_pid', 'int prev_prio']);
  const lines = readFileSync(`${events}/sched/sched_switch/format`, 'utf8').match(/^\tfield:.*$/gm) ?? [];
  assert.equal(fields.length, lines.filter((line) => !line.includes(' common_')).length);
  assert.equal(text.stdout, 'EVENT\nsched:sched_switch\n');
});

test('probes of a library or process are listed, with where they and their arguments are', async () => {
  using library = new ProbedLibrary();
  const { path } = library;
  const [named, mapped, verbose, none] = await Promise.all([
    runTool('tplist', ['--json', '-l', path]),
    runTool('tplist', ['--json', '-p', String(process.pid), 'kscope:*']),
    runTool('tplist', ['-l', path, '-v', '*:add']),
    runTool('tplist', ['--json', '-l', path, 'kscope:nothing']),
  ]);
  const args = process.arch === 'x64' ? ['%rdi', '%esi'] : ['x0', 'x1'];
  const format = `8 unsigned bytes @ ${args[0]}, 4 signed bytes @ ${args[1]}`;
  const expected = [{ kind: 'usdt', file: path, event: 'kscope:add', locations: 1, format }];
  assert.deepEqual([rowsOf(named), rowsOf(mapped), rowsOf(none)], [expected, expected, []]);
  assert.equal(verbose.stdout.replaceAll(/ +/g, ' '), `FILE EVENT FORMAT\n${path} kscope:add 1 place: ${format}\n`);
});

test('what is not there is said', async () => {
  const cases: readonly (readonly [args: string[], message: RegExp])[] = [
    [['-l', '/no/such/file'], /no library or program '\/no\/such\/file'/],
    [['-p', '4194000'], /there is no process 4194000/],
    [['-r', '('], /'\(' is not a regular expression/],
  ];
  await Promise.all(
    cases.map(async ([args, message]) => {
      const { code, stderr } = await runTool('tplist', args);
      assert.equal(code, 2, stderr);
      assert.match(stderr, message);
    }),
  );
});
