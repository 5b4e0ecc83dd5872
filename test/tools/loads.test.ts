import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { exactLoads } from '../../lib/system/load.ts';
import { compiledProgram } from '../helpers/compiled-program.ts';
import { runTool, startCommand } from '../helpers/run-tool.ts';
import { tableRows } from '../helpers/tables.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';
import { until } from '../helpers/until.ts';

const source = `
#include <pthread.h>
#include <unistd.h>

static void *spin(void *arg)
{
	for (;;)
		asm volatile("");
	return arg;
}

/* Whoever calls vfork waits, in a way that counts as load, until the child has another program or is gone. */
static void *wait_for_child(void *arg)
{
	if (!vfork()) {
		for (;;)
			pause();
	}
	return arg;
}

int main(void)
{
	pthread_t thread;

	for (int i = 0; i < 3; i++)
		pthread_create(&thread, NULL, spin, NULL);
	for (int i = 0; i < 2; i++)
		pthread_create(&thread, NULL, wait_for_child, NULL);
	pause();
	return 0;
}
`;

/** Letters of the states of all threads of a process, sorted. */
function statesOf(pid: number): string {
  const states = readdirSync(`/proc/${pid}/task`).map((tid) => {
    const stat = readFileSync(`/proc/${pid}/task/${tid}/stat`, 'utf8');
    return stat[stat.lastIndexOf(')') + 2];
  });
  return states.sort().join('');
}

function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((tid) =>
    readFileSync(`/proc/${pid}/task/${tid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number),
  );
}

test('threads that run and threads that are blocked are counted, and the averages are those of the kernel', async (t) => {
  using directory = new TemporaryDirectory();
  const file = compiledProgram(t, directory, 'loading', source);
  if (file === undefined) {
    return;
  }
  await using program = startCommand([file]);
  try {
    await until(() => statesOf(program.pid) === 'DDRRRS');
    const before = exactLoads();
    const own = await runTool('loads', ['--json', '-p', String(program.pid), '0.1', '1']);
    const all = await runTool('loads', ['--json', '0.1', '1']);
    const after = exactLoads();
    const [row, ...more] = tableRows(own.messages);
    assert.deepEqual(more, []);
    const { load1, load5, load15, ...counts } = row ?? {};
    assert.deepEqual(counts, { running: 3, blocked: 2, threads: 6 });
    // They may have been updated in between.
    for (const [index, load] of [load1, load5, load15].entries()) {
      const [least, most] = [before[index] ?? 0, after[index] ?? 0].sort((a, b) => a - b);
      assert.ok(
        Number(load) >= Number(least) - 0.001 && Number(load) <= Number(most) + 0.001,
        `${least} ${load} ${most}`,
      );
    }
    const [machine] = tableRows(all.messages);
    assert.ok(Number(machine?.running) >= 3 && Number(machine?.blocked) >= 2 && Number(machine?.threads) > 6);
    const { stdout } = await runTool('loads', ['-p', String(program.pid), '0.1', '2']);
    assert.match(stdout, /^ *LOAD1 +LOAD5 +LOAD15 +RUNNING +BLOCKED +THREADS\n( *\d+\.\d{3}){3} +3 +2 +6\n/);
    // As the kernel tells it everywhere else, with fewer decimals.
    const [rough] = readFileSync('/proc/loadavg', 'utf8').split(' ');
    assert.ok(Math.abs(Number(rough) - (exactLoads()[0] ?? 0)) < 0.5);
  } finally {
    for (const child of childrenOf(program.pid)) {
      process.kill(child, 'SIGKILL');
    }
  }
});
