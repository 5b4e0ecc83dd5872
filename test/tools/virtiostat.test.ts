import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { test } from 'node:test';
import { canAttach } from '../../lib/bpf/hooks.ts';
import { readDirectly } from '../helpers/disk.ts';
import { tableRows } from '../helpers/tables.ts';
import { watch } from '../helpers/watch.ts';

const disks = '/sys/bus/virtio/drivers/virtio_blk';
const hooks = ['fexit/virtqueue_add_sgs', 'kprobe/virtqueue_add_sgs'].map((section) => canAttach(section));

/** The virtio disks: their devices in /dev and on the bus. */
function virtioDisks(): { readonly path: string; readonly device: string }[] {
  return readdirSync('/sys/block')
    .filter((name) => existsSync(`${disks}/${basename(deviceOf(name))}/block/${name}`))
    .map((name) => ({ path: `/dev/${name}`, device: basename(deviceOf(name)) }));
}

function deviceOf(disk: string): string {
  try {
    return readlinkSync(`/sys/block/${disk}/device`);
  } catch {
    return '';
  }
}

/** Requests of all kinds that a disk has done: reads, writes, discards and flushes. */
function requestsDone(path: string): number {
  const fields = readFileSync(`/sys/block/${basename(path)}/stat`, 'utf8')
    .trim()
    .split(/ +/)
    .map(Number);
  return [0, 4, 11, 15].reduce((sum, at) => sum + (fields[at] ?? 0), 0);
}

test('each request to a disk is counted, with all its bytes', async (t) => {
  const [disk] = existsSync(disks) ? virtioDisks().reverse() : [];
  if (hooks.every(({ supported }) => supported === false) || disk === undefined) {
    t.skip(disk === undefined ? 'no virtio disk' : 'the functions of virtio cannot be hooked');
    return;
  }
  const [READS, BYTES] = [10, 65536];
  const before = requestsDone(disk.path);
  const { one, none, text } = await watch(
    'virtiostat',
    {
      one: ['--json', '60', '-n', disk.device],
      none: ['--json', '60', '-d', 'no such', '-n', disk.device],
      text: ['-T', '60', '-d', 'virtio_blk'],
    },
    () => readDirectly(disk.path, READS, BYTES),
  );
  // A file system on the disk may write on its own.
  const others = requestsDone(disk.path) - before - READS;
  const rows = tableRows(one.messages);
  const sum = (field: string) => rows.reduce((all, row) => all + Number(row[field]), 0);
  const requests = sum('requests');
  assert.ok(rows.length > 0 && rows.every(({ driver, device }) => driver === 'virtio_blk' && device === disk.device));
  assert.ok(rows.every(({ virtqueue }) => /^(req\.|requests)/.test(String(virtqueue))));
  assert.ok(requests >= READS && requests <= READS + others, `${requests} requests, and ${others} of others`);
  // Data and a byte that says how it went, and what is wanted in 16 bytes.
  assert.equal(sum('in_bytes'), READS * BYTES + requests);
  assert.ok(sum('in_sgs') >= 2 * READS);
  if (others === 0) {
    assert.deepEqual([sum('out_bytes'), sum('out_sgs')], [READS * 16, READS]);
  }
  assert.deepEqual(tableRows(none.messages), []);
  assert.match(text.stdout, /^\d\d:\d\d:\d\d\nDriver +Device +VQ Name +In SGs +Out SGs +In BW +Out BW\nvirtio_blk +/);
});
