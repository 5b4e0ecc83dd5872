import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { compiledProgram } from '../helpers/compiled-program.ts';
import { diskDirectory } from '../helpers/disk.ts';
import { MemoryCgroup } from '../helpers/memory-cgroup.ts';
import { type JsonMessage, startCommand } from '../helpers/run-tool.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';
import { watch } from '../helpers/watch.ts';

const LIMIT = 16 * 2 ** 20;

// Touches twice as much memory as it may have, then all of it again, from the start.
const source = `
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void)
{
	size_t size = ${2 * LIMIT};
	volatile char *memory = malloc(size);

	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < size; i += 4096)
			memory[i] += 1 + round;
	return 0;
}
`;

const swappedIn = () => Number(/^pswpin (\d+)$/m.exec(readFileSync('/proc/vmstat', 'utf8'))?.[1]);

test('the pages that a process gets back', async (t) => {
  const disk = diskDirectory();
  using place = new TemporaryDirectory(disk ?? '/tmp');
  const program = compiledProgram(t, place, 'touches', source);
  using group = program === undefined ? undefined : MemoryCgroup.limited(t, LIMIT, { swap: true });
  if (program === undefined || group === undefined) {
    return;
  }
  const file = join(place.path, 'swap');
  writeFileSync(file, Buffer.alloc(3 * LIMIT), { mode: 0o600 });
  const made = spawnSync('mkswap', [file], { encoding: 'utf8' });
  const on = made.status === 0 ? spawnSync('swapon', [file], { encoding: 'utf8' }) : made;
  if (on.status !== 0) {
    t.skip(`there can be no swap here: ${on.stderr ?? on.error}`);
    return;
  }
  try {
    let pages = 0;
    let pid = 0;
    const { own, stranger } = await watch(
      'swapin',
      { own: ['--json', '0.2'], stranger: ['--json', '--comm', 'no such', '0.2'] },
      async () => {
        const before = swappedIn();
        await using running = startCommand(group.command([program]));
        const { code, signal } = await running.ended();
        assert.deepEqual([code, signal], [0, null]);
        pages = swappedIn() - before;
        pid = running.pid;
      },
    );
    const rows = own.messages.flatMap(({ type, rows: all }) => (type === 'table' ? (all as JsonMessage[]) : []));
    const found = rows.filter((row) => row.pid === pid).reduce((sum, { count }) => sum + Number(count), 0);
    assert.ok(rows.some(({ comm }) => comm === 'touches'));
    assert.ok(found >= LIMIT / 4096, `${found} pages`);
    assert.ok(found <= pages && found >= 0.9 * pages, `${found} of ${pages} pages`);
    assert.ok(stranger.messages.every(({ type, rows: none }) => type !== 'table' || (none as []).length === 0));
  } finally {
    spawnSync('swapoff', [file]);
  }
});

const SIZE = 8 * 2 ** 20;

// Has memory in large folios written to swap, and touches it again.
const large = `
#include <sys/mman.h>

int main(void)
{
	char *room = mmap(0, ${SIZE} + 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *memory = (char *)(((unsigned long)room + 65535) & ~65535UL);

	madvise(memory, ${SIZE}, MADV_HUGEPAGE);
	for (unsigned int i = 0; i < ${SIZE}; i++)
		memory[i] = (i * 2654435761u) >> 13;
	if (madvise(memory, ${SIZE}, 21 /* MADV_PAGEOUT */))
		return 1;
	for (int i = 0; i < ${SIZE}; i += 4096)
		(void)*(volatile char *)(memory + i);
	return 0;
}
`;

test('what comes back as one large folio counts as the pages that it has', async (t) => {
  const folio = '/sys/kernel/mm/transparent_hugepage/hugepages-64kB';
  const zram = '/sys/class/zram-control';
  spawnSync('modprobe', ['zram']);
  if (!existsSync(folio) || !existsSync(zram)) {
    t.skip('the kernel has no large folios in swap, or no swap in memory, from which they come back as such');
    return;
  }
  using place = new TemporaryDirectory();
  const program = compiledProgram(t, place, 'large', large);
  if (program === undefined) {
    return;
  }
  // Not all kernels that read large folios count them.
  const statistics = `${folio}/stats/swpin`;
  const folios = () => (existsSync(statistics) ? Number(readFileSync(statistics, 'utf8')) : 0);
  const before = /\[(\w+)\]/.exec(readFileSync(`${folio}/enabled`, 'utf8'))?.[1] ?? 'never';
  const number = readFileSync(`${zram}/hot_add`, 'utf8').trim();
  const disk = `/dev/zram${number}`;
  try {
    writeFileSync(`/sys/block/zram${number}/disksize`, '32M');
    for (const argv of [
      ['mkswap', disk],
      ['swapon', '-p', '100', disk],
    ]) {
      const { status, stderr } = spawnSync(argv[0] ?? '', argv.slice(1), { encoding: 'utf8' });
      assert.equal(status, 0, stderr);
    }
    writeFileSync(`${folio}/enabled`, 'madvise');
    const [pagesBefore, foliosBefore] = [swappedIn(), folios()];
    let pid = 0;
    const { own } = await watch('swapin', { own: ['--json', '--comm', 'large', '1000'] }, async () => {
      await using running = startCommand([program]);
      const { code } = await running.ended();
      assert.equal(code, 0);
      pid = running.pid;
    });
    const pages = swappedIn() - pagesBefore;
    const found = own.messages
      .flatMap(({ type, rows }) => (type === 'table' ? (rows as JsonMessage[]) : []))
      .reduce((sum, row) => sum + (row.pid === pid ? Number(row.count) : 0), 0);
    assert.ok(found <= pages && found >= 0.9 * pages, `${found} of ${pages} pages`);
    if (folios() === foliosBefore) {
      t.skip('the kernel had no large folio to spare, reads none, or does not tell');
      return;
    }
    assert.ok(found >= 16 * (folios() - foliosBefore), `${found} pages in ${folios() - foliosBefore} folios`);
  } finally {
    writeFileSync(`${folio}/enabled`, before);
    spawnSync('swapoff', [disk]);
    writeFileSync(`${zram}/hot_remove`, number);
  }
});
