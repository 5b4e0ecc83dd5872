import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { test } from 'node:test';
import type { JsonMessage, ToolResult } from '../helpers/run-tool.ts';
import { mustSyscall, syscall } from '../helpers/syscall.ts';
import { commOf } from '../helpers/task-fields.ts';
import { timeless, watch } from '../helpers/watch.ts';

const { SIGINT, SIGURG, SIGSTOP, SIGTERM, SIGKILL, SIGCHLD, SIGALRM } = constants.signals;
const SIGRTMIN = 34;
const WUNTRACED = 2;
const [ESRCH, EINVAL] = [3, 22];
const own = { pid: process.pid, comm: commOf(process.pid) };
const mine = ['--json', '-p', String(process.pid)];

/** A process that takes SIGTERM and SIGRTMIN, and waits. */
async function taker(): Promise<ChildProcess & { readonly pid: number }> {
  const script = 'trap : TERM RTMIN; echo ready; read line';
  const child = spawn('bash', ['-c', script], { stdio: ['pipe', 'pipe', 'ignore'] });
  await once(child.stdout, 'data');
  return child as unknown as ChildProcess & { readonly pid: number };
}

/** Rows but for the signals that end the tools. */
function rowsOf({ rows }: ToolResult): JsonMessage[] {
  return rows.filter(({ sig }) => sig !== SIGINT);
}

const result = ({ sig, result, tpid }: JsonMessage) => [sig, result, tpid];

test('each signal is one row, with what became of it', async () => {
  const child = await taker();
  const { pid } = child;
  const target = ['--json', '-T', String(pid)];
  const seen = await watch(
    'sigsnoop',
    {
      all: mine,
      target,
      some: [...target, '-s', 'TERM,sigkill,34'],
      lost: [...target, '-x'],
      others: [...target, '-p', '1'],
      toUs: ['--json', '-T', String(process.pid), '-s', String(SIGCHLD), '-p', String(pid)],
      text: ['-n', '-T', String(pid)],
    },
    async () => {
      for (const signal of [SIGURG, SIGSTOP, SIGTERM, SIGTERM, SIGRTMIN, SIGRTMIN, SIGKILL]) {
        mustSyscall('kill', pid, signal);
        if (signal === SIGSTOP) {
          // From here on it takes none of them.
          mustSyscall('wait4', pid, 0, WUNTRACED, 0);
        }
      }
      await once(child, 'exit');
    },
  );
  const expected = [
    [SIGURG, 'IGNORED', pid],
    [SIGSTOP, 'DELIVERED', pid],
    [SIGTERM, 'DELIVERED', pid],
    [SIGTERM, 'PENDING', pid],
    [SIGRTMIN, 'DELIVERED', pid],
    [SIGRTMIN, 'DELIVERED', pid],
    [SIGKILL, 'DELIVERED', pid],
  ];
  assert.deepEqual(seen.target.rows.map(result), expected);
  assert.deepEqual(timeless(rowsOf(seen.all)), timeless(seen.target.rows));
  assert.deepEqual(timeless(seen.target.rows.slice(0, 1)), [
    { ...own, sig: SIGURG, code: 0, tpid: pid, ttid: pid, tcomm: 'bash', result: 'IGNORED' },
  ]);
  assert.deepEqual(seen.some.rows.map(result), expected.slice(2));
  assert.deepEqual(seen.lost.rows, []);
  assert.deepEqual(seen.others.rows, []);
  const ends = seen.toUs.rows.filter(({ code }) => code === 2);
  assert.deepEqual(timeless(ends.map(({ result, ...row }) => row as JsonMessage)), [
    { pid, comm: 'bash', sig: SIGCHLD, code: 2, tpid: process.pid, ttid: process.pid, tcomm: own.comm },
  ]);
  const [header = '', ...lines] = seen.text.stdout.trimEnd().split('\n');
  assert.equal(header.split(/ +/).join(' '), 'TIME PID COMM SIG TPID TCOMM RESULT ERR');
  assert.deepEqual(
    lines.map((line) => line.split(/ +/)[3]),
    ['SIGURG', 'SIGSTOP', 'SIGTERM', 'SIGTERM', 'SIGRTMIN', 'SIGRTMIN', 'SIGKILL'],
  );
});

test('a signal of a timer has no sender', async () => {
  let pid = 0;
  const seen = await watch(
    'sigsnoop',
    { all: ['--json', '-s', String(SIGALRM)], sent: [...mine, '-s', 'ALRM'] },
    async () => {
      const child = spawn('timeout', ['0.01', 'sleep', '1000'], { stdio: 'ignore' });
      await once(child, 'exit');
      pid = child.pid ?? 0;
    },
  );
  const rows = seen.all.rows.filter(({ tpid }) => tpid === pid);
  assert.deepEqual(
    rows.map(({ pid, comm, tcomm }) => ({ pid, comm, tcomm })),
    [{ pid: undefined, comm: undefined, tcomm: 'timeout' }],
  );
  assert.deepEqual(seen.sent.rows, []);
});

test('as killsnoop, each call is one row, with its target as given and its error', async () => {
  const child = await taker();
  const { pid } = child;
  const siginfo = Buffer.alloc(128);
  siginfo.writeInt32LE(SIGURG, 0);
  siginfo.writeInt32LE(-1, 8);
  // Beyond any pid that there can be.
  const nobody = 2 ** 30;
  const group = Number(
    readFileSync('/proc/self/stat', 'utf8')
      .replace(/^.*\) /, '')
      .split(' ')[2],
  );
  const seen = await watch(
    'killsnoop',
    { all: mine, failed: [...mine, '-x'], target: ['--json', '-T', String(pid)], some: [...mine, '-s', 'KILL'] },
    async () => {
      const pidfd = mustSyscall('pidfd_open', pid, 0);
      mustSyscall('kill', pid, SIGURG);
      assert.equal(syscall('kill', nobody, SIGURG), -ESRCH);
      assert.equal(syscall('kill', pid, 65), -EINVAL);
      mustSyscall('kill', 0, 0);
      assert.equal(syscall('kill', -nobody, SIGURG), -ESRCH);
      mustSyscall('tkill', pid, SIGURG);
      mustSyscall('tgkill', pid, pid, SIGURG);
      mustSyscall('rt_sigqueueinfo', pid, SIGURG, siginfo);
      mustSyscall('rt_tgsigqueueinfo', pid, pid, SIGURG, siginfo);
      mustSyscall('pidfd_send_signal', pidfd, SIGURG, 0, 0);
      mustSyscall('close', pidfd);
      mustSyscall('kill', pid, SIGKILL);
      await once(child, 'exit');
    },
  );
  const sent = (row: object) => ({ ...own, code: 0, ...row, result: 'SENT' });
  const failed = (row: object) => ({ ...own, code: 0, ...row, result: 'FAILED' });
  const expected = [
    sent({ sig: SIGURG, tpid: pid }),
    failed({ sig: SIGURG, tpid: nobody, error: ESRCH }),
    failed({ sig: 65, tpid: pid, error: EINVAL }),
    sent({ tpid: -group }),
    failed({ sig: SIGURG, tpid: -nobody, error: ESRCH }),
    sent({ sig: SIGURG, ttid: pid }),
    sent({ sig: SIGURG, tpid: pid, ttid: pid }),
    sent({ sig: SIGURG, tpid: pid }),
    sent({ sig: SIGURG, tpid: pid, ttid: pid }),
    sent({ sig: SIGURG }),
    sent({ sig: SIGKILL, tpid: pid }),
  ];
  assert.deepEqual(timeless(rowsOf(seen.all)), expected);
  assert.deepEqual(
    timeless(seen.failed.rows),
    expected.filter(({ result }) => result === 'FAILED'),
  );
  assert.deepEqual(
    timeless(seen.target.rows),
    expected.filter((row) => (row as { tpid?: number }).tpid === pid),
  );
  assert.deepEqual(seen.some.rows.map(result), [[SIGKILL, 'SENT', pid]]);
});
