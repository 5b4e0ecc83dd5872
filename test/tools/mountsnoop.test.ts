import assert from 'node:assert/strict';
import { readlinkSync } from 'node:fs';
import { test } from 'node:test';
import { Actor } from '../helpers/actor.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';
import { watch } from '../helpers/watch.ts';

const CLONE_NEWNS = 0x20000;
const MS_REC_PRIVATE = 0x44000;
const MS_NODEV_NOEXEC = 12;
const MNT_DETACH = 2;
const SET_STRING = 1;
const CMD_CREATE = 6;
const AT_FDCWD = -100;
const MOVE_MOUNT_F_EMPTY_PATH = 4;
const ENOENT = 2;

test('each call is a row that reads like the call', async () => {
  using place = new TemporaryDirectory();
  const { path } = place;
  await using actor = await Actor.start();
  await actor.mustCall('unshare', CLONE_NEWNS);
  const own = ['-p', String(actor.pid)];
  let context = 0;
  let mount = 0;
  const { all, failed, text } = await watch(
    'mountsnoop',
    { all: ['--json', ...own], failed: ['--json', '-x', ...own], text: ['-T', '-P', '-d', ...own] },
    async () => {
      await actor.mustCall('mount', 'none', '/', 0, MS_REC_PRIVATE, 0);
      await actor.mustCall('mount', 'evil\n\x1b[1m', path, 'tmpfs', MS_NODEV_NOEXEC, 'size=1M');
      await actor.mustCall('umount2', path, MNT_DETACH);
      context = await actor.mustCall('fsopen', 'tmpfs', 0);
      await actor.mustCall('fsconfig', context, SET_STRING, 'size', '2M', 0);
      await actor.mustCall('fsconfig', context, CMD_CREATE, 0, 0, 0);
      mount = await actor.mustCall('fsmount', context, 1, 2);
      await actor.mustCall('move_mount', mount, '', AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH);
      await actor.call('mount', 'none', '/no/such/place', 'tmpfs', 0, 0);
    },
  );
  const calls = [
    'mount("none", "/", "", MS_REC|MS_PRIVATE, "") = 0',
    `mount("evil\\n\\x1b[1m", "${path}", "tmpfs", MS_NODEV|MS_NOEXEC, "size=1M") = 0`,
    `umount2("${path}", MNT_DETACH) = 0`,
    `fsopen("tmpfs", 0) = ${context}`,
    `fsconfig(${context}, FSCONFIG_SET_STRING, "size", "2M") = 0`,
    `fsconfig(${context}, FSCONFIG_CMD_CREATE, "") = 0`,
    `fsmount(${context}, 0x1, 0x2) = ${mount}`,
    `move_mount(${mount}, "", "${path}", MOVE_MOUNT_F_EMPTY_PATH) = 0`,
    'mount("none", "/no/such/place", "tmpfs", 0, "") = -ENOENT',
  ];
  assert.deepEqual(
    all.rows.map(({ call }) => call),
    calls,
  );
  const namespace = Number(/\d+/.exec(readlinkSync(`/proc/${actor.pid}/ns/mnt`))?.[0]);
  for (const { mnt_ns, latency, ppid } of all.rows) {
    assert.deepEqual([mnt_ns, ppid], [namespace, process.pid]);
    assert.ok(Number(latency) > 0);
  }
  assert.deepEqual(
    failed.rows.map(({ call, error }) => [call, error]),
    [[calls.at(-1), ENOENT]],
  );
  assert.match(text.stdout, /^TIME +COMM +PID +TID +PPID +PCOMM +MNT_NS +LAT +CALL\n/);
  assert.ok(text.stdout.includes(` ${calls[1]}\n`), text.stdout);
});

test('long paths are whole, and data that is no text is shown as far as it is', async () => {
  await using actor = await Actor.start();
  await actor.mustCall('unshare', CLONE_NEWNS);
  // Longer than others keep; each name is one that may be.
  const path = `/no${`/${'n'.repeat(200)}`.repeat(15)}`;
  const { all, text } = await watch(
    'mountsnoop',
    { all: ['--json', '-p', String(actor.pid)], text: ['-p', String(actor.pid)] },
    async () => {
      await actor.call('mount', path, `${path}/place`, 'tmpfs', 0, 'o'.repeat(3000));
      await actor.call('move_mount', AT_FDCWD, path, AT_FDCWD, `${path}/place`, 0);
      await actor.call('mount', 'none', '/no/such/place', 'none', 0, Uint8Array.of(0x41, 1, 0x9b, 0xff, 0x42, 0, 0x43));
    },
  );
  const calls = [
    `mount("${path}", "${path}/place", "tmpfs", 0, "${'o'.repeat(3000)}") = -ENOENT`,
    `move_mount(AT_FDCWD, "${path}", "${path}/place", 0) = -ENOENT`,
    'mount("none", "/no/such/place", "none", 0, "A\\x01\\x9b\\xffB") = -ENOENT',
  ];
  assert.deepEqual(
    all.rows.map(({ call }) => call),
    calls,
  );
  for (const call of calls) {
    assert.ok(text.stdout.includes(` ${call}\n`), text.stdout);
  }
});
