import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { constants as system } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Actor } from '../helpers/actor.ts';
import { cgroupOf, TestCgroup } from '../helpers/cgroup.ts';
import { Crowd } from '../helpers/crowd.ts';
import { withinSeconds } from '../helpers/deadline.ts';
import { startPeer } from '../helpers/peer.ts';
import { type JsonMessage, startCommand } from '../helpers/run-tool.ts';
import { spawnProcess, waitStatus } from '../helpers/spawn-process.ts';
import { commOf } from '../helpers/task-fields.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';
import { threadsProgram } from '../helpers/threads-program.ts';
import { timeless, watch } from '../helpers/watch.ts';

const PR_SET_NAME = 15;

/** Runs a shell line to its end. @returns its pid and what wait(2) says of it */
function run(line: string): { readonly pid: number; readonly status: number } {
  const pid = spawnProcess('/bin/sh', ['sh', '-c', line]);
  return { pid, status: waitStatus(pid) };
}

/** What a row must say about a wait status. */
function outcome(status: number) {
  const signal = status & 0x7f;
  return {
    exit_code: signal === 0 ? status >> 8 : 0,
    core_dumped: (status & 0x80) !== 0,
    ...(signal !== 0 && { signal }),
  };
}

/** Rows without what no test can know exactly: their time and the age of the process. */
function known(rows: readonly JsonMessage[]): object[] {
  return timeless(rows).map((row) => {
    const { age, ...rest } = row as Record<string, unknown>;
    assert.ok(Number.isInteger(age) && (age as number) > 0, `age ${age}`);
    return rest;
  });
}

/** What the status column says, by the names that Node has for signals. */
function words({
  exit_code,
  signal,
  core_dumped,
}: {
  exit_code: number;
  signal?: number;
  core_dumped: boolean;
}): string {
  if (signal === undefined) {
    return exit_code === 0 ? '0' : `code ${exit_code}`;
  }
  const first = 34;
  const name =
    signal < first
      ? Object.entries(system.signals).find(([, number]) => number === signal)?.[0]
      : `SIGRTMIN${signal === first ? '' : `+${signal - first}`}`;
  return `signal ${signal} (${name})${core_dumped ? ', core dumped' : ''}`;
}

/** Rows of certain processes: tools that end at the same time see each other. */
function of(rows: readonly JsonMessage[], ...pids: readonly number[]): JsonMessage[] {
  return rows.filter(({ pid }) => pids.includes(pid as number));
}

test('each exit status from 0 to 255 is one row', async () => {
  using group = new TestCgroup();
  let pid = 0;
  const own = ['--json', '--cgroup', group.path];
  const seen = await watch('exitsnoop', { all: own, failed: [...own, '--failed'] }, async () => {
    const loop = 'i=0; while [ $i -lt 256 ]; do (exit $i); i=$((i+1)); done; exit 42';
    await using shell = startCommand(group.command(['/bin/sh', '-c', loop]));
    pid = shell.pid;
    await shell.ended();
  });
  const rows = known(seen.all.rows) as { pid: number }[];
  assert.equal(new Set(rows.map((row) => row.pid)).size, 257);
  const status = [...Array.from({ length: 256 }, (_, i) => i), 42];
  assert.deepEqual(
    rows,
    status.map((code, i) => {
      const own = rows[i]?.pid as number;
      const result = outcome(code << 8);
      const ppid = i < 256 ? pid : process.pid;
      return {
        pid: i < 256 ? own : pid,
        tid: own,
        ppid,
        uid: 0,
        comm: 'sh',
        ...result,
        cgroup: group.id,
        status: words(result),
      };
    }),
  );
  assert.deepEqual(known(seen.failed.rows), rows.slice(1));
});

test('the end by each signal is one row, with the core that was dumped', async (t) => {
  using place = new TemporaryDirectory();
  const { SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU } = system.signals;
  // Not those that stop a process, and not the two that the C library keeps for itself.
  const signals = Array.from({ length: 64 }, (_, i) => i + 1).filter(
    (number) => ![SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU, 32, 33].includes(number),
  );
  const lines = signals.map((number) => `kill -${number} $$; exit 7`);
  for (const number of [system.signals.SIGQUIT, system.signals.SIGSEGV]) {
    lines.push(`cd ${place.path} && ulimit -c unlimited && kill -${number} $$; exit 7`);
  }
  let ends: ReturnType<typeof run>[] = [];
  const seen = await watch('exitsnoop', { all: ['--json'], text: [] }, () => {
    ends = lines.map(run);
  });
  const pids = ends.map(({ pid }) => pid);
  const expected = ends.map(({ pid, status }) => {
    const result = outcome(status);
    const row = { pid, tid: pid, ppid: process.pid, uid: 0, comm: 'sh', ...result, cgroup: cgroupOf(process.pid) };
    return { ...row, status: words(result) };
  });
  assert.ok(expected.filter(({ signal }) => signal !== undefined).length > 50);
  t.diagnostic(`${expected.filter((row) => row.core_dumped).length} of them dumped core`);
  assert.deepEqual(known(of(seen.all.rows, ...pids)), expected);
  const lineOf = new Map(seen.text.stdout.split('\n').map((line) => [Number(line.slice(16, 24)), line]));
  assert.deepEqual(
    pids.map((pid) => lineOf.get(pid)?.replace(/^.* \d\.\d\d /, '')),
    expected.map(({ status }) => status),
  );
});

test('a process whose threads end in any order is one row, at its real end', async () => {
  await using leaderFirst = await Actor.start({ threads: 1 });
  await using byThread = await Actor.start({ threads: 2 });
  await using byMain = await Actor.start({ threads: 1 });
  await using killed = await Actor.start({ threads: 1 });
  await using execs = await Actor.start({ threads: 1 });
  const actors = [leaderFirst, byThread, byMain, killed, execs];
  const pids = actors.map(({ pid }) => pid);
  const comm = commOf(byThread.pid);
  await byThread.ask(2, 'prctl', PR_SET_NAME, 'the-thread');

  const seen = await watch(
    'exitsnoop',
    { all: ['--json'], threads: ['--json', '--per-thread'] },
    async ({ all, threads }) => {
      leaderFirst.tell(1, 'read', 0, new Uint8Array(1), 1);
      leaderFirst.tell(1, 'exit_group', 7);
      leaderFirst.tell(0, 'exit', 3);
      await threads.row(({ tid }) => tid === leaderFirst.pid, 'the end of the first thread');
      const marker = run('exit 0');
      await all.row(({ pid }) => pid === marker.pid, 'the end of a later process');
      assert.deepEqual(of(all.rows, leaderFirst.pid), [], 'the process goes on');
      leaderFirst.write('x');
      assert.deepEqual(await leaderFirst.ended, { code: 7, signal: null });
      byThread.tell(2, 'exit_group', 6);
      assert.deepEqual(await byThread.ended, { code: 6, signal: null });
      byMain.tell(0, 'exit_group', 0x1ff);
      assert.deepEqual(await byMain.ended, { code: 255, signal: null });
      process.kill(killed.pid, 'SIGTERM');
      assert.deepEqual(await killed.ended, { code: null, signal: 'SIGTERM' });
      execs.tell(1, 'execve', '/bin/sh', ['sh', '-c', 'exit 5'], []);
      assert.deepEqual(await execs.ended, { code: 5, signal: null });
    },
  );
  const common = { ppid: process.pid, uid: 0, core_dumped: false, cgroup: cgroupOf(process.pid) };
  const about = ({ pid }: Actor) => ({ ...common, pid, tid: pid, comm });
  assert.deepEqual(known(of(seen.all.rows, ...pids)), [
    { ...about(leaderFirst), exit_code: 7, status: 'code 7' },
    { ...about(byThread), exit_code: 6, status: 'code 6' },
    { ...about(byMain), exit_code: 255, status: 'code 255' },
    { ...about(killed), exit_code: 0, signal: 15, status: 'signal 15 (SIGTERM)' },
    { ...about(execs), comm: 'sh', exit_code: 5, status: 'code 5' },
  ]);

  const perThread = of(seen.threads.rows, ...pids);
  assert.equal(
    new Set(perThread.map(({ tid }) => tid)).size,
    perThread.length - 1,
    'only the one that execs ends twice',
  );
  const threadRow = (tid: number | undefined) => {
    const rows = perThread.filter((row) => row.tid === tid);
    return rows.map((row) => ({ pid: row.pid, comm: row.comm, status: row.status }));
  };
  for (const { pid, tids } of actors.slice(0, 4)) {
    assert.ok(tids.every((tid) => perThread.filter((row) => row.pid === pid && row.tid === tid).length === 1));
  }
  assert.deepEqual(threadRow(leaderFirst.pid), [{ pid: leaderFirst.pid, comm, status: 'code 3' }]);
  assert.deepEqual(threadRow(leaderFirst.tids[1]), [{ pid: leaderFirst.pid, comm, status: 'code 7' }]);
  assert.deepEqual(threadRow(byThread.tids[2]), [{ pid: byThread.pid, comm: 'the-thread', status: 'code 6' }]);
});

test('a process that ends thread by thread has the status that its parent sees', async (t) => {
  using place = new TemporaryDirectory();
  const program = threadsProgram(t, place);
  if (program === undefined) {
    return;
  }
  const count = 100;
  const threads = 20;
  const ends: ReturnType<typeof run>[] = [];
  let last = { pid: 0, status: 0 };
  const seen = await watch(
    'exitsnoop',
    { all: ['--json'], threads: ['--json', '--per-thread'] },
    async ({ all, threads: each }) => {
      for (let i = 0; i < count; i++) {
        const pid = spawnProcess(program, ['threads', 'together', '42', String(threads)]);
        ends.push({ pid, status: waitStatus(pid) });
      }
      await using running = startCommand([program, 'last', '3', '9'], { stdio: ['pipe', 'ignore', 'inherit'] });
      const { pid } = running;
      await each.row(({ tid }) => tid === pid, 'the end of the first thread');
      const marker = run('exit 0');
      await all.row((row) => row.pid === marker.pid, 'the end of a later process');
      assert.deepEqual(of(all.rows, pid), [], 'the process goes on');
      running.process.stdin?.end('x');
      last = { pid, status: ((await running.ended()).code ?? 0) << 8 };
    },
  );
  const common = { ppid: process.pid, uid: 0, comm: 'threads', cgroup: cgroupOf(process.pid) };
  const all = [...ends, last];
  assert.deepEqual(
    known(of(seen.all.rows, ...all.map(({ pid }) => pid))),
    all.map(({ pid, status }) => {
      const result = outcome(status);
      return { ...common, pid, tid: pid, ...result, status: words(result) };
    }),
  );
  const codes = [...Array.from({ length: threads }, (_, thread) => thread + 1), 42];
  for (const { pid } of ends) {
    const rows = of(seen.threads.rows, pid);
    assert.equal(new Set(rows.map(({ tid }) => tid)).size, codes.length);
    assert.deepEqual(
      rows.map(({ exit_code }) => Number(exit_code)).sort((a, b) => a - b),
      codes,
    );
  }
  assert.deepEqual(
    of(seen.threads.rows, last.pid).map(({ exit_code }) => exit_code),
    [3, 9],
  );
});

test('the age is the time from fork to the end', async () => {
  const parts: { readonly pid: number; readonly from: number; readonly to: number; readonly end: number }[] = [];
  const seen = await watch('exitsnoop', { json: ['--json'], text: [] }, () => {
    for (const seconds of ['0', '0.25', '1.2']) {
      const from = performance.now();
      // The second program runs in the process of the first one.
      const pid = spawnProcess('/bin/sh', ['sh', '-c', `exec sleep ${seconds}`]);
      waitStatus(pid);
      parts.push({ pid, from, to: performance.now(), end: Date.now() });
    }
  });
  for (const [i, { pid, from, to, end }] of parts.entries()) {
    const [row, ...more] = of(seen.json.rows, pid);
    assert.deepEqual(more, []);
    const least = [0, 250, 1200][i] as number;
    const milliseconds = Number(row?.age) / 1e6;
    assert.ok(milliseconds > least && milliseconds <= to - from, `${milliseconds} ms in ${to - from}`);
    const line = seen.text.stdout.split('\n').find((text) => Number(text.slice(16, 24)) === pid);
    assert.equal(
      line?.trim().split(/ +/).slice(0, 6).join(' '),
      `sleep ${pid} ${process.pid} ${pid} ${(milliseconds / 1000).toFixed(2)} 0`,
    );
    // The process had ended before the wait for it was over, by no more than its start and that wait took.
    const late = end + 1 - Date.parse(String(row?.time));
    assert.ok(late > -5 && late < to - from - milliseconds + 5 + 2, `${row?.time} is ${late} ms before ${end}`);
  }
});

test('1,000 processes that end at once are 1,000 rows, none of them twice', async () => {
  const count = 1000;
  using place = new TemporaryDirectory();
  using group = new TestCgroup();
  const fifo = join(place.path, 'fifo');
  let shell = 0;
  const { all } = await watch('exitsnoop', { all: ['--json', '--cgroup', group.path] }, async () => {
    // Each waits for a line of its own.
    const loop = `mkfifo ${fifo}; exec 3<>${fifo}; i=0
      while [ $i -lt ${count} ]; do (read line <&3; exit 3) & i=$((i+1)); done; echo all; wait`;
    await using run = startCommand(group.command(['/bin/sh', '-c', loop]));
    shell = run.pid;
    await run.until(({ stdout }) => stdout.includes('all'), 'all processes');
    writeFileSync(fifo, '\n'.repeat(count));
    await run.ended();
  });
  const rows = all.rows.filter(({ ppid }) => ppid === shell);
  const ended = rows.filter(({ status }) => status === 'code 3');
  assert.equal(ended.length, count);
  assert.equal(new Set(ended.map(({ pid }) => pid)).size, count);
  assert.deepEqual(
    rows.filter((row) => !ended.includes(row)).map(({ comm }) => comm),
    ['mkfifo'],
  );
});

test('the parent is the one at the end', async () => {
  using place = new TemporaryDirectory();
  const fifo = join(place.path, 'fifo');
  let orphan = 0;
  let parent = 0;
  const { all } = await watch('exitsnoop', { all: ['--json'] }, async ({ all }) => {
    await using shell = startCommand([
      '/bin/sh',
      '-c',
      `mkfifo ${fifo}; (read line <${fifo}; exit 4) >&- 2>&- & echo $!`,
    ]);
    orphan = Number((await shell.ended()).stdout);
    parent = Number(/^PPid:\s*(\d+)$/m.exec(readFileSync(`/proc/${orphan}/status`, 'utf8'))?.[1]);
    assert.notEqual(parent, shell.pid);
    writeFileSync(fifo, '\n');
    await all.row(({ pid }) => pid === orphan, 'the end of the orphan');
  });
  assert.deepEqual(
    of(all.rows, orphan).map(({ ppid, status }) => ({ ppid, status })),
    [{ ppid: parent, status: 'code 4' }],
  );
});

test('rows are those of the process, thread, user, command, cgroup and mount namespace asked for', async () => {
  await using crowd = await Crowd.start();
  const { user, group, cgroups, namespaces, actors } = crowd;
  const { plain, named, grouped, nested, spaced, foreign } = actors;
  await plain.ask(1, 'prctl', PR_SET_NAME, 'a-thread-name');

  const own = ['--json', '--fields', 'pid,tid'];
  const seen = await watch(
    'exitsnoop',
    {
      all: own,
      pid: [...own, '-p', String(plain.pid)],
      tid: [...own, '-t', String(plain.pid)],
      thread: [...own, '-t', String(plain.tids[1])],
      perThread: [...own, '--per-thread', '-t', String(plain.tids[1])],
      threaded: [...own, '--threaded', '--comm', 'a-thread-name'],
      uid: [...own, '-u', String(user.uid)],
      userName: [...own, '--uid', user.name],
      comm: [...own, '--comm', 'a-known-name'],
      threadComm: [...own, '--comm', 'a-thread-name'],
      cgroup: [...own, '--cgroup', group.path],
      cgroupMap: [...own, '--cgroupmap', cgroups.path],
      mountNamespaces: [...own, '--mntnsmap', namespaces.path],
    },
    async () => {
      for (const actor of [plain, named, grouped, nested]) {
        actor.tell(0, 'exit_group', 0);
        await actor.ended;
      }
      // A name space and a user are those of one thread, so it must be the only one.
      for (const actor of [spaced, foreign]) {
        actor.tell(0, 'execve', '/bin/sh', ['sh', '-c', 'exit 0'], []);
        await actor.ended;
      }
    },
  );
  const names = ({ rows }: { readonly rows: readonly JsonMessage[] }) =>
    Object.keys(actors).filter((name) => {
      const { pid } = actors[name as keyof typeof actors];
      const found = of(rows, pid);
      assert.ok(found.length < 2 && found.every(({ tid }) => tid === pid), `${name} ended ${found.length} times`);
      return found.length === 1;
    });
  /** The same, of a filter that lets nothing else through. */
  const exactly = (result: { readonly rows: readonly JsonMessage[] }) => {
    const found = names(result);
    assert.equal(result.rows.length, found.length);
    return found;
  };
  assert.deepEqual(names(seen.all), Object.keys(actors));
  assert.deepEqual(exactly(seen.pid), ['plain']);
  assert.deepEqual(exactly(seen.tid), ['plain']);
  assert.deepEqual(seen.thread.rows, []);
  const thread = [{ type: 'event', pid: plain.pid, tid: plain.tids[1] }];
  assert.deepEqual(seen.perThread.rows, thread);
  assert.deepEqual(seen.threaded.rows, thread);
  assert.deepEqual(names(seen.uid), ['foreign']);
  assert.deepEqual(names(seen.userName), ['foreign']);
  assert.deepEqual(exactly(seen.comm), ['named']);
  assert.deepEqual(exactly(seen.threadComm), []);
  assert.deepEqual(exactly(seen.cgroup), ['grouped', 'nested']);
  assert.deepEqual(exactly(seen.cgroupMap), ['grouped']);
  assert.deepEqual(exactly(seen.mountNamespaces), ['spaced']);
});

test('text has the columns that were asked for', async () => {
  let pid = 0;
  const seen = await watch(
    'exitsnoop',
    {
      plain: [],
      wide: ['-T', '-U', '--label', 'a host'],
      labelJson: ['--label', 'a host', '--json'],
      json: ['--json'],
      fields: ['--fields', 'status,exit_code,pid'],
    },
    () => {
      ({ pid } = run('exit 12'));
    },
  );
  const line = (text: string) => text.split('\n').find((one) => new RegExp(`(^| )${pid} `).test(one)) ?? '';
  const shown = (text: string) =>
    line(text)
      .trim()
      .replace(/ {2,}/g, ' ')
      .replace(/ \d\.\d\d /, ' AGE ');
  const header = (text: string) => text.split('\n')[0]?.trim().split(/ +/).join(' ');
  assert.equal(header(seen.plain.stdout), 'PCOMM PID PPID TID AGE(s) EXIT_CODE');
  assert.equal(shown(seen.plain.stdout), `sh ${pid} ${process.pid} ${pid} AGE code 12`);
  assert.equal(header(seen.wide.stdout), 'TIME UID LABEL PCOMM PID PPID TID AGE(s) EXIT_CODE');
  assert.match(
    shown(seen.wide.stdout),
    new RegExp(`^\\d\\d:\\d\\d:\\d\\d 0 a host sh ${pid} ${process.pid} ${pid} AGE code 12$`),
  );
  assert.deepEqual(
    [seen.labelJson, seen.json].map(({ rows }) => of(rows, pid).map(({ label, status }) => ({ label, status }))),
    [[{ label: 'a host', status: 'code 12' }], [{ label: undefined, status: 'code 12' }]],
  );
  assert.equal(header(seen.fields.stdout), 'EXIT_CODE EXIT_CODE PID');
});

test('the same ends as the exitsnoop of libbpf-tools', async (t) => {
  await using peer = await startPeer(t, 'exitsnoop');
  if (peer === undefined) {
    return;
  }
  using place = new TemporaryDirectory();
  const lines = ['exit 0', 'exit 1', 'exit 255', 'kill -TERM $$', 'kill -KILL $$', `cd ${place.path}; kill -SEGV $$`];
  lines.push(`cd ${place.path}; ulimit -c unlimited; kill -ABRT $$`);
  let ends: ReturnType<typeof run>[] = [];
  const { all } = await watch('exitsnoop', { all: ['--json'] }, () => {
    ends = lines.map(run);
  });
  const pids = ends.map(({ pid }) => pid);
  await peer.until(({ stdout }) => stdout.includes(` ${pids.at(-1)} `), 'the last end');
  // Versions of it differ in how they call signals.
  const nameless = (status: string) => status.replace(/ \(.*\)/, '');
  const theirs = [...peer.stdout.matchAll(/^(\S+) +(\d+) +(\d+) +(\d+) +([\d.]+) +(.*)$/gm)]
    .filter(([, , pid]) => pids.includes(Number(pid)))
    .map((match) => match.slice(1).map(nameless));
  const ours = of(all.rows, ...pids).map(({ comm, pid, ppid, tid, age, status }) => [
    ...[comm, pid, ppid, tid].map(String),
    String(Number(age) / 1e9),
    nameless(String(status)),
  ]);
  assert.equal(ours.length, lines.length);
  const ageless = (rows: readonly string[][]) => rows.map((row) => row.filter((_, i) => i !== 4));
  assert.deepEqual(ageless(ours), ageless(theirs));
  // They look at the clock one after the other, and one of them rounds.
  assert.ok(ours.every((row, i) => Math.abs(Number(row[4]) - Number(theirs[i]?.[4])) < withinSeconds(0.05) / 1000));
});
