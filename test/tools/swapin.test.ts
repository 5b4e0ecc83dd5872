import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
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
