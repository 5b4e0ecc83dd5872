import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { constants, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { constants as system } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Actor } from '../helpers/actor.ts';
import { anotherUser } from '../helpers/another-user.ts';
import { cgroupOf, enterCgroup, TestCgroup } from '../helpers/cgroup.ts';
import type { Argument } from '../helpers/native-arguments.ts';
import { startPeer } from '../helpers/peer.ts';
import { PinnedSet } from '../helpers/pinned-map.ts';
import { type JsonMessage, runTool, startCommand, startTool } from '../helpers/run-tool.ts';
import { squeeze } from '../helpers/squeeze.ts';
import { stacksProgram } from '../helpers/stacks-program.ts';
import { hasSyscall } from '../helpers/syscall.ts';
import { commOf } from '../helpers/task-fields.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';
import { timeless, watch } from '../helpers/watch.ts';

const { O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_EXCL, O_TRUNC, O_APPEND, O_NONBLOCK, O_SYNC, O_DSYNC } = constants;
const { O_DIRECTORY, O_NOFOLLOW } = constants;
const O_CLOEXEC = 0o2000000;
const O_PATH = 0o10000000;
const O_TMPFILE = 0o20000000 | O_DIRECTORY;
const AT_FDCWD = -100;
const RESOLVE_NO_SYMLINKS = 4;
const RESOLVE_IN_ROOT = 16;
const CLONE_NEWNS = 0x20000;
const MS_BIND = 0x1000;
const PAGE = 4096;
const PROT_READ = 1;
const MAP_PRIVATE = 2;
const MS_REC_PRIVATE = 0x44000;
const PR_SET_NAME = 15;

/** One system call of the open(2) family, and what a row must say about it besides its result. */
interface Opening {
  readonly name: string;
  readonly args: readonly Argument[];
  readonly path: string;
  readonly flags: number;
  readonly mode?: number;
}

const needsMode = (flags: number) => (flags & O_CREAT) !== 0 || (flags & O_TMPFILE) === O_TMPFILE;

function row(path: string, flags: number, mode: number): Pick<Opening, 'path' | 'flags' | 'mode'> {
  return { path, flags, ...(needsMode(flags) && { mode }) };
}

/** open(2), which arm64 has only as openat(2). */
function open(path: string, flags: number, mode = 0): Opening {
  return hasSyscall('open')
    ? { name: 'open', args: [path, flags, mode], ...row(path, flags, mode) }
    : openat(AT_FDCWD, path, flags, mode);
}

function creat(path: string, mode: number): Opening {
  const flags = O_CREAT | O_WRONLY | O_TRUNC;
  return hasSyscall('creat')
    ? { name: 'creat', args: [path, mode], ...row(path, flags, mode) }
    : open(path, flags, mode);
}

function openat(dirfd: number, path: string, flags: number, mode = 0): Opening {
  return { name: 'openat', args: [dirfd, path, flags, mode], ...row(path, flags, mode) };
}

function openat2(dirfd: number, path: string, flags: number, mode = 0, resolve = 0): Opening {
  return { name: 'openat2', args: [dirfd, path, openHow(flags, mode, resolve), 24], ...row(path, flags, mode) };
}

function openHow(flags: number, mode: number, resolve: number): Uint8Array {
  return new Uint8Array(BigUint64Array.of(BigInt(flags), BigInt(mode), BigInt(resolve)).buffer);
}

/** Opens, and closes what was opened when all is done. @returns the results */
async function perform(actor: Actor, openings: readonly Opening[]): Promise<number[]> {
  const results = (await actor.perform(openings)).map(({ result }) => result);
  const open = results.filter((fd) => fd >= 0);
  await actor.perform(open.map((fd) => ({ name: 'close', args: [fd] })));
  return results;
}

function outcome(result: number): { readonly fd: number } | { readonly error: number } {
  return result < 0 ? { error: -result } : { fd: result };
}

/** An actor as rows show it that has done nothing special. */
function rowOf({ pid }: Actor) {
  return { pid, tid: pid, uid: 0, comm: commOf(pid), cgroup: cgroupOf(pid) };
}

/** 23 opens in all ways, with all kinds of results. `dirfd` is an open file descriptor of `directory`. */
function openingsIn(directory: string, dirfd: number): Opening[] {
  const file = join(directory, 'file');
  const link = join(directory, 'link');
  return [
    open(file, O_RDONLY),
    open(file, O_RDWR | O_APPEND | O_NONBLOCK | O_CLOEXEC),
    open(join(directory, 'missing'), O_RDONLY),
    open(join(directory, 'made'), O_WRONLY | O_CREAT | O_EXCL, 0o640),
    open(join(directory, 'made'), O_WRONLY | O_CREAT | O_EXCL, 0o640),
    open(file, O_RDONLY | O_DIRECTORY),
    open(join(file, 'below'), O_RDONLY),
    open(directory, O_WRONLY),
    open('', O_RDONLY),
    creat(join(directory, 'created'), 0o4755),
    creat(directory, 0o600),
    openat(AT_FDCWD, file, O_WRONLY | O_TRUNC),
    openat(dirfd, 'file', O_RDONLY | O_SYNC),
    openat(dirfd, 'file', O_WRONLY | O_DSYNC),
    openat(dirfd, 'nothing', O_RDWR, 0o777),
    openat(dirfd, '.', O_RDWR | O_TMPFILE, 0o600),
    openat(dirfd, 'link', O_RDONLY | O_NOFOLLOW),
    openat(dirfd, 'link', O_PATH | O_NOFOLLOW),
    openat(4095, 'file', O_RDONLY),
    openat(4095, file, O_RDONLY),
    openat2(dirfd, 'file', O_RDONLY | O_CLOEXEC),
    openat2(dirfd, 'second', O_RDWR | O_CREAT, 0o751),
    openat2(AT_FDCWD, link, O_RDONLY, 0, RESOLVE_NO_SYMLINKS),
  ];
}

/** A directory with `file` in it and `link` to that. */
class Place extends TemporaryDirectory {
  constructor() {
    super();
    writeFileSync(join(this.path, 'file'), 'text');
    symlinkSync('file', join(this.path, 'link'));
  }
}

test('each of 23 opens is one row, with its result, flags and mode', async () => {
  using place = new Place();
  await using actor = await Actor.start();
  const dirfd = await actor.mustCall('openat', AT_FDCWD, place.path, O_DIRECTORY);
  const openings = openingsIn(place.path, dirfd);
  assert.equal(openings.length, 23);
  const own = ['--json', '-p', String(actor.pid)];
  let results: number[] = [];
  const seen = await watch(
    'opensnoop',
    {
      all: own,
      failed: [...own, '-x'],
      create: [...own, '-f', 'O_CREAT'],
      write: [...own, '-f', 'O_WRONLY,rdwr'],
      repeated: [...own, '-f', 'O_NONBLOCK', '--flag-filter', 'O_PATH,O_TMPFILE', '--flag_filter', 'O_EXCL'],
      readOnly: [...own, '-f', 'O_RDONLY'],
      sync: [...own, '-f', 'O_SYNC'],
    },
    async () => {
      results = await perform(actor, openings);
    },
  );

  const rows = openings.map(({ path, flags, mode }, i) => ({
    ...rowOf(actor),
    path,
    flags,
    ...(mode !== undefined && { mode }),
    ...outcome(results[i] as number),
  }));
  const only = (wanted: (row: (typeof rows)[number]) => boolean) => rows.filter(wanted);
  assert.deepEqual(
    rows.map((one) => ('error' in one ? one.error : 0)),
    [0, 0, 2, 0, 17, 20, 20, 21, 2, 0, 21, 0, 0, 0, 2, 0, 40, 0, 9, 0, 0, 0, 40],
  );
  assert.deepEqual(timeless(seen.all.rows), rows);
  assert.deepEqual(
    timeless(seen.failed.rows),
    only((one) => 'error' in one),
  );
  assert.deepEqual(
    timeless(seen.create.rows),
    only(({ flags }) => (flags & O_CREAT) !== 0),
  );
  assert.deepEqual(
    timeless(seen.write.rows),
    only(({ flags }) => (flags & 3) !== 0),
  );
  assert.deepEqual(
    timeless(seen.repeated.rows),
    only(({ flags }) => (flags & (O_NONBLOCK | O_PATH | O_EXCL)) !== 0 || (flags & O_TMPFILE) === O_TMPFILE),
  );
  assert.deepEqual(
    timeless(seen.readOnly.rows),
    only(({ flags }) => (flags & 3) === 0),
  );
  assert.deepEqual(
    timeless(seen.sync.rows),
    only(({ flags }) => (flags & O_SYNC) === O_SYNC),
  );
});

test('text has the columns that were asked for', async () => {
  using place = new Place();
  const { path } = place;
  await using actor = await Actor.start();
  const dirfd = await actor.mustCall('openat', AT_FDCWD, path, O_DIRECTORY);
  const own = ['-p', String(actor.pid)];
  const openings = [
    openat(dirfd, 'file', O_RDONLY),
    openat(dirfd, 'made', O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o4640),
    open(join(path, 'none'), O_WRONLY),
    openat(dirfd, 'a \x1b[31m\n\x07b', O_RDONLY),
  ];
  let results: number[] = [];
  const seen = await watch(
    'opensnoop',
    {
      plain: own,
      thread: ['-t', String(actor.pid)],
      wide: [...own, '-T', '-U', '-e'],
      long: [...own, '--timestamp', '--print-uid', '--extended_fields'],
      fields: [...own, '--fields', 'path,error,fd'],
      fieldsJson: [...own, '--fields', 'path,error,fd', '--json'],
    },
    async () => {
      results = await perform(actor, openings);
    },
  );

  const [a, b] = results;
  const shown = (text: string) => text.split('\n').map((line) => line.trim().split(/ +/).join(' '));
  const time = /^\d\d:\d\d:\d\d /gm;
  const { pid } = actor;
  const name = commOf(pid);
  const escaped = 'a \\x1b[31m\\n\\x07b';
  assert.deepEqual(shown(seen.plain.stdout), [
    'PID COMM FD ERR PATH',
    `${pid} ${name} ${a} - file`,
    `${pid} ${name} ${b} - made`,
    `${pid} ${name} - ENOENT ${path}/none`,
    `${pid} ${name} - ENOENT ${escaped}`,
    '',
  ]);
  assert.deepEqual(shown(seen.thread.stdout), [
    'PID TID COMM FD ERR PATH',
    `${pid} ${pid} ${name} ${a} - file`,
    `${pid} ${pid} ${name} ${b} - made`,
    `${pid} ${pid} ${name} - ENOENT ${path}/none`,
    `${pid} ${pid} ${name} - ENOENT ${escaped}`,
    '',
  ]);
  assert.equal(seen.wide.stdout.match(time)?.length, 4);
  assert.deepEqual(shown(seen.wide.stdout.replace(time, '')), [
    'TIME UID PID COMM FD ERR FLAGS MODE PATH',
    `0 ${pid} ${name} ${a} - O_RDONLY - file`,
    `0 ${pid} ${name} ${b} - O_RDWR|O_CREAT|O_EXCL|O_CLOEXEC 04640 made`,
    `0 ${pid} ${name} - ENOENT O_WRONLY - ${path}/none`,
    `0 ${pid} ${name} - ENOENT O_RDONLY - ${escaped}`,
    '',
  ]);
  assert.equal(seen.long.stdout.replace(time, ''), seen.wide.stdout.replace(time, ''));
  assert.deepEqual(shown(seen.fields.stdout), [
    'PATH ERR FD',
    `file - ${a}`,
    `made - ${b}`,
    `${path}/none ENOENT -`,
    `${escaped} ENOENT -`,
    '',
  ]);
  assert.deepEqual(
    seen.fieldsJson.rows.map((one) => JSON.stringify(one)),
    [
      `{"type":"event","path":"file","fd":${a}}`,
      `{"type":"event","path":"made","fd":${b}}`,
      `{"type":"event","path":"${path}/none","error":2}`,
      `{"type":"event","path":${JSON.stringify(escaped)},"error":2}`,
    ],
  );
});

test('rows are those of the process, thread, user, command, cgroup and mount namespace asked for', async () => {
  const user = anotherUser();
  using place = new TemporaryDirectory();
  using group = new TestCgroup();
  await using plain = await Actor.start({ threads: 1 });
  await using named = await Actor.start();
  await using grouped = await Actor.start();
  await using nested = await Actor.start();
  await using foreign = await Actor.start();

  await named.mustCall('prctl', PR_SET_NAME, 'a-known-name');
  await foreign.mustCall('prctl', PR_SET_NAME, 'ab\x1b[1m');
  await foreign.mustCall('setresuid', user.uid, user.uid, user.uid);
  enterCgroup(group.path, grouped.pid);
  enterCgroup(group.below('nested'), nested.pid);
  await named.mustCall('unshare', CLONE_NEWNS);
  const namespace = BigInt(readlinkSync(`/proc/${named.pid}/ns/mnt`).replace(/\D/g, ''));
  using cgroups = new PinnedSet([BigInt(cgroupOf(grouped.pid)), 1n << 40n], 8);
  using namespaces = new PinnedSet([namespace], 4);

  const at = (name: string) => join(place.path, name);
  const own = ['--fields', 'path', '--json'];
  const seen = await watch(
    'opensnoop',
    {
      pid: ['--json', '--pid', String(plain.pid)],
      tid: [...own, '--tid', String(plain.tids[1])],
      both: [...own, '-p', String(plain.pid), '-t', String(plain.tids[0])],
      half: [...own, '-p', String(named.pid), '--comm', 'a-known-nam'],
      uid: ['--json', '-u', String(user.uid)],
      userName: ['--json', '--uid', user.name],
      comm: ['--json', '--comm', 'a-known-name'],
      hostile: [...own, '--comm', 'ab\x1b[1m'],
      part: [...own, '-p', String(named.pid), '-n', 'known'],
      otherPart: [...own, '-p', String(named.pid), '--name', 'a known'],
      cgroup: ['--json', '--cgroup', group.path],
      cgroupMap: [...own, '--cgroupmap', cgroups.path],
      mountNamespaces: [...own, '--mntnsmap', namespaces.path],
    },
    async () => {
      for (const [actor, name] of Object.entries({ plain, named, grouped, nested, foreign }).map(
        ([name, actor]) => [actor, name] as const,
      )) {
        await actor.call('openat', AT_FDCWD, at(name), O_RDONLY);
      }
      await plain.ask(1, 'openat', AT_FDCWD, at('thread'), O_RDONLY);
    },
  );

  const ours = (rows: readonly JsonMessage[]) => rows.filter(({ path }) => String(path).startsWith(`${place.path}/`));
  const names = (rows: readonly JsonMessage[]) =>
    ours(rows).map(({ path }) => String(path).slice(place.path.length + 1));
  /** The same, of a filter that lets nothing else through. */
  const exactly = (rows: readonly JsonMessage[]) => {
    assert.deepEqual(rows, ours(rows));
    return names(rows);
  };
  const about = (actor: Actor, path: string) => ({ ...rowOf(actor), flags: 0, error: 2, path: at(path) });
  assert.deepEqual(timeless(seen.pid.rows), [
    about(plain, 'plain'),
    { ...about(plain, 'thread'), tid: plain.tids[1], comm: commOf(plain.pid) },
  ]);
  assert.deepEqual(timeless(seen.comm.rows), [{ ...about(named, 'named'), comm: 'a-known-name' }]);
  assert.deepEqual(timeless(seen.cgroup.rows), [
    { ...about(grouped, 'grouped'), cgroup: group.id },
    about(nested, 'nested'),
  ]);
  assert.deepEqual(timeless(ours(seen.uid.rows)), [
    { ...about(foreign, 'foreign'), uid: user.uid, error: 13, comm: 'ab\\x1b[1m' },
  ]);
  assert.deepEqual(exactly(seen.pid.rows), ['plain', 'thread']);
  assert.deepEqual(exactly(seen.tid.rows), ['thread']);
  assert.deepEqual(exactly(seen.both.rows), ['plain']);
  assert.deepEqual(exactly(seen.half.rows), []);
  for (const { rows } of [seen.uid, seen.userName]) {
    assert.deepEqual(names(rows), ['foreign']);
    assert.ok(rows.every(({ uid }) => uid === user.uid));
  }
  assert.deepEqual(exactly(seen.comm.rows), ['named']);
  assert.deepEqual(exactly(seen.hostile.rows), ['foreign']);
  assert.deepEqual(exactly(seen.part.rows), ['named']);
  assert.deepEqual(exactly(seen.otherPart.rows), []);
  assert.deepEqual(exactly(seen.cgroup.rows), ['grouped', 'nested']);
  assert.deepEqual(exactly(seen.cgroupMap.rows), ['grouped']);
  assert.deepEqual(exactly(seen.mountNamespaces.rows), ['named']);
});

/** A relative open in an actor and the path that -F must show for it. */
type Resolved = readonly [opening: Opening, expected: string];

test('-F shows where relative names lead: through directories, links and mounts', async () => {
  using place = new Place();
  const D = place.path;
  for (const name of ['real', 'real/sub', 'tmpfs', 'bound', 'gone']) {
    mkdirSync(join(D, name));
  }
  writeFileSync(join(D, 'real/file'), '');
  symlinkSync('real', join(D, 'way'));
  symlinkSync(join(D, 'real/file'), join(D, 'way-to-file'));

  await using actor = await Actor.start({ cwd: D });
  await actor.mustCall('unshare', CLONE_NEWNS);
  await actor.mustCall('mount', 'none', '/', 0, MS_REC_PRIVATE, 0);
  await actor.mustCall('mount', 'tmpfs', join(D, 'tmpfs'), 'tmpfs', 0, 0);
  await actor.mustCall('mount', join(D, 'real'), join(D, 'bound'), 0, MS_BIND, 0);
  const directory = (path: string) => actor.mustCall('openat', AT_FDCWD, path, O_PATH | O_DIRECTORY);
  const real = await directory('real');
  const tmpfs = await directory('tmpfs');
  const bound = await directory('bound/sub');
  const file = await actor.mustCall('openat', AT_FDCWD, 'file', O_RDONLY);

  const inPlace: Resolved[] = [
    [openat(AT_FDCWD, 'real/file', O_RDONLY), `${D}/real/file`],
    [open('./real/../real//sub/../file', O_RDONLY), `${D}/real/file`],
    [openat(AT_FDCWD, 'way/file', O_RDONLY), `${D}/real/file`],
    [openat(AT_FDCWD, 'way-to-file', O_RDONLY), `${D}/real/file`],
    [openat(AT_FDCWD, 'way-to-file', O_RDONLY | O_NOFOLLOW), `${D}/way-to-file`],
    [openat(AT_FDCWD, 'way-to-file', O_PATH | O_NOFOLLOW), `${D}/way-to-file`],
    [openat(AT_FDCWD, 'way/none', O_RDONLY), `${D}/way/none`],
    [openat(AT_FDCWD, 'none', O_RDONLY), `${D}/none`],
    [openat(AT_FDCWD, '../none/./', O_RDONLY), `${D}/../none/./`],
    [openat(AT_FDCWD, '.', O_RDONLY), D],
    [openat(AT_FDCWD, '..', O_RDONLY), join(D, '..')],
    [openat(AT_FDCWD, 'made', O_RDWR | O_CREAT, 0o600), `${D}/made`],
    [creat('real/made', 0o600), `${D}/real/made`],
    [openat(AT_FDCWD, '', O_RDONLY), `${D}/`],
    [openat(AT_FDCWD, `${D}/way/file`, O_RDONLY), `${D}/way/file`],
    [openat(real, `${D}/way/none`, O_RDONLY), `${D}/way/none`],
    [openat(real, 'file', O_RDONLY), `${D}/real/file`],
    [openat(real, 'none', O_RDONLY), `${D}/real/none`],
    [openat(real, '..', O_RDONLY), D],
    [openat(file, 'below', O_RDONLY), `${D}/file/below`],
    [openat(4095, 'file', O_RDONLY), 'file'],
    [openat(tmpfs, 'made', O_RDWR | O_CREAT, 0o600), `${D}/tmpfs/made`],
    [openat(tmpfs, 'none', O_RDONLY), `${D}/tmpfs/none`],
    [openat(tmpfs, '../file', O_RDONLY), `${D}/file`],
    [openat(AT_FDCWD, 'tmpfs', O_RDONLY), `${D}/tmpfs`],
    [openat(AT_FDCWD, 'bound/file', O_RDONLY), `${D}/bound/file`],
    [openat(bound, '../file', O_RDONLY), `${D}/bound/file`],
    [openat(bound, 'none', O_RDONLY), `${D}/bound/sub/none`],
    [openat2(real, 'file', O_RDONLY), `${D}/real/file`],
    [openat2(real, '/file', O_RDONLY, 0, RESOLVE_IN_ROOT), `${D}/real/file`],
    [openat2(real, '/none', O_RDONLY, 0, RESOLVE_IN_ROOT), `${D}/real//none`],
    [openat2(real, `${D}/file`, O_RDONLY), `${D}/file`],
  ];
  const inTmpfs: Resolved[] = [
    [openat(AT_FDCWD, 'made', O_RDONLY), `${D}/tmpfs/made`],
    [openat(AT_FDCWD, 'none', O_RDONLY), `${D}/tmpfs/none`],
    [openat(AT_FDCWD, '../way/file', O_RDONLY), `${D}/real/file`],
  ];
  const inNothing: Resolved[] = [[openat(AT_FDCWD, 'none', O_RDONLY), `${D}/gone/none`]];
  const inDescriptors: Resolved[] = [
    [openat(AT_FDCWD, String(real), O_PATH), `${D}/real`],
    [openat(AT_FDCWD, '2147483647', O_RDONLY), `/proc/${actor.pid}/fd/2147483647`],
  ];
  const inTop: Resolved[] = [
    [openat(AT_FDCWD, '.', O_RDONLY), '/'],
    [openat(AT_FDCWD, 'none-such', O_RDONLY), '/none-such'],
    [openat(AT_FDCWD, D.slice(1), O_RDONLY), D],
  ];
  const inRoot: Resolved[] = [
    [openat(AT_FDCWD, 'file', O_RDONLY), '/file'],
    [openat(AT_FDCWD, 'none', O_RDONLY), '/none'],
    [openat(AT_FDCWD, '/file', O_RDONLY), '/file'],
    [openat(AT_FDCWD, '..', O_RDONLY), '/'],
  ];

  const results: number[] = [];
  const all: Resolved[] = [];
  const performIn = async (openings: readonly Resolved[]) => {
    for (const [{ name, args }] of openings) {
      results.push(await actor.call(name, ...args));
    }
    all.push(...openings);
  };
  const seen = await watch(
    'opensnoop',
    {
      resolved: ['--json', '-F', '-p', String(actor.pid)],
      failed: ['--json', '--full-path', '--failed', '-p', String(actor.pid)],
      given: ['--json', '-p', String(actor.pid)],
    },
    async () => {
      await performIn(inPlace);
      await actor.mustCall('chdir', 'tmpfs');
      await performIn(inTmpfs);
      await actor.mustCall('chdir', '../gone');
      await actor.mustCall('unlinkat', AT_FDCWD, `${D}/gone`, 0x200);
      await performIn(inNothing);
      await actor.mustCall('chdir', '/proc/self/fd');
      await performIn(inDescriptors);
      await actor.mustCall('chdir', '/');
      await performIn(inTop);
      await actor.mustCall('chroot', `${D}/real`);
      await actor.mustCall('chdir', '/');
      await performIn(inRoot);
    },
  );

  const rows = all.map(([{ args, path: given }, path], i) => ({ given, args, path, ...outcome(results[i] as number) }));
  const short = ({ path, fd, error }: Record<string, unknown>) =>
    JSON.stringify({ path, ...(fd !== undefined && { fd }), ...(error !== undefined && { error }) });
  assert.deepEqual(seen.resolved.rows.map(short), rows.map(short));
  assert.deepEqual(seen.failed.rows.map(short), rows.filter((one) => 'error' in one).map(short));
  assert.deepEqual(
    seen.given.rows.map(short),
    rows.map((one) => short({ ...one, path: one.given })),
  );
  assert.ok([...seen.resolved.rows, ...seen.given.rows].every((one) => !('truncated' in one || 'unreadable' in one)));
});

/** A name of `length` bytes below `directory` that leads to `leaf` there. */
function padded(directory: string, leaf: string, length: number): string {
  const missing = length - directory.length - 1 - leaf.length;
  return `${directory}/${missing % 2 === 0 ? '' : '/'}${'./'.repeat(Math.floor(missing / 2))}${leaf}`;
}

test('a name in memory that nobody has touched yet is read', async () => {
  using place = new Place();
  const file = join(place.path, 'file');
  const names = join(place.path, 'names');
  writeFileSync(names, Buffer.concat([Buffer.from(file), Buffer.alloc(PAGE)]));
  await using actor = await Actor.start();
  const fd = await actor.mustCall('openat', AT_FDCWD, names, O_RDONLY);
  const at = await actor.mustCall('mmap', 0, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
  const { json } = await watch('opensnoop', { json: ['--json', '-p', String(actor.pid)] }, () =>
    actor.mustCall('openat', AT_FDCWD, at, O_RDONLY),
  );
  assert.deepEqual(
    json.rows.map(({ path }) => path),
    [file],
  );
});

test('names and paths are whole up to the longest there can be, and marked where they are cut', async () => {
  using place = new Place();
  const D = place.path;
  mkdirSync(join(D, 'tmpfs'));
  // What lies deeper than a path can be written goes with the name space of the actor.
  await using actor = await Actor.start({ cwd: join(D, 'tmpfs') });
  await actor.mustCall('unshare', CLONE_NEWNS);
  await actor.mustCall('mount', 'none', '/', 0, MS_REC_PRIVATE, 0);
  await actor.mustCall('mount', 'tmpfs', join(D, 'tmpfs'), 'tmpfs', 0, 0);
  const descend = async (name: string, levels: number) => {
    for (let i = 0; i < levels; i++) {
      await actor.mustCall('mkdirat', AT_FDCWD, name, 0o700);
      await actor.mustCall('chdir', name);
    }
    return `/${name}`.repeat(levels);
  };
  const longest = padded(D, 'file', 4095);
  const tooLong = padded(D, 'file', 4096);
  const missing = padded('', 'none', 4095).slice(1);
  const own = ['-p', String(actor.pid)];
  const flags = O_WRONLY | O_CREAT;
  const paths: { readonly given: string; readonly full: string; readonly truncated?: true }[] = [];
  const seen = await watch(
    'opensnoop',
    { json: [...own, '--json'], text: own, full: [...own, '--json', '-F'], fullText: [...own, '-F'] },
    async () => {
      await actor.mustCall('openat', AT_FDCWD, longest, O_RDONLY);
      paths.push({ given: longest, full: longest });
      assert.equal(await actor.call('openat', AT_FDCWD, tooLong, O_RDONLY), -36);
      paths.push({ given: tooLong.slice(0, -1), full: tooLong.slice(0, -1), truncated: true });

      await actor.mustCall('chdir', `${D}/tmpfs`);
      let deep = `${D}/tmpfs${await descend('d'.repeat(199), 15)}`;
      assert.equal(await actor.call('openat', AT_FDCWD, missing, O_RDONLY), -2);
      paths.push({ given: missing, full: `${deep}/${missing}` });

      // Twice the length of the longest name is as much as a path may have.
      const rest = 8190 - deep.length - '/made'.length;
      deep += await descend('e'.repeat(199), Math.floor(rest / 200) - 1);
      deep += await descend('f'.repeat(99), 1);
      deep += await descend('g'.repeat((rest % 200) + 99), 1);
      await actor.mustCall('openat', AT_FDCWD, 'made', flags, 0o600);
      paths.push({ given: 'made', full: `${deep}/made` });
      assert.equal(deep.length, 8185);

      deep += await descend('h'.repeat(199), 3);
      await actor.mustCall('openat', AT_FDCWD, 'made', flags, 0o600);
      // Names from the end until there are 8192 bytes of them.
      const cut = deep.slice(deep.lastIndexOf('/', deep.length - 8187));
      paths.push({ given: 'made', full: `...${cut}/made`, truncated: true });

      await actor.mustCall('chdir', `${D}/tmpfs`);
      await descend('i', 600);
      await actor.mustCall('openat', AT_FDCWD, 'made', flags, 0o600);
      paths.push({ given: 'made', full: `.../${'i/'.repeat(511)}made`, truncated: true });
    },
  );
  const short = ({ path, truncated }: Record<string, unknown>) => ({ path: squeeze(String(path)), truncated });
  assert.deepEqual(
    seen.json.rows.map(short),
    paths.map(({ given, truncated }) => short({ path: given, truncated: given === 'made' ? undefined : truncated })),
  );
  assert.deepEqual(
    seen.full.rows.map(short),
    paths.map(({ full, truncated }) => short({ path: full, truncated })),
  );
  const ends = (text: string) =>
    text
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((line) => squeeze(line.replace(/^.* /, '')));
  assert.deepEqual(
    ends(seen.text.stdout),
    paths.map(({ given, truncated }) => squeeze(truncated && given !== 'made' ? `${given}...` : given)),
  );
  assert.deepEqual(
    ends(seen.fullText.stdout),
    paths.map(({ full, truncated }) => squeeze(truncated ? `${full}...` : full)),
  );
});

test('times are those of the opens, in every format', async () => {
  using place = new Place();
  await using actor = await Actor.start();
  const own = ['-p', String(actor.pid)];
  let before = 0;
  let after = 0;
  const env = { ...process.env, TZ: 'Asia/Kolkata' };
  await using local = startTool('opensnoop', [...own, '--time', 'rfc3339'], { env });
  await using localClock = startTool('opensnoop', [...own, '-T'], { env });
  await Promise.all([local.ready(), localClock.ready()]);
  const seen = await watch(
    'opensnoop',
    {
      json: [...own, '--json'],
      jsonUtc: [...own, '--json', '--utc'],
      clock: [...own, '--time', 'clock', '--utc'],
      rfc3339: [...own, '--time', 'rfc3339', '--utc'],
      unix: [...own, '--time', 'unix', '--utc'],
      relative: [...own, '--time', 'relative'],
    },
    async () => {
      before = Date.now();
      await perform(actor, [open(join(place.path, 'file'), O_RDONLY)]);
      after = Date.now();
    },
  );
  const localTime = (await local.end()).stdout.split('\n')[1]?.split(' ')[0] ?? '';
  const localClockTime = (await localClock.end()).stdout.split('\n')[1]?.split(' ')[0] ?? '';
  const written = (text: string) => text.split('\n')[1]?.trim().split(' ')[0] ?? '';
  /** Milliseconds between the open and the time, allowing for the resolution of our own clock. */
  const near = (time: number) => assert.ok(time > before - 5 && time < after + 1 + 5, `${time}: ${before} to ${after}`);

  const json = String(seen.json.rows[0]?.time);
  assert.match(json, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|[+-]\d\d:\d\d)$/);
  near(Date.parse(json));
  const utc = String(seen.jsonUtc.rows[0]?.time);
  assert.match(utc, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  near(Date.parse(utc));
  assert.match(written(seen.rfc3339.stdout), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  near(Date.parse(written(seen.rfc3339.stdout)));
  assert.match(localTime, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+05:30$/);
  near(Date.parse(localTime));
  assert.match(written(seen.unix.stdout), /^\d+\.\d{6}$/);
  near(Number(written(seen.unix.stdout)) * 1000);
  assert.match(written(seen.relative.stdout), /^\d+\.\d{6}$/);
  const ready = Date.parse(String(seen.json.messages[0]?.time));
  assert.ok(Math.abs(Number(written(seen.relative.stdout)) * 1000 - (before - ready)) < 5000);
  const clock = (milliseconds: number) => new Date(milliseconds).toISOString().slice(11, 19);
  const moments = [before - 5, after + 6];
  assert.ok(moments.map(clock).includes(written(seen.clock.stdout)), seen.clock.stdout);
  assert.ok(
    moments.map((moment) => clock(moment + 5.5 * 3600_000)).includes(localClockTime),
    `${localClockTime} at ${before}`,
  );
});

/** Sizes in bytes of the ring buffers that a process holds, as the kernel tells them. */
function ringSizes(pid: number): number[] {
  const RINGBUF = '27';
  return readdirSync(`/proc/${pid}/fdinfo`)
    .map((fd) => readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8'))
    .filter((info) => /^map_type:\s*(\d+)$/m.exec(info)?.[1] === RINGBUF)
    .map((info) => Number(/^max_entries:\s*(\d+)$/m.exec(info)?.[1]));
}

test('the buffer has the size that was asked for', async () => {
  const sizes: Record<string, number[]> = {};
  // A buffer this small could not hold what the rest of the system does.
  const own = ['-p', String(process.pid)];
  await watch(
    'opensnoop',
    {
      plain: own,
      pages: [...own, '-b', '3'],
      bytes: [...own, '--buffer-size', '128k'],
    },
    (running) => {
      for (const [name, { pid }] of Object.entries(running)) {
        sizes[name] = ringSizes(pid);
      }
    },
  );
  assert.deepEqual(sizes, { plain: [8 << 20], pages: [4 * 4096], bytes: [128 << 10] });
});

test('-c names the functions that led to an open, below its line and in JSON', async (t) => {
  using place = new TemporaryDirectory();
  const program = stacksProgram(t, place);
  if (program === undefined) {
    return;
  }
  for (const json of [false, true]) {
    await using tool = startTool('opensnoop', ['-c', '-n', 'stacks', ...(json ? ['--json'] : [])]);
    await tool.ready();
    await using running = startCommand([program, 'open', '3']);
    await running.until(({ stdout }) => stdout === 'opened\n');
    await tool.until(({ stdout }) => stdout.split('open_in_here').length === 4);
    const { code, stdout, stderr, messages } = await tool.end();
    assert.equal(code, 0, stderr);
    if (!json) {
      const below = stdout.split(`stacks              3 -       ${program}\n`).slice(1);
      assert.equal(below.length, 3, stdout);
      assert.ok(
        below.every((text) => text.startsWith('    open_in_here\n    main\n')),
        stdout,
      );
      continue;
    }
    const opens: JsonMessage[] = messages.filter(({ path }) => path === program);
    assert.equal(opens.length, 3);
    for (const { callers } of opens) {
      const frames = callers as { symbol?: string; module?: string }[];
      assert.deepEqual(
        frames.slice(0, 2).map(({ symbol, module }) => [symbol, module]),
        [
          ['open_in_here', program],
          ['main', program],
        ],
      );
    }
  }
});

test('without -c there are no callers, and no table for them', async () => {
  const { code, messages, stderr } = await runTool('opensnoop', ['--json', '--', 'true']);
  const opens = messages.filter(({ type }) => type === 'event');
  assert.ok(opens.length > 0, `exit status ${code}, ${JSON.stringify(messages)}, ${stderr}`);
  assert.ok(opens.every((row) => !('callers' in row)));
});

/** What runs in the comparisons with other tools: a shell and other programs, with opens that succeed and that fail. */
function script(directory: string): string {
  return `cd ${directory}; echo text > made; echo more >> made; cat made none; ls -a . none; read x < file; exec 3<>made; set -C; echo > file; :`;
}

test('the same opens as strace, with the same flags, modes and results', async (t) => {
  if (spawnSync('strace', ['-V']).status !== 0) {
    t.skip('strace is not installed');
    return;
  }
  using place = new Place();
  using group = new TestCgroup();
  const log = join(place.path, 'strace.log');
  const calls = ['open', 'creat', 'openat', 'openat2'].filter((name) => hasSyscall(name));
  const { all } = await watch('opensnoop', { all: ['--json', '--cgroup', group.path] }, async () => {
    const argv = ['-f', '-qq', '-X', 'raw', '-s', '4096', '-e', `trace=${calls.join()}`, '-o', log];
    await using strace = startCommand(group.command(['strace', ...argv, '/bin/sh', '-c', script(place.path)]));
    await strace.ended();
  });

  const expected = new Map<number, object[]>();
  for (const line of readFileSync(log, 'utf8').split('\n')) {
    const call = /^(\d+) +\w+\((?:-100, )?"(.*)", (0x[0-9a-f]+|0)(?:, (\w+))?\) += (-?\d+)(?: (E\w+))?/.exec(line);
    if (call !== null) {
      const [, pid, path, flags, mode, result, error] = call;
      const number = Number(flags);
      const found = {
        path,
        flags: number,
        ...(needsMode(number) && { mode: Number.parseInt(mode ?? '', 8) }),
        ...(error === undefined ? { fd: Number(result) } : { error: (system.errno as Record<string, number>)[error] }),
      };
      expected.set(Number(pid), [...(expected.get(Number(pid)) ?? []), found]);
    }
  }
  const total = [...expected.values()].flat().length;
  assert.ok(expected.size >= 3 && total > 20, `strace saw ${total} opens of ${expected.size} processes`);
  for (const [pid, opens] of expected) {
    const rows = all.rows.filter((one) => one.pid === pid);
    assert.deepEqual(
      rows.map(({ path, flags, mode, fd, error }) => ({
        path,
        flags,
        ...(mode !== undefined && { mode }),
        ...(fd !== undefined && { fd }),
        ...(error !== undefined && { error }),
      })),
      opens,
    );
  }
});

test('the same opens as the opensnoop of libbpf-tools', async (t) => {
  using place = new Place();
  await using actor = await Actor.start();
  const dirfd = await actor.mustCall('openat', AT_FDCWD, place.path, O_DIRECTORY);
  await using peer = await startPeer(t, 'opensnoop', ['-p', String(actor.pid)]);
  if (peer === undefined) {
    return;
  }
  // The only call that it knows in all its versions and on all kernels.
  const openings = openingsIn(place.path, dirfd).filter(({ name }) => name === 'openat');
  const last = join(place.path, 'the-last');
  const { all } = await watch('opensnoop', { all: ['--json', '-p', String(actor.pid)] }, () =>
    perform(actor, [...openings, openat(AT_FDCWD, last, O_RDONLY)]),
  );
  await peer.until(({ stdout }) => stdout.includes(`${last}\n`), 'the last open');
  assert.equal(all.rows.length, openings.length + 1);
  const theirs = [...peer.stdout.matchAll(/^(\d+) +(\S+) +(-?\d+) +(\d+) (.*)$/gm)].map((match) => match.slice(1));
  const ours = all.rows.map(({ pid, comm, fd = -1, error = 0, path }) => [pid, comm, fd, error, path].map(String));
  assert.deepEqual(ours, theirs);
});
