import assert from 'node:assert/strict';
import { closeSync, mkdirSync, readSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { canAttach } from '../../lib/bpf/hooks.ts';
import { Actor } from '../helpers/actor.ts';
import { mustSyscall, syscall } from '../helpers/syscall.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';
import { watch } from '../helpers/watch.ts';

const IN_CREATE = 0x100;
const IN_DELETE = 0x200;
const IN_MOVE = 0xc0;
const O_NONBLOCK = 0o4000;

const FAN_CLASS_CONTENT = 4;
const FAN_NONBLOCK = 2;
const FAN_MARK_ADD = 1;
const FAN_OPEN_PERM = 0x10000;
const FAN_DENY = 2;
const AT_FDCWD = -100;
const EPERM = 1;

const hooked = canAttach('fexit/fsnotify_remove_first_event');

/** An inotify instance of this process for one directory. */
function inotify(path: string, mask: number): number {
  const fd = mustSyscall('inotify_init1', O_NONBLOCK);
  mustSyscall('inotify_add_watch', fd, path, mask);
  return fd;
}

test('an event of inotify has who did it and who reads it', {
  skip: hooked.supported === false && hooked.reason,
}, async () => {
  using place = new TemporaryDirectory();
  await using actor = await Actor.start();
  mkdirSync(join(place.path, 'watched'));
  const fd = inotify(join(place.path, 'watched'), IN_CREATE | IN_DELETE | IN_MOVE);
  const before = inotify(join(place.path, 'watched'), IN_CREATE);
  const path = (name: string) => join(place.path, 'watched', name);
  writeFileSync(path('earlier'), '');
  readSync(fd, Buffer.alloc(4096));
  const me = String(process.pid);
  const seen = await watch(
    'fsnotify',
    {
      own: ['--json', '-p', me, '--tracer-pid', me],
      actors: ['--json', '--tracee-pid', String(actor.pid)],
      fanotify: ['--json', '-f', '--tracer-pid', me],
      text: ['-i', '--tracer-pid', me, '-p', me],
    },
    async () => {
      writeFileSync(path('new'), '');
      renameSync(path('new'), path('other'));
      rmSync(path('other'));
      await actor.mustCall('mkdirat', AT_FDCWD, path('folder'), 0o755);
      readSync(fd, Buffer.alloc(4096));
      // What nobody reads is not told.
      closeSync(before);
    },
  );
  const [{ group } = { group: '' }] = seen.own.rows;
  const other = inotify(join(place.path, 'watched'), IN_CREATE);
  const { one } = await watch('fsnotify', { one: ['--json', '--tracer-group', String(group)] }, () => {
    writeFileSync(path('last'), '');
    for (const reader of [fd, other]) {
      readSync(reader, Buffer.alloc(4096));
      closeSync(reader);
    }
  });
  assert.deepEqual(
    one.rows.map(({ name, group: of }) => [name, of]),
    [['last', group]],
  );
  const rows = seen.own.rows.map(({ type, time, group, latency, comm, tracer_comm, tid, ...rest }) => {
    assert.match(String(group), /^0x/);
    assert.ok(Number(latency) > 0);
    assert.equal(comm, tracer_comm);
    return rest;
  });
  const event = (mask: number, events: string, name: string) => ({
    kind: 'INOTIFY',
    response: 'none',
    tracer: process.pid,
    pid: process.pid,
    mask,
    events,
    name,
  });
  assert.deepEqual(rows, [
    event(0x100, 'CREATE', 'new'),
    event(0x40, 'MOVED_FROM', 'new'),
    event(0x80, 'MOVED_TO', 'other'),
    event(0x200, 'DELETE', 'other'),
  ]);
  const [folder, ...others] = seen.actors.rows;
  assert.deepEqual(others, []);
  assert.deepEqual(
    [folder?.tracer, folder?.pid, folder?.events, folder?.name],
    [process.pid, actor.pid, 'CREATE|ISDIR', 'folder'],
  );
  assert.deepEqual(seen.fanotify.rows, []);
  assert.match(seen.text.stdout, /^TYPE +TRACER +TCOMM +PID +COMM +RESP +MASK +NAME\nINOTIFY +\d+ .* CREATE +new\n/);
});

test('a permission that fanotify asks for comes with the answer', {
  skip: hooked.supported === false && hooked.reason,
}, async (t) => {
  using place = new TemporaryDirectory();
  const path = join(place.path, 'file');
  writeFileSync(path, 'x');
  const fd = syscall('fanotify_init', FAN_CLASS_CONTENT | FAN_NONBLOCK, 0);
  if (fd < 0 || syscall('fanotify_mark', fd, FAN_MARK_ADD, FAN_OPEN_PERM, AT_FDCWD, path) < 0) {
    t.skip('the kernel has no permissions by fanotify');
    return;
  }
  await using actor = await Actor.start();
  const { rows } = (
    await watch('fsnotify', { json: ['--json', '-p', String(actor.pid)] }, async () => {
      const opened = actor.call('openat', AT_FDCWD, path, 0);
      const event = Buffer.alloc(24);
      while (syscall('read', fd, event, 24) !== 24) {
        await new Promise(setImmediate);
      }
      const answer = Buffer.alloc(8);
      answer.writeInt32LE(event.readInt32LE(16), 0);
      answer.writeUInt32LE(FAN_DENY, 4);
      mustSyscall('write', fd, answer, 8);
      assert.equal(await opened, -EPERM);
      closeSync(event.readInt32LE(16));
    })
  ).json;
  closeSync(fd);
  assert.deepEqual(
    rows.map(({ kind, tracer, pid, events, name, response }) => [kind, tracer, pid, events, name, response]),
    [['FANOTIFY', process.pid, actor.pid, 'OPEN_PERM', 'file', 'deny']],
  );
});
