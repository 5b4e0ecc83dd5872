import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CachedFile } from '../helpers/cached-file.ts';
import { placeOnDisk } from '../helpers/disk.ts';
import { runTool, type ToolResult } from '../helpers/run-tool.ts';
import { mustSyscall } from '../helpers/syscall.ts';
import { watch } from '../helpers/watch.ts';

// Alone: the kernel takes pages away from caches when memory is wanted.

interface Counts {
  readonly hits: number;
  readonly misses: number;
  readonly dirties: number;
  readonly written: number;
}

function sum({ messages }: ToolResult): Counts {
  const rows = messages.filter(({ type }) => type === 'table').flatMap(({ rows }) => rows as Counts[]);
  const add = (name: keyof Counts) => rows.reduce((all, row) => all + row[name], 0);
  return { hits: add('hits'), misses: add('misses'), dirties: add('dirties'), written: add('written') };
}

test('cached pages are hits, others are misses, and pages that are overwritten are neither', async (t) => {
  using place = placeOnDisk(t);
  if (place === undefined) {
    return;
  }
  const path = (name: string) => join(place.path, name);
  using cached = new CachedFile(path('cached'), 200);
  using cold = new CachedFile(path('cold'), 300);
  using again = new CachedFile(path('again'), 100);
  using written = new CachedFile(path('written'), 50);
  using untouched = new CachedFile(path('untouched'), 1);
  using sent = new CachedFile(path('sent'), 20);
  using target = new CachedFile(path('target'), 0);
  cold.drop();
  again.drop();
  written.drop();
  written.read(0, 50);
  cached.drop();
  cached.read(0, 200);
  const of = (name: string) => ['--json', '60', '-f', path(name)];
  const seen = await watch(
    'cachestat',
    {
      cached: of('cached'),
      cold: of('cold'),
      again: of('again'),
      written: of('written'),
      untouched: of('untouched'),
      sent: of('sent'),
      own: [...of('cached'), '-p', String(process.pid)],
      others: [...of('cached'), '-p', '1'],
    },
    () => {
      cached.read(0, 200);
      cached.read(7, 3, 1);
      cold.read(0, 300, 7);
      again.read(0, 100);
      again.read(20, 80, 80);
      written.write(0, 50);
      written.write(50, 30);
      assert.equal(mustSyscall('sendfile', target.fd, sent.fd, Buffer.alloc(8), 12 * 4096), 12 * 4096);
    },
  );
  assert.deepEqual(sum(seen.cached), { hits: 203, misses: 0, dirties: 0, written: 0 });
  assert.deepEqual(sum(seen.own), sum(seen.cached));
  assert.deepEqual(sum(seen.cold), { hits: 0, misses: 300, dirties: 0, written: 0 });
  assert.deepEqual(sum(seen.again), { hits: 80, misses: 100, dirties: 0, written: 0 });
  assert.deepEqual(sum(seen.written), { hits: 0, misses: 0, dirties: 80, written: 30 });
  assert.deepEqual(sum(seen.sent), { hits: 12, misses: 0, dirties: 0, written: 0 });
  for (const idle of [seen.untouched, seen.others]) {
    assert.deepEqual(sum(idle), { hits: 0, misses: 0, dirties: 0, written: 0 });
    assert.equal(idle.messages.filter(({ type }) => type === 'table').length, 1);
  }
  assert.equal(untouched.fd > 0, true);
});

test('each interval is a row, with the sizes that the kernel tells', async () => {
  const { code, stdout } = await runTool('cachestat', ['-T', '0.05', '2']);
  assert.equal(code, 0);
  const row =
    '\\d\\d:\\d\\d:\\d\\d\\n *HITS +MISSES +DIRTIES +HITRATIO +BUFFERS_MB +CACHED_MB\\n *\\d+ +\\d+ +\\d+ +[-.0-9]+ +\\d+ +(\\d+)\\n';
  const found = new RegExp(`^${row}\\n${row}$`).exec(stdout);
  assert.ok(found, stdout);
  const now = Number(/^Cached: +(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1]) / 1024;
  assert.ok(Math.abs(Number(found[1]) - now) < now / 2 + 64);
  const missing = await runTool('cachestat', ['-f', '/nothing/there']);
  assert.equal(missing.code, 2);
});
