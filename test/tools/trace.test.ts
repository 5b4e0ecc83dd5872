import assert from 'node:assert/strict';
import { release } from 'node:os';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { probeFeature } from '../../lib/index.ts';
import { Actor } from '../helpers/actor.ts';
import { needsKprobes } from '../helpers/needs-kprobes.ts';
import { ProbedLibrary } from '../helpers/probed-library.ts';
import { runTool, startTool, type ToolResult } from '../helpers/run-tool.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';
import { watch } from '../helpers/watch.ts';

function rowsOf(result: ToolResult | undefined) {
  assert.ok(result !== undefined);
  return result.rows;
}

function messages(result: ToolResult | undefined): unknown[] {
  return rowsOf(result).map(({ message }) => message);
}

/** The calls by which a process opens files that are not there. */
function opens(names: readonly string[], flags = 0) {
  return names.map((name) => ({ name: 'openat' as const, args: [-100, name, flags, 0] }));
}

test('a tracepoint is filtered by numbers, texts and who it is, and its fields are printed', async () => {
  await using actor = await Actor.start();
  const own = ['--json', '-p', String(actor.pid)];
  const at = 't:syscalls:sys_enter_openat';
  const long = `/nowhere/${'x'.repeat(100)}`;
  const names = ['/nowhere/a', '/nowhere/b', '/nowhere/a', '/nowhere/ab', '/elsewhere', long];
  const seen = await watch(
    'trace',
    {
      all: [...own, `${at} "%s %d %#x", filename, dfd, args->flags`],
      same: [...own, `${at} (filename == "/nowhere/a") "%s", filename`],
      other: [
        ...own,
        `${at} (filename != "/nowhere/a" && flags == 0x10000) "%.8s|%12.4s|%-6s|", filename, filename, $comm`,
      ],
      strcmp: [...own, `${at} (STRCMP("/nowhere/a", filename) || STRCMP(filename, "/elsewhere"))`],
      starts: [...own, `${at} (STARTS("/nowhere/a", filename)) "%s", filename`],
      bytes: [...own, '-B', `${at} (STRCMP("{0x2f, 0x6e, 0x6f}", filename))`],
      negative: [
        ...own,
        `${at} (dfd < 0 && dfd == -100 && -dfd / 3 == 33 && dfd % 7 == -2) "%d %u", dfd >> 1, dfd * 2`,
      ],
      short: [...own, '-Z', '8', `${at} "%s", filename`],
      thread: [
        '--json',
        '-L',
        String(actor.pid),
        `${at} ($tgid == ${actor.pid} && $pid == $task->pid) "%d", $task->tgid`,
      ],
      chain: [...own, `${at} "%s %s", $task->group_leader->comm, $comm`],
      others: ['--json', '-p', '1', at],
    },
    () => actor.perform(opens(names, 0x10000)),
  );
  assert.deepEqual(
    messages(seen.all),
    names.map((name) => `${name.slice(0, 79)} -100 0x10000`),
  );
  assert.deepEqual(seen.all.rows[0]?.values, { filename: '/nowhere/a', dfd: -100, 'args->flags': 0x10000 });
  assert.deepEqual(messages(seen.same), ['/nowhere/a', '/nowhere/a']);
  const comm = String(seen.all.rows[0]?.comm);
  assert.deepEqual(messages(seen.other), [
    ...Array.from(
      { length: 4 },
      (_, i) =>
        `${['/nowhere', '/nowhere', '/elsewhe', '/nowhere'][i]}|${['/now', '/now', '/els', '/now'][i]?.padStart(12)}|${comm.padEnd(6)}|`,
    ),
  ]);
  assert.equal(seen.strcmp.rows.length, 3);
  assert.equal(seen.strcmp.rows[0]?.message, undefined);
  assert.deepEqual(messages(seen.starts), ['/nowhere/a', '/nowhere/a', '/nowhere/ab']);
  assert.equal(seen.bytes.rows.length, 5);
  assert.deepEqual(
    messages(seen.negative),
    names.map(() => '-50 -200'),
  );
  assert.deepEqual(
    messages(seen.short),
    names.map((name) => name.slice(0, 7)),
  );
  assert.deepEqual(
    messages(seen.thread),
    names.map(() => String(actor.pid)),
  );
  assert.deepEqual(
    messages(seen.chain),
    names.map(() => `${comm} ${comm}`),
  );
  assert.deepEqual(seen.others.rows, []);
});

test('functions and probes of a library are traced with their arguments and results', async () => {
  using library = new ProbedLibrary();
  const { path } = library;
  const own = ['--json', '-p', String(process.pid)];
  const seen = await watch(
    'trace',
    {
      entry: [...own, `p:${path}:add "%d %d %x", arg1, arg2, arg2`],
      typed: [...own, `${path}:add(short a, unsigned char b) (a < 0) "%d %u", a, b`],
      result: [...own, `r:${path}:add ((int)retval < 0) "%d", retval`],
      usdt: [...own, `u:${path}:add "%lld %d", arg1, arg2`],
      provider: [...own, `u:${path}:kscope:add (arg2 == -3)`],
      both: [...own, `${path}:add`, `r:${path}:answer "%d", retval`],
      registers: [...own, `${path}:add (ctx->${process.arch === 'arm64' ? 'x1' : 'si'} == 2) "%d", arg1`],
    },
    () => {
      library.add(1, 2);
      library.add(-5, -3);
      library.answer();
      library.add(70_000, 300);
    },
  );
  assert.deepEqual(messages(seen.entry), ['1 2 2', '-5 -3 fffffffd', '70000 300 12c']);
  // As in C: 70000 in 16 bits is 4464, -3 in 8 bits without a sign is 253.
  assert.deepEqual(messages(seen.typed), ['-5 253']);
  assert.deepEqual(messages(seen.result), ['-8']);
  assert.equal(seen.usdt.rows.length, 3);
  assert.deepEqual(
    seen.usdt.rows.map(({ message }) => String(message).split(' ')[1]),
    ['2', '-3', '300'],
  );
  assert.equal(seen.provider.rows.length, 1);
  assert.deepEqual(
    seen.both.rows.map(({ func, message }) => [func, message]),
    [
      ['add', undefined],
      ['add', undefined],
      ['answer', '42'],
      ['add', undefined],
    ],
  );
  assert.deepEqual(messages(seen.registers), ['1']);
});

test('functions of the kernel are traced with their arguments, by name, and their results', async (t) => {
  if (!(await needsKprobes(t, 'trace', 'vfs_unlink'))) {
    return;
  }
  using place = new TemporaryDirectory();
  await using actor = await Actor.start();
  const files = ['one', 'two', 'three'].map((name) => join(place.path, name));
  const own = ['--json', '-p', String(actor.pid)];
  const returns = probeFeature('fexit').supported === true;
  const commandLines: Record<string, readonly string[]> = {
    entry: [...own, 'vfs_unlink "%s in %s", dentry->d_name.name, dentry->d_parent->d_name.name'],
    chosen: [...own, 'p::vfs_unlink (dentry->d_name.name == "two") "%d", dentry->d_name.len'],
    result: [...own, 'r::vfs_unlink (retval == 0) "%d", retval'],
    stack: [...own, '-K', '-M', '2', 'vfs_unlink'],
    ...(returns && { both: [...own, 'r:vfs_unlink "%s %d", dentry->d_name.name, retval'] }),
    ...(process.arch === 'x64' && {
      syscall: [...own, '__x64_sys_unlinkat(dir, path) "%d %s %d", dir, path, arg3'],
    }),
  };
  const seen = await watch('trace', commandLines, async () => {
    await actor.perform(files.map((file) => ({ name: 'openat', args: [-100, file, 0o101, 0o600] })));
    await actor.perform(files.map((file) => ({ name: 'unlinkat', args: [-100, file, 0] })));
  });
  assert.deepEqual(
    messages(seen.entry),
    files.map((file) => `${basename(file)} in ${basename(place.path)}`),
  );
  assert.deepEqual(messages(seen.chosen), ['3']);
  assert.deepEqual(messages(seen.result), ['0', '0', '0']);
  assert.equal(rowsOf(seen.stack).length, 2);
  const [first] = (rowsOf(seen.stack)[0]?.kernel_stack ?? []) as { symbol: string }[];
  assert.match(first?.symbol ?? '', /vfs_unlink|unlink/);
  if (returns) {
    assert.deepEqual(
      messages(seen.both),
      files.map((file) => `${basename(file)} 0`),
    );
  }
  if (process.arch === 'x64') {
    assert.deepEqual(
      messages(seen.syscall),
      files.map((file) => `-100 ${file.slice(0, 79)} 0`),
    );
  }
});

test('lines are counted, end after so many, and are chosen by what they say', async () => {
  await using actor = await Actor.start();
  const at = 't:syscalls:sys_enter_openat "%s", filename';
  const own = ['-p', String(actor.pid)];
  await using ending = startTool('trace', [...own, '--json', '-M', '3', '-U', at]);
  await ending.ready();
  const names = ['/nowhere/a', '/nowhere/b', '/nowhere/a', '/nowhere/c'];
  const seen = await watch(
    'trace',
    {
      counted: ['--json', ...own, '-A', at],
      chosen: ['--json', ...own, '-f', 'where/b', at],
      comm: ['--json', ...own, '-n', 'no such', at],
      text: [...own, '-t', '-C', at],
    },
    () => actor.perform(opens(names)),
  );
  const table = seen.counted.messages.find(({ type }) => type === 'table');
  assert.deepEqual(
    ((table?.rows ?? []) as { message: string; count: number }[]).map(({ message, count }) => [message, count]),
    [
      ['/nowhere/a', 2],
      ['/nowhere/b', 1],
      ['/nowhere/c', 1],
    ],
  );
  assert.deepEqual(messages(seen.chosen), ['/nowhere/b']);
  assert.deepEqual(seen.comm.rows, []);
  const [header = '', first = ''] = seen.text.stdout.split('\n');
  assert.match(header, /^TIME +CPU +PID +TID COMM +FUNC +-$/);
  assert.match(
    first,
    new RegExp(`^\\d+\\.\\d{6} +\\d+ +${actor.pid} +${actor.pid} \\S+ +sys_enter_openat \\/nowhere\\/a$`),
  );
  const ended = await ending.ended();
  assert.equal(ended.code, 0, ended.stderr);
  assert.deepEqual(messages(ended), names.slice(0, 3));
  assert.ok(Array.isArray(ended.rows[0]?.user_stack));
});

test('stacks of the kernel have addresses, or it is said that there are none', async () => {
  await using actor = await Actor.start();
  const names = ['/nowhere/a', '/nowhere/b'];
  await using running = startTool('trace', [
    '-aK',
    ...['-p', String(actor.pid)],
    // What bcc needs files for is there without them.
    ...['-b', '16', '-I', 'no/such.h', '-s', '/no/such'],
    't:syscalls:sys_enter_openat "%s", filename',
  ]);
  await running.ready();
  await actor.perform(opens(names));
  const { code, stdout, stderr } = await running.end();
  assert.equal(code, 0, stderr);
  const [, ...lines] = stdout.split('\n');
  const stacks = lines.filter((line) => /^ {4}\S/.test(line) && !line.includes(' sys_enter_openat '));
  const [major = 0, minor = 0] = release().split('.').map(Number);
  if (major < 6 || (major === 6 && minor < 12)) {
    assert.match(stderr, /: none of 2 events has a stack of the kernel\nhint: .* before Linux 6\.12, /);
    assert.deepEqual(stacks, []);
  } else {
    assert.ok(stacks.length >= names.length);
  }
  for (const line of stacks) {
    assert.match(line, /^ {4}0x[0-9a-f]{16} \S/);
  }
});

test('what is wrong is pointed at, with what would be right', async () => {
  using library = new ProbedLibrary();
  const cases: readonly [specification: string, code: number, message: RegExp][] = [
    [
      't:sched:sched_proces_exec',
      2,
      /no tracepoint 'sched:sched_proces_exec'\n .*\n {2}\^~+\nhint: .*sched_process_exec/,
    ],
    ['t:sched:sched_process_exec "%s", args->file', 2, /no member 'file'\n .*\n +\^~{3}\nhint: did you mean: filename/],
    ['t:sched:sched_process_exec "%s %d", filename', 2, /no value for this conversion.*\n .*\n +\^~\n/],
    ['t:sched:sched_process_exec "%d", filename', 2, /%d writes a number, and this is an array/],
    ['t:sched:sched_process_exec "%s", pid', 2, /%s writes a text, and this is a number/],
    ['t:sched:sched_process_exec "%d", $task->mm', 0, /^/],
    ['t:sched:sched_process_exec "%d", $task->se', 2, /%d writes a number, and this is a struct sched_entity/],
    [`${library.path}:ad`, 2, /has no function 'ad'\n .*\n +\^~\nhint: did you mean: add/],
    [`r:${library.path}:add "%d", arg1`, 2, /'arg1' is gone when the function returns/],
    [`${library.path}:add "%d", retval`, 2, /retval is known at the return: 'r:.*:add'/],
    [`r:${library.path}:add (retval < 0)`, 2, /so it is never below 0\n[^^]*\^~{5}\nhint: .*\(int\)retval/],
    [`u:${library.path}:add "%d", arg3`, 2, /this probe has 2 arguments/],
    ['r:c:setjmp', 2, /setjmp/],
    ['no_such_function', 2, /the kernel has no function/],
  ];
  for (const [specification, code, message] of cases) {
    const result = await runTool('trace', ['--duration', '0.05', specification]);
    assert.equal(result.code, code, `${specification}: ${result.stderr}`);
    assert.match(result.stderr, message, specification);
  }
});

test('the instructions of programs are listed instead of being loaded', async () => {
  const event = 't:sched:sched_process_exec';
  const [text, json] = await Promise.all([
    runTool('trace', ['--ebpf', '-p', '181', `${event} (pid > 4711) "%s", filename`]),
    runTool('trace', ['--ebpf', '--json', '-U', event, event]),
  ]);
  assert.equal(text.code, 0, text.stderr);
  const lines = text.stdout.trimEnd().split('\n');
  assert.match(lines[0] ?? '', /^HOOK +INDEX INSTRUCTION$/);
  assert.match(lines[1] ?? '', /^tracepoint sched:sched_process_exec +0 r6 = r1$/);
  assert.match(lines.at(-1) ?? '', / exit$/);
  for (const one of [
    / if r1 != 181 goto \d+$/m,
    / 4711 goto \d+$/m,
    / r1 = map events$/m,
    / call bpf_ringbuf_reserve$/m,
  ]) {
    assert.match(text.stdout, one);
  }
  assert.doesNotMatch(text.stdout, /get_stackid/);
  const rows = json.messages.find(({ type }) => type === 'table')?.rows ?? [];
  const all = rows as { readonly hook: string; readonly index: number; readonly instruction: string }[];
  assert.equal(all.filter(({ index }) => index === 0).length, 2);
  // Each has its number in the records.
  const ends = ['0', '1'].map((place) =>
    all.filter(({ instruction }) => instruction === `*(u32 *)(r7 + 36) = ${place}`),
  );
  assert.deepEqual(
    ends.map(({ length }) => length),
    [1, 1],
  );
  assert.ok(all.some(({ instruction }) => instruction === 'r2 = map stacks'));
});
