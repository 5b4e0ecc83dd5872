import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CachedFile } from '../helpers/cached-file.ts';
import { placeOnDisk } from '../helpers/disk.ts';
import { distributionsIn } from '../helpers/distribution.ts';
import type { ToolResult } from '../helpers/run-tool.ts';
import { mustSyscall } from '../helpers/syscall.ts';
import { watch } from '../helpers/watch.ts';

const POSIX_FADV_WILLNEED = 3;

function counts({ messages }: ToolResult) {
  const [found, ...others] = distributionsIn(messages);
  assert.deepEqual(others, []);
  return found && { pages: found.pages, unused: found.unused, used: found.count };
}

test('pages that are read ahead are used once, or not at all', async (t) => {
  using place = placeOnDisk(t);
  if (place === undefined) {
    return;
  }
  const path = (name: string) => join(place.path, name);
  using asked = new CachedFile(path('asked'), 100);
  using dropped = new CachedFile(path('dropped'), 20);
  using all = new CachedFile(path('all'), 300);
  for (const file of [asked, dropped, all]) {
    file.drop();
  }
  const of = (name: string) => ['--json', '-f', path(name)];
  const seen = await watch(
    'readahead',
    {
      asked: of('asked'),
      dropped: [...of('dropped'), '-p', String(process.pid)],
      all: of('all'),
      others: [...of('asked'), '-p', '1'],
      text: ['-f', path('asked')],
    },
    () => {
      mustSyscall('fadvise64', asked.fd, 0, 100 * 4096, POSIX_FADV_WILLNEED);
      asked.read(10, 20, 5);
      asked.read(10, 20, 20);
      asked.read(99, 1);
      mustSyscall('fadvise64', dropped.fd, 0, 20 * 4096, POSIX_FADV_WILLNEED);
      dropped.read(0, 5);
      dropped.drop();
      mustSyscall('fadvise64', dropped.fd, 0, 20 * 4096, POSIX_FADV_WILLNEED);
      dropped.read(4, 2);
      all.read(0, 300, 7);
      all.write(300, 20);
    },
  );
  assert.deepEqual(counts(seen.asked), { pages: 100, unused: 79, used: 21 });
  assert.deepEqual(counts(seen.dropped), { pages: 40, unused: 33, used: 7 });
  assert.deepEqual(counts(seen.all), { pages: 300, unused: 0, used: 300 });
  assert.equal(counts(seen.others), undefined);
  assert.match(seen.text.stdout, /^unused = 79\npages = 100\n +msecs +: count +distribution\n *0 -> 1 +: \d+ /);
});

test('pages that are sent or mapped are used', async (t) => {
  using place = placeOnDisk(t);
  if (place === undefined) {
    return;
  }
  const path = (name: string) => join(place.path, name);
  using sent = new CachedFile(path('sent'), 50);
  using mapped = new CachedFile(path('mapped'), 50);
  using target = new CachedFile(path('target'), 0);
  sent.drop();
  mapped.drop();
  const readOnly = openSync(path('mapped'), 'r');
  const address = mustSyscall('mmap', 0, 50 * 4096, 1, 1, readOnly, 0);
  closeSync(readOnly);
  const of = (name: string) => ['--json', '-f', path(name)];
  const seen = await watch('readahead', { sent: of('sent'), mapped: of('mapped') }, () => {
    mustSyscall('fadvise64', sent.fd, 0, 50 * 4096, POSIX_FADV_WILLNEED);
    assert.equal(mustSyscall('sendfile', target.fd, sent.fd, Buffer.alloc(8), 10 * 4096), 10 * 4096);
    mustSyscall('write', target.fd, address, 1);
  });
  assert.deepEqual(counts(seen.sent), { pages: 50, unused: 40, used: 10 });
  const { pages, unused, used } = counts(seen.mapped) ?? {};
  assert.equal(Number(pages) - Number(used), unused);
  assert.ok(Number(used) >= 1 && Number(used) <= 16, `of 16 pages around the one that is touched ${used} are mapped`);
  assert.ok(Number(unused) > 0, 'the kernel reads more than it maps');
});
