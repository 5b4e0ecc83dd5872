import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, readlinkSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { unescapeText } from '../../lib/model/escape.ts';
import { Actor } from '../helpers/actor.ts';
import { anotherUser } from '../helpers/another-user.ts';
import { cgroupOf, enterCgroup, TestCgroup } from '../helpers/cgroup.ts';
import { type Argument, pointerTo } from '../helpers/native-arguments.ts';
import { startPeer } from '../helpers/peer.ts';
import { PinnedSet } from '../helpers/pinned-map.ts';
import { allowedProcessors, onProcessor } from '../helpers/processors.ts';
import { type JsonMessage, startCommand } from '../helpers/run-tool.ts';
import { spawnProcess, type Text, waitStatus } from '../helpers/spawn-process.ts';
import { squeeze } from '../helpers/squeeze.ts';
import { errorName, mustSyscall, syscall } from '../helpers/syscall.ts';
import { commOf } from '../helpers/task-fields.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';
import { timeless, watch } from '../helpers/watch.ts';

const AT_FDCWD = -100;
const AT_EMPTY_PATH = 0x1000;
const CLONE_NEWNS = 0x20000;
const PR_SET_NAME = 15;
const program = '/bin/true';
const ownComm = readFileSync('/proc/self/comm', 'utf8').trim();

/** Runs a program to its end. @returns its pid */
function run(path: string, args: readonly Text[]): number {
  const pid = spawnProcess(path, args);
  waitStatus(pid);
  return pid;
}

/** What every row of a child of this process says. */
function child(pid: number) {
  return { pid, tid: pid, ppid: process.pid, uid: 0, comm: 'true', pcomm: ownComm, cgroup: cgroupOf(process.pid) };
}

/** Rows without what no test can know exactly: their time and their processor. */
function known(rows: readonly JsonMessage[]): object[] {
  const processors = allowedProcessors();
  return timeless(rows).map((row) => {
    const { cpu, ...rest } = row as Record<string, unknown>;
    assert.ok(processors.includes(cpu as number), `processor ${cpu}`);
    return rest;
  });
}

const bytes = (from: number, to: number) => Buffer.from(Array.from({ length: to - from }, (_, i) => from + i));

test('each of 17 execs is one row, with its arguments as they are', async () => {
  const lists: readonly (readonly Text[])[] = [
    ['true'],
    ['/bin/true', 'one'],
    ['another name'],
    ['true', 'two words', "it's", '"quoted"', '\\', '$HOME', '*'],
    ['true', '', ''],
    ['true', '', 'x', ''],
    ['true', 'line\nbreak\ttab\rreturn'],
    ['true', '\x1b[31mred\x1b]0;title\x07'],
    ['true', bytes(1, 256)],
    ['true', 'päth', '日本語', '🙂', 'e\u0301'],
    ['true', '\u202egnp.exe', '\u2028', '\ufeff', '\u0085'],
    ['true', Buffer.from([0xff, 0xfe]), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from([0xc3])],
    ['true', ...Array.from({ length: 199 }, (_, i) => String(i))],
    ['true', '-'.repeat(4096)],
    ['true', ...Array.from({ length: 100 }, () => '')],
    ['true', 'a'.repeat(16384 - 5 - 1)],
    ['true', 'a'.repeat(16384 - 5 - 3), ''],
  ];
  assert.equal(lists.length, 17);
  const pids: number[] = [];
  const { all } = await watch('execsnoop', { all: ['--json', '-P', String(process.pid)] }, () => {
    for (const list of lists) {
      pids.push(run(program, list));
    }
  });
  assert.deepEqual(
    known(all.rows).map((row) => ({ ...row, args: undefined })),
    pids.map((pid) => ({ ...child(pid), path: program, args: undefined })),
  );
  const args = all.rows.map((row) => row.args as string[]);
  assert.deepEqual(
    args.map((list) => list.map((one) => Buffer.from(unescapeText(one)).toString('latin1'))),
    lists.map((list) => list.map((one) => Buffer.from(one as string).toString('latin1'))),
  );
  // What was made of bytes that do harm, spelled out.
  assert.deepEqual(args[3], ['true', 'two words', "it's", '"quoted"', '\\\\', '$HOME', '*']);
  assert.deepEqual(args[6], ['true', 'line\\nbreak\\ttab\\rreturn']);
  assert.deepEqual(args[7], ['true', '\\x1b[31mred\\x1b]0;title\\x07']);
  assert.deepEqual(args[9], ['true', 'päth', '日本語', '🙂', 'e\u0301']);
  assert.deepEqual(args[10], ['true', '\\u{202e}gnp.exe', '\\u{2028}', '\\u{feff}', '\\u{85}']);
  assert.deepEqual(args[11], ['true', '\\xff\\xfe', '\\xed\\xa0\\x80', '\\xc3']);
});

test('arguments beyond 16 KiB are cut and marked', async () => {
  const lists = [
    ['true', 'a'.repeat(16384 - 5)],
    ['true', 'a'.repeat(6000), 'b'.repeat(6000), 'c'.repeat(6000)],
    ['true', ...Array.from({ length: 10_000 }, (_, i) => String(i % 10))],
    ['true', 'a'.repeat(100_000)],
  ];
  const own = ['-P', String(process.pid)];
  const seen = await watch(
    'execsnoop',
    { json: [...own, '--json'], text: own, max: [...own, '--max-args', '2'] },
    () => {
      for (const list of lists) {
        run(program, list);
      }
    },
  );
  const expected = [
    ['true', 'a'.repeat(16379)],
    ['true', 'a'.repeat(6000), 'b'.repeat(6000), 'c'.repeat(16384 - 12007)],
    ['true', ...Array.from({ length: 8189 }, (_, i) => String(i % 10)), '9'],
    ['true', 'a'.repeat(16379)],
  ];
  assert.deepEqual(
    seen.json.rows.map(({ args, truncated }) => ({ args: squeeze((args as string[]).join(' ')), truncated })),
    expected.map((args) => ({ args: squeeze(args.join(' ')), truncated: true })),
  );
  const lines = (text: string) => text.trimEnd().split('\n').slice(1);
  assert.deepEqual(
    lines(seen.text.stdout).map((line) => squeeze(line.slice(line.indexOf(' true ') + 1))),
    expected.map((args) => squeeze(`${args.join(' ')} ...`)),
  );
  assert.deepEqual(
    lines(seen.max.stdout).map((line) => squeeze(line.slice(line.indexOf(' true ') + 1))),
    expected.map((args) => squeeze(`${args.slice(0, 2).join(' ')} ...`)),
  );
});

/** A directory with a program, scripts, and files that cannot be run. */
class Place extends TemporaryDirectory {
  constructor() {
    super();
    this.#write('script', '#!/bin/sh -e\n:\n', 0o755);
    this.#write('of-script', `#!${this.path}/script  a  b \n`, 0o755);
    this.#write('without', `#!${this.path}/none\n`, 0o755);
    this.#write('nonsense', 'nonsense\n', 0o755);
    this.#write('text', ':\n', 0o644);
    symlinkSync('loop', join(this.path, 'loop'));
    symlinkSync(program, join(this.path, 'a-link-with-a-long-name'));
    mkdirSync(join(this.path, 'd'.repeat(200)));
  }

  #write(name: string, text: string, mode: number): void {
    writeFileSync(join(this.path, name), text);
    chmodSync(join(this.path, name), mode);
  }
}

test('scripts are shown as the kernel runs them, and programs by the name they were started with', async () => {
  using place = new Place();
  const D = place.path;
  const link = join(D, 'a-link-with-a-long-name');
  const long = join(D, 'd'.repeat(200), '.'.repeat(1), 'x');
  symlinkSync(program, long);
  const [fits, cut] = [255, 256].map((length) => `${D}/${'/'.repeat(length - long.length)}${long.slice(D.length + 1)}`);
  const starts: [path: string, args: string[]][] = [
    [join(D, 'script'), ['name', 'one', '']],
    [join(D, 'of-script'), ['name', 'two']],
    [link, ['name']],
    [fits as string, ['name']],
    [cut as string, ['name']],
  ];
  const { all } = await watch('execsnoop', { all: ['--json', '-P', String(process.pid)] }, () =>
    starts.map(([path, args]) => run(path, args)),
  );
  assert.deepEqual(
    all.rows.map(({ comm, path, args, truncated }) => ({ comm, path, args, truncated })),
    [
      { comm: 'script', path: join(D, 'script'), args: ['/bin/sh', '-e', join(D, 'script'), 'one', ''] },
      {
        comm: 'of-script',
        path: join(D, 'of-script'),
        args: ['/bin/sh', '-e', join(D, 'script'), 'a  b', join(D, 'of-script'), 'two'],
      },
      { comm: 'a-link-with-a-l', path: link, args: ['name'] },
      { comm: 'x', path: fits, args: ['name'] },
      { comm: 'x', path: (cut as string).slice(0, 255), args: ['name'], truncated: true },
    ].map((row) => ({ truncated: undefined, ...row })),
  );
});

test('the working directory and the file that runs are shown with --paths', async () => {
  using place = new Place();
  const D = realpathSync(place.path);
  const deep = join(D, ...Array.from({ length: 5 }, (_, i) => String(i).repeat(150)));
  mkdirSync(deep, { recursive: true });
  const own = ['-P', String(process.pid)];
  const { paths, text, plain } = await watch(
    'execsnoop',
    { paths: ['--json', '--paths', '-x', ...own], text: ['--paths', ...own], plain: ['--json', ...own] },
    () => {
      assert.equal(spawnSync(join(D, 'a-link-with-a-long-name'), { cwd: D }).status, 0);
      assert.equal(spawnSync(join(D, 'script'), { cwd: '/' }).status, 0);
      assert.equal(spawnSync(program, { cwd: deep }).status, 0);
      assert.ok(spawnSync(join(D, 'text'), { cwd: D }).error !== undefined);
    },
  );
  const file = realpathSync(program);
  // Of a long one the names of the outermost directories are missing.
  const cut = `.../${deep.split('/').slice(-3).join('/')}`;
  assert.deepEqual(
    paths.rows.map(({ cwd, exepath, error }) => ({ cwd, exepath, failed: error !== undefined })),
    [
      { cwd: D, exepath: file, failed: false },
      { cwd: '/', exepath: realpathSync('/bin/sh'), failed: false },
      { cwd: cut, exepath: file, failed: false },
      { cwd: D, exepath: realpathSync(process.execPath), failed: true },
    ],
  );
  assert.match(text.stdout, new RegExp(`^COMM .* ERR +CWD +EXEPATH +ARGS\n.* ${D} +${file} `));
  assert.ok(plain.rows.every((row) => !('cwd' in row) && !('exepath' in row)));
});

test('execveat, and exec from any thread, are seen as the process that comes of them', async () => {
  using place = new Place();
  await using byDescriptor = await Actor.start();
  await using inDirectory = await Actor.start();
  await using fromThread = await Actor.start({ threads: 2 });
  const fd = await byDescriptor.mustCall('openat', AT_FDCWD, '/bin/sleep', 0);
  const directory = await inDirectory.mustCall('openat', AT_FDCWD, '/bin', 0);
  symlinkSync('/bin/sleep', join(place.path, 'doze'));

  const actors = [byDescriptor, inDirectory, fromThread];
  const truth: object[] = [];
  const { all } = await watch('execsnoop', { all: ['--json', '-P', String(process.pid)] }, async ({ all }) => {
    byDescriptor.tell(0, 'execveat', fd, '', ['sleep', '1001'], [], AT_EMPTY_PATH);
    inDirectory.tell(0, 'execveat', directory, 'sleep', ['sleep', '1002'], [], 0);
    fromThread.tell(2, 'execve', join(place.path, 'doze'), ['sleep', '1003'], []);
    for (const { pid } of actors) {
      await all.row((row) => row.pid === pid, `the exec of process ${pid}`);
      truth.push({
        comm: commOf(pid),
        args: readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0').slice(0, -1),
      });
    }
  });
  const rows = actors.map(({ pid }) => all.rows.filter((row) => row.pid === pid));
  assert.deepEqual(
    rows.map((of) => of.map(({ tid, ppid, path, error, truncated }) => ({ tid, ppid, path, error, truncated }))),
    [`/dev/fd/${fd}`, `/dev/fd/${directory}/sleep`, join(place.path, 'doze')].map((path, i) => [
      { tid: actors[i]?.pid, ppid: process.pid, path, error: undefined, truncated: undefined },
    ]),
  );
  assert.deepEqual(
    rows.map(([row]) => ({ comm: row?.comm, args: row?.args })),
    truth,
  );
});

test('failed attempts are rows with -x, with the error and the arguments as they were given', async () => {
  using place = new Place();
  const D = place.path;
  const none = join(D, 'none');
  const directory = mustSyscall('openat', AT_FDCWD, D, 0);
  const plain = mustSyscall('openat', AT_FDCWD, join(D, 'text'), 0);
  const first = Buffer.from('first\0');
  const unreadable = new Uint8Array(BigUint64Array.of(pointerTo(first), 1n, 0n).buffer);
  const many = Array.from({ length: 600 }, (_, i) => String(i));
  const large = ['a', 'b', 'c', 'd', 'e'].map((letter) => letter.repeat(4000));

  interface Attempt {
    readonly call: readonly [string, ...Argument[]];
    readonly error: string | RegExp;
    readonly path: string;
    readonly args: readonly string[];
    readonly truncated?: true;
  }
  const execve = (path: Argument, args: Argument, ...rest: Argument[]): [string, ...Argument[]] => [
    'execve',
    path,
    args,
    [],
    ...rest,
  ];
  const given = ['name', '', 'two words', 'x\ny'];
  const shown = ['name', '', 'two words', 'x\\ny'];
  const simple = (path: string, error: string): Attempt => ({ call: execve(path, given), error, path, args: shown });
  const attempts: Attempt[] = [
    simple(none, 'ENOENT'),
    simple(join(D, 'text'), 'EACCES'),
    simple(D, 'EACCES'),
    simple(join(D, 'nonsense'), 'ENOEXEC'),
    simple(join(D, 'without'), 'ENOENT'),
    simple(join(D, 'text/below'), 'ENOTDIR'),
    simple(join(D, 'loop'), 'ELOOP'),
    simple('', 'ENOENT'),
    { call: execve(1n, given), error: 'EFAULT', path: '', args: shown, truncated: true },
    {
      call: execve('/'.repeat(5000), ['x']),
      error: 'ENAMETOOLONG',
      path: '/'.repeat(255),
      args: ['x'],
      truncated: true,
    },
    { call: execve(none, []), error: 'ENOENT', path: none, args: [] },
    { call: execve(none, 0), error: 'ENOENT', path: none, args: [] },
    // Kernels differ in whether they look for the file or at the arguments first.
    { call: execve(none, 1n), error: /^(ENOENT|EFAULT)$/, path: none, args: [], truncated: true },
    // The memory of the string comes along, past the last argument, so that it stays.
    { call: execve(none, unreadable, first), error: /^(ENOENT|EFAULT)$/, path: none, args: ['first'], truncated: true },
    { call: execve(none, ['x'.repeat(4095), 'y']), error: 'ENOENT', path: none, args: ['x'.repeat(4095), 'y'] },
    {
      call: execve(none, ['x'.repeat(4096), 'y']),
      error: 'ENOENT',
      path: none,
      args: ['x'.repeat(4095), 'y'],
      truncated: true,
    },
    {
      call: execve(program, ['x'.repeat(4 << 20), 'y']),
      error: 'E2BIG',
      path: program,
      args: ['x'.repeat(4095), 'y'],
      truncated: true,
    },
    { call: execve(none, many), error: 'ENOENT', path: none, args: many.slice(0, 512), truncated: true },
    {
      call: execve(none, large),
      error: 'ENOENT',
      path: none,
      args: [...large.slice(0, 4), 'e'.repeat(16384 - 4 * 4001)],
      truncated: true,
    },
    { call: ['execveat', directory, 'none', given, [], 0], error: 'ENOENT', path: 'none', args: shown },
    { call: ['execveat', plain, '', given, [], AT_EMPTY_PATH], error: 'EACCES', path: '', args: shown },
    { call: ['execveat', 4095, 'none', given, [], 0], error: 'EBADF', path: 'none', args: shown },
    { call: ['execveat', directory, 'text', given, [], 0x8000], error: 'EINVAL', path: 'text', args: shown },
  ];
  await using actor = await Actor.start({ threads: 1 });
  const own = ['-p', String(process.pid), '--json'];
  const errors: number[] = [];
  const seen = await watch(
    'execsnoop',
    {
      failed: [...own, '--failed'],
      succeeded: own,
      thread: ['--fails', '--json', '-t', String(actor.tids[1])],
    },
    async () => {
      for (const { call, error } of attempts) {
        const result = syscall(...call);
        errors.push(-result);
        assert.match(errorName(-result), typeof error === 'string' ? new RegExp(`^${error}$`) : error, String(call[1]));
      }
      await actor.ask(1, 'execve', none, given, []);
    },
  );

  const ppid = process.ppid;
  const parent = { ppid, pcomm: readFileSync(`/proc/${ppid}/comm`, 'utf8').trim(), cgroup: cgroupOf(process.pid) };
  const short = (row: object) => squeeze(JSON.stringify(row));
  const expected = attempts.map(({ path, args, truncated }, i) => ({
    pid: process.pid,
    tid: process.pid,
    ppid: parent.ppid,
    uid: 0,
    comm: ownComm,
    pcomm: parent.pcomm,
    error: errors[i],
    cgroup: parent.cgroup,
    path,
    ...(truncated && { truncated }),
    args,
  }));
  assert.deepEqual(known(seen.failed.rows).map(short), expected.map(short));
  assert.deepEqual(seen.succeeded.rows, []);
  assert.deepEqual(
    seen.thread.rows.map(({ pid, tid, ppid: of, error, path, args }) => ({ pid, tid, of, error, path, args })),
    [{ pid: actor.pid, tid: actor.tids[1], of: process.pid, error: 2, path: none, args: shown }],
  );
});

test('rows are those of the process, parent, user, command, arguments, cgroup and mount namespace asked for', async () => {
  const user = anotherUser();
  using group = new TestCgroup();
  await using plain = await Actor.start();
  await using grouped = await Actor.start();
  await using nested = await Actor.start();
  await using spaced = await Actor.start();
  await using foreign = await Actor.start();
  await using second = await Actor.start({ threads: 1 });
  enterCgroup(group.path, grouped.pid);
  enterCgroup(group.below('nested'), nested.pid);
  await spaced.mustCall('unshare', CLONE_NEWNS);
  await foreign.mustCall('setresuid', user.uid, user.uid, user.uid);
  await second.mustCall('prctl', PR_SET_NAME, 'the-caller');
  using cgroups = new PinnedSet([BigInt(cgroupOf(nested.pid))], 8);
  using namespaces = new PinnedSet([BigInt(readlinkSync(`/proc/${spaced.pid}/ns/mnt`).replace(/\D/g, ''))], 4);

  const actors = { plain, grouped, nested, spaced, foreign, second };
  const own = ['--json', '-P', String(process.pid)];
  const seen = await watch(
    'execsnoop',
    {
      all: own,
      parent: ['--json', '--ppid', String(process.pid), '--fields', 'args'],
      orphan: ['--json', '--ppid', String(plain.pid)],
      pid: ['--json', '-p', String(plain.pid)],
      // By then, the process has the number of its first thread.
      tid: ['--json', '-t', String(second.pid)],
      uid: [...own, '-u', String(user.uid)],
      userName: [...own, '--uid', user.name],
      comm: [...own, '--comm', 'sleep'],
      callerComm: [...own, '-x', '--comm', 'the-caller'],
      name: [...own, '-n', '^s[el]+p$'],
      otherName: [...own, '--name', '^leep'],
      line: [...own, '-l', '^200[03]$'],
      longLine: [...own, '--line', 'sleep|x'],
      cgroup: [...own, '--cgroup', group.path],
      cgroupMap: [...own, '--cgroupmap', cgroups.path],
      mountNamespaces: [...own, '--mntnsmap', namespaces.path],
    },
    async ({ all }) => {
      await second.call('execve', '/none', ['none'], []);
      for (const [i, [name, actor]] of Object.entries(actors).entries()) {
        actor.tell(name === 'second' ? 1 : 0, 'execve', '/bin/sleep', ['sleep', `200${i}`], []);
        await all.row(({ pid }) => pid === actor.pid, `the exec of ${name}`);
      }
    },
  );
  const names = ({ rows }: { readonly rows: readonly JsonMessage[] }) =>
    rows.map(({ pid, error }) => {
      const name = Object.entries(actors).find(([, actor]) => actor.pid === pid)?.[0];
      return error === undefined ? name : `${name} (${error})`;
    });
  const everybody = Object.keys(actors);
  assert.deepEqual(names(seen.all), everybody);
  assert.deepEqual(
    seen.parent.rows.map(({ type, ...row }) => row),
    everybody.map((_, i) => ({ args: ['sleep', `200${i}`] })),
  );
  assert.deepEqual(names(seen.orphan), []);
  assert.deepEqual(names(seen.pid), ['plain']);
  assert.deepEqual(names(seen.tid), ['second']);
  assert.deepEqual(names(seen.uid), ['foreign']);
  assert.equal(seen.uid.rows[0]?.uid, user.uid);
  assert.deepEqual(names(seen.userName), ['foreign']);
  assert.deepEqual(names(seen.comm), everybody);
  assert.deepEqual(names(seen.callerComm), ['second (2)']);
  assert.deepEqual(names(seen.name), everybody);
  assert.deepEqual(names(seen.otherName), []);
  assert.deepEqual(names(seen.line), ['plain', 'spaced']);
  assert.deepEqual(names(seen.longLine), everybody);
  assert.deepEqual(names(seen.cgroup), ['grouped', 'nested']);
  assert.deepEqual(names(seen.cgroupMap), ['nested']);
  assert.deepEqual(names(seen.mountNamespaces), ['spaced']);
});

test('text has the columns that were asked for, and quotes on demand', async () => {
  const args = ['true', 'two words', '', 'a "b"', 'x\ny\\'];
  const own = ['-P', String(process.pid)];
  let pid = 0;
  const seen = await watch(
    'execsnoop',
    {
      plain: own,
      quoted: [...own, '--quote', '--max-args', '5'],
      fewer: [...own, '--max-args', '2', '-q'],
      wide: [...own, '-T', '-U', '-M', '-C'],
      long: [...own, '--timestamp', '--print-uid', '--print-pcomm', '--print-cpu'],
      failed: ['-x', '-p', String(process.pid)],
      fields: [...own, '--fields', 'ppid,pid,args,path'],
    },
    () => {
      pid = run(program, args);
      syscall('execve', '/none', ['none', 'x'], []);
    },
  );
  const lines = (text: string) => text.split('\n').map((line) => line.trim().replace(/ {2,}(?=\S)/g, ' '));
  const ppid = process.pid;
  assert.deepEqual(seen.plain.stdout.split('\n').slice(1), [
    `${'true'.padEnd(16)} ${String(pid).padStart(7)} ${String(ppid).padStart(7)} ${'-'.padEnd(7)} true two words  a "b" x\\ny\\\\`,
    '',
  ]);
  const quoted = '"true" "two words" "" "a \\"b\\"" "x\\ny\\\\"';
  assert.deepEqual(lines(seen.quoted.stdout), ['COMM PID PPID ERR ARGS', `true ${pid} ${ppid} - ${quoted}`, '']);
  assert.deepEqual(lines(seen.fewer.stdout)[1], `true ${pid} ${ppid} - "true" "two words" ...`);
  for (const { stdout } of [seen.wide, seen.long]) {
    const [header, line = ''] = lines(stdout);
    assert.equal(header, 'TIME UID COMM PID PCOMM PPID CPU ERR ARGS');
    assert.match(
      line.replace(/ true two.*$/, ''),
      new RegExp(`^\\d\\d:\\d\\d:\\d\\d 0 true ${pid} ${ownComm} ${ppid} \\d+ -$`),
    );
  }
  const failed = `${ownComm} ${process.pid} ${process.ppid} ENOENT none x`;
  assert.deepEqual(lines(seen.failed.stdout).slice(1), [failed, '']);
  assert.deepEqual(lines(seen.fields.stdout)[0], 'PPID PID ARGS PATH');
  assert.match(lines(seen.fields.stdout)[1] ?? '', new RegExp(`^${ppid} ${pid} true .* /bin/true$`));
});

test('the time and the processor are those of the exec', async () => {
  const processors = [allowedProcessors()[0] as number, allowedProcessors().at(-1) as number];
  const times: [number, number][] = [];
  const { all } = await watch('execsnoop', { all: ['--json', '-P', String(process.pid)] }, () => {
    for (const processor of processors) {
      const start = Date.now();
      onProcessor(processor, () => run(program, ['true']));
      times.push([start, Date.now()]);
    }
  });
  assert.deepEqual(
    all.rows.map(({ cpu }) => cpu),
    processors,
  );
  for (const [i, [start, end]] of times.entries()) {
    const time = Date.parse(String(all.rows[i]?.time));
    assert.ok(time >= start - 5 && time <= end + 6, `${time} is not from ${start} to ${end}`);
  }
});

/** What runs in the comparisons with other tools. */
const script =
  '/bin/true a; env true "b c" --d=e; none-such; /none/such f; (exec env -i /bin/true g); exec /bin/true h';

test('the same execs as strace, with the same arguments and results', async (t) => {
  if (spawnSync('strace', ['-V']).status !== 0) {
    t.skip('strace is not installed');
    return;
  }
  using place = new TemporaryDirectory();
  using group = new TestCgroup();
  const log = join(place.path, 'strace.log');
  const { all } = await watch('execsnoop', { all: ['--json', '-x', '--cgroup', group.path] }, async () => {
    const argv = ['-f', '-qq', '-s', '4096', '-e', 'trace=execve', '-e', 'signal=none', '-o', log];
    const env = { PATH: '/none:/sbin:/bin:/usr/bin' };
    await using strace = startCommand(group.command(['/usr/bin/strace', ...argv, '/bin/sh', '-c', script]), { env });
    await strace.ended();
  });
  const expected = new Map<number, string[]>();
  for (const line of readFileSync(log, 'utf8').split('\n')) {
    const call = /^(\d+) +execve\("(.*?)", (\[.*\]), 0x\w+ \/\*.*?\*\/\) += (-?\d+)(?: (E\w+))?/.exec(line);
    if (call !== null) {
      const [, pid, path, args = '', , error] = call;
      const attempt = JSON.stringify([path, JSON.parse(args), error]);
      expected.set(Number(pid), [...(expected.get(Number(pid)) ?? []), attempt]);
    }
  }
  const total = [...expected.values()].flat().length;
  assert.ok(expected.size >= 5 && total >= 10, `strace saw ${total} attempts of ${expected.size} processes`);
  for (const [pid, attempts] of expected) {
    const rows = all.rows.filter((row) => row.pid === pid);
    assert.deepEqual(
      rows.map(({ path, args, error }) =>
        JSON.stringify([path, args, error === undefined ? undefined : errorName(Number(error))]),
      ),
      attempts,
    );
  }
});

test('the same execs as the execsnoop of libbpf-tools', async (t) => {
  await using peer = await startPeer(t, 'execsnoop', ['-x']);
  if (peer === undefined) {
    return;
  }
  let shell = 0;
  using group = new TestCgroup();
  const { all } = await watch('execsnoop', { all: ['--json', '-x', '--cgroup', group.path] }, async () => {
    const env = { PATH: '/none:/sbin:/bin:/usr/bin' };
    await using run = startCommand(group.command(['/bin/sh', '-c', `${script} the-last-one`]), { env });
    shell = run.pid;
    await run.ended();
  });
  await peer.until(({ stdout }) => stdout.includes('the-last-one'), 'the last exec');
  const family = new Set([shell, ...all.rows.filter(({ ppid }) => ppid === shell).map(({ pid }) => pid)]);
  // Before the shell entered the cgroup, it was started to do so.
  const sorted = (rows: readonly string[]) =>
    rows.filter((row) => family.has(Number(row.split(' ')[1])) && !row.includes('cgroup.procs')).sort();
  const theirs = [...peer.stdout.matchAll(/^(\S+) +(\d+) +(\d+) +(-?\d+) (.*?) *$/gm)].map((match) =>
    match.slice(1).join(' '),
  );
  const ours = all.rows.map(({ comm, pid, ppid, error, path, args }) =>
    [comm, pid, ppid, error === undefined ? 0 : -Number(error), path, ...(args as string[]).slice(1)].join(' '),
  );
  assert.ok(sorted(ours).length >= 10, `${sorted(ours).length} attempts`);
  assert.deepEqual(sorted(ours), sorted(theirs));
});
