import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import bpf from '../../bpf/offcputime.bpf.ts';
import { objectFile } from '../../lib/bpf/object-file.ts';
import { BpfObject } from '../../lib/index.ts';
import { type JsonMessage, runTool, startCommand, startTool } from '../helpers/run-tool.ts';
import { stacksProgram } from '../helpers/stacks-program.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';

type Frames = readonly { readonly symbol?: string }[] | undefined;

interface Wait {
  readonly pid: number;
  readonly comm: string;
  readonly usecs: number;
  readonly user: readonly string[];
  readonly kernel: readonly string[];
}

function waits(messages: readonly JsonMessage[], pid?: number): Wait[] {
  const names = (frames: unknown) => ((frames as Frames) ?? []).map(({ symbol }) => symbol ?? '?');
  return messages
    .filter((message) => message.type === 'stack' && (pid === undefined || message.pid === pid))
    .map((message) => ({
      pid: message.pid as number,
      comm: message.comm as string,
      usecs: message.weight as number,
      user: names(message.user),
      kernel: names(message.kernel),
    }));
}

function sum(all: readonly Wait[]): number {
  return all.reduce((total, { usecs }) => total + usecs, 0);
}

/** Watches one command from its start until it has said how long it slept. */
async function waitsOf(args: readonly string[], command: readonly [string, ...string[]]) {
  await using running = startCommand(['sh', '-c', 'read -r go; exec "$@"', 'sh', ...command], { stdio: 'pipe' });
  const { pid } = running;
  await using tool = startTool('offcputime', ['--json', '-p', String(pid), ...args]);
  await tool.ready();
  running.process.stdin?.end('go\n');
  await running.until(({ stdout }) => stdout.includes('\n'), 'the time that it slept');
  const result = await tool.end();
  assert.equal(result.code, 0, result.stderr);
  assert.ok(result.messages.every(({ type, unit }) => type !== 'stack' || unit === 'usecs'));
  const { stderr } = result;
  const lost = Number(/^offcputime: lost (\d+) ends of waits in all$/m.exec(stderr)?.[1] ?? 0);
  return { own: waits(result.messages, pid), stdout: running.stdout, stderr, lost };
}

const asleep = ({ user, kernel }: Wait) =>
  user[0] === 'sleep_in_here' && user[1] === 'main' && kernel.some((name) => name.includes('nanosleep'));

test('the time asleep in a function is the time that the program measured', async (t) => {
  using place = new TemporaryDirectory();
  const program = stacksProgram(t, place);
  if (program === undefined) {
    return;
  }
  const { own, stdout, stderr, lost } = await waitsOf([], [program, 'sleep', '100', '10']);
  const measured = Number(stdout);
  assert.ok(measured >= 1e6);
  assert.ok(lost <= 2, stderr);
  // There are kernels that hide some tasks from tracing, and with one of them when a sleep was over.
  const seen = sum(own.filter(asleep)) + lost * 100_000;
  const what = `${seen} of ${measured} microseconds; ${stderr} ${JSON.stringify(own)}`;
  assert.ok(seen >= measured * 0.95 && seen <= measured * (lost > 0 ? 1.05 : 1), what);
  for (const { kernel } of own) {
    assert.match(kernel[0] ?? '', /schedule/, 'no frames of the tracing itself');
  }
});

test('waits are kept by their length', async (t) => {
  using place = new TemporaryDirectory();
  const program = stacksProgram(t, place);
  if (program === undefined) {
    return;
  }
  const long = await waitsOf(['-m', '150000'], [program, 'sleep', '200', '3']);
  assert.ok(sum(long.own.filter(asleep)) >= 600_000, JSON.stringify(long.own));
  const short = await waitsOf(['-M', '150000'], [program, 'sleep', '200', '3']);
  assert.deepEqual(short.own.filter(asleep), []);
});

test('only waits in the states that are asked for count', async (t) => {
  using place = new TemporaryDirectory();
  const program = stacksProgram(t, place);
  if (program === undefined) {
    return;
  }
  const sleeping = await waitsOf(['--state', '1'], [program, 'sleep', '100', '3']);
  assert.ok(sum(sleeping.own.filter(asleep)) >= 300_000);
  assert.deepEqual((await waitsOf(['--state', '2'], [program, 'sleep', '100', '3'])).own.filter(asleep), []);
  assert.deepEqual((await waitsOf(['--state', '0'], [program, 'sleep', '100', '3'])).own.filter(asleep), []);
});

test('only one side of the stacks, and only threads of one kind, when asked', async (t) => {
  using place = new TemporaryDirectory();
  const program = stacksProgram(t, place);
  if (program === undefined) {
    return;
  }
  const command = [program, 'sleep', '100', '3'] as const;
  const user = (await waitsOf(['-U', '--user-threads-only'], command)).own;
  assert.ok(user.some((one) => one.user[0] === 'sleep_in_here'));
  assert.ok(user.every(({ kernel }) => kernel.length === 0));
  const kernel = (await waitsOf(['-K'], command)).own;
  assert.ok(kernel.some((one) => one.kernel.some((name) => name.includes('nanosleep'))));
  assert.ok(kernel.every((one) => one.user.length === 0));
  assert.deepEqual((await waitsOf(['-k'], command)).own, []);
});

test('several processes, or threads, that are asked for are the only ones', async (t) => {
  using place = new TemporaryDirectory();
  const program = stacksProgram(t, place);
  if (program === undefined) {
    return;
  }
  await using one = startCommand([program, 'sleep', '20', '100000']);
  await using two = startCommand([program, 'sleep', '20', '100000']);
  await using other = startCommand([program, 'sleep', '20', '100000']);
  const both = [one.pid, two.pid].sort();
  for (const filter of ['-p', '-t']) {
    const seen = waits((await runTool('offcputime', ['--json', filter, both.join(), '1'])).messages);
    assert.deepEqual([...new Set(seen.map(({ pid }) => pid))].sort(), both, filter);
  }
  assert.ok(other.pid > 0);
  const many = Array.from({ length: 33 }, (_, i) => i + 1).join();
  const { code, stderr } = await runTool('offcputime', ['-p', many, '1']);
  assert.equal(code, 2, stderr);
  assert.match(stderr, /^offcputime: option '-p, --pid <PIDS>'/);
});

test('a process that is asked for is the only one, and its lines fold', async (t) => {
  using place = new TemporaryDirectory();
  const program = stacksProgram(t, place);
  if (program === undefined) {
    return;
  }
  await using running = startCommand([program, 'sleep', '50', '100000']);
  const own = ['-p', String(running.pid)];
  const all = waits((await runTool('offcputime', ['--json', ...own, '1'])).messages);
  assert.ok(all.length > 0 && all.every(({ pid }) => pid === running.pid));
  const { stdout } = await runTool('offcputime', ['-f', ...own, '1']);
  assert.match(stdout, /^stacks;(.*;)?main;sleep_in_here;.*nanosleep.*_\[k\] \d+$/m);
  assert.deepEqual(waits((await runTool('offcputime', ['--json', ...own, '--comm', 'other', '1'])).messages), []);
});

test('the idle threads are not off the processor, and are nobody else', async () => {
  const seen = waits((await runTool('offcputime', ['--json', '1'])).messages);
  assert.ok(seen.length > 0);
  assert.ok(seen.every(({ pid, comm }) => pid > 0 && !comm.startsWith('swapper/')));
});

test('a thread that leaves before it was seen to come back has waited for a time that nobody knows', async () => {
  for (const state_mask of [2 ** 32 - 1, 2]) {
    using object = BpfObject.open(objectFile(bpf));
    object.globals.set('filter_tid', process.pid);
    object.globals.set('state_mask', state_mask);
    object.load();
    object.attach();
    const lost = object.globals.counter('ends_of_waits_lost');
    await setTimeout(20);
    const before = lost();
    // This thread does not wait, it runs: as if the switch to it had not been seen.
    const key = { pid: process.pid, tid: process.pid, comm: 'node', user: -1, kernel: -1 };
    object.map<number, object>('waiting').set(process.pid, { since: 0n, key });
    await setTimeout(20);
    assert.equal(lost() - before, 1);
    const times = object.map<object, { time: bigint }>('times').entries();
    assert.ok(
      times.every(([, { time }]) => time < 10e9),
      'since the thread is said to have left',
    );
  }
});
