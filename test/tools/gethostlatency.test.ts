import assert from 'node:assert/strict';
import { lookup } from 'node:dns/promises';
import { test } from 'node:test';
import koffi from 'koffi';
import { loaderFiles } from '../../lib/system/libraries.ts';
import { type Argument, NativeArguments } from '../helpers/native-arguments.ts';
import { type JsonMessage, runTool } from '../helpers/run-tool.ts';
import { taskFields } from '../helpers/task-fields.ts';
import { timeless, watch } from '../helpers/watch.ts';

const AI_NUMERICHOST = 4;
const own = taskFields(process.pid);
const mine = ['--json', '-p', String(process.pid)];
const libc = koffi.load(null);
const functions = {
  getaddrinfo: libc.func('int getaddrinfo(intptr_t host, intptr_t service, intptr_t hints, intptr_t result)'),
  gethostbyname: libc.func('intptr_t gethostbyname(intptr_t host)'),
  gethostbyname2: libc.func('intptr_t gethostbyname2(intptr_t host, int family)'),
};

function call(name: keyof typeof functions, ...args: readonly Argument[]): number {
  using given = new NativeArguments(args);
  return Number(functions[name](...given.numbers));
}

/** Looks up a number, or fails at once: no server is asked. */
function numeric(host: string): number {
  const hints = new Uint8Array(48);
  hints[0] = AI_NUMERICHOST;
  return call('getaddrinfo', host, 0, hints, new Uint8Array(8));
}

function withoutLatency(rows: readonly JsonMessage[]): object[] {
  assert.ok(rows.every(({ latency }) => Number(latency) > 0 && Number(latency) < 60e9));
  return timeless(rows.map(({ latency, ...row }) => row as JsonMessage));
}

test('each lookup is one row, with the name as it was given and whether it failed', async () => {
  const long = 'x'.repeat(300);
  const seen = await watch(
    'gethostlatency',
    {
      all: mine,
      slow: [...mine, '60000'],
      others: ['--json', '-p', String(process.ppid)],
      file: [...mine, '-l', loaderFiles(/^libc\.so\.6$|^ld-musl-/)[0] ?? ''],
      text: ['-p', String(process.pid)],
    },
    () => {
      assert.equal(numeric('127.0.0.1'), 0);
      assert.notEqual(numeric('no number'), 0);
      assert.equal(numeric('::1'), 0);
      assert.notEqual(numeric(long), 0);
      assert.notEqual(numeric('\u001b[31m\n'), 0);
      assert.notEqual(call('gethostbyname', '127.0.0.2'), 0);
      assert.notEqual(call('gethostbyname2', '127.0.0.3', 2), 0);
    },
  );
  assert.deepEqual(withoutLatency(seen.all.rows), [
    { ...own, host: '127.0.0.1' },
    { ...own, host: 'no number', failed: true },
    { ...own, host: '::1' },
    { ...own, host: long.slice(0, 255), failed: true, truncated: true },
    { ...own, host: '\\x1b[31m\\n', failed: true },
    { ...own, host: '127.0.0.2' },
    { ...own, host: '127.0.0.3' },
  ]);
  assert.deepEqual(withoutLatency(seen.file.rows), withoutLatency(seen.all.rows));
  assert.deepEqual(seen.slow.rows, []);
  assert.deepEqual(seen.others.rows, []);
  const [header = '', first = '', ...lines] = seen.text.stdout.trimEnd().split('\n');
  assert.equal(header.split(/ +/).join(' '), 'TIME PID COMM LATms HOST');
  assert.match(first, new RegExp(`^\\d\\d:\\d\\d:\\d\\d +${process.pid} .* \\d+\\.\\d{3} 127\\.0\\.0\\.1$`));
  assert.equal(lines.length, 6);
});

test('lookups of several threads at once are told apart', async () => {
  const count = 40;
  const seen = await watch('gethostlatency', { all: mine }, () =>
    Promise.all(Array.from({ length: count }, () => lookup('localhost'))),
  );
  assert.deepEqual(
    seen.all.rows.map(({ pid, host, failed }) => ({ pid, host, failed })),
    Array.from({ length: count }, () => ({ pid: process.pid, host: 'localhost', failed: undefined })),
  );
  assert.ok(seen.all.rows.every(({ tid }) => tid !== process.pid));
});

test('a file that is no library is refused', async () => {
  const { code, stderr } = await runTool('gethostlatency', ['-l', '/etc/passwd']);
  assert.equal(code, 2);
  assert.match(stderr, /^gethostlatency: '\/etc\/passwd' is no ELF file that has getaddrinfo or gethostbyname/);
});
