import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, createReadStream, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';
import type { Tracer } from './cases.ts';
import { RunningWorkload } from './running-workload.ts';
import type { Workload } from './workloads/workload.ts';

/** What one run of a workload under a tracer has shown. */
export interface TracedRun {
  /** Milliseconds from the start of the tracer to the first operation that it saw, or until it said that it traces. */
  readonly attached: number;
  /** Nanoseconds for each operation of the workload, before the tracer was there... */
  readonly untraced: number;
  /** ...and how much longer it took under it. */
  readonly added: number;
  /** CPU time of the tracer for each operation that it did not lose, in nanoseconds. */
  readonly cpuPerOperation: number;
  /** Lines of operations that are missing; undefined for a tracer that prints none. */
  readonly lost: number | undefined;
  /** Peak resident set, in bytes. */
  readonly memory: number;
}

const READY = /Ctrl-?\+?C|^(Tracing|Counting|Sampling|Attached|\[\d\d:\d\d:\d\d\])/im;
const LONGEST_START = 60_000;
const STEP = 50;
/** Operations after which what is compiled while it runs is compiled. */
const WARM = 10_000;

/** Runs the workload under a tracer, whose output goes to a file. @throws Error when the tracer does not start */
export async function traced(tracer: Tracer, name: string, kind: Workload, count: number): Promise<TracedRun> {
  using folder = new TemporaryDirectory();
  const output = join(folder.path, 'out');
  const errors = join(folder.path, 'err');
  await using workload = await RunningWorkload.start(name);
  // The same process before and after: what it has compiled and cached is the same.
  await workload.run(Math.ceil(count / 10));
  const untraced = await workload.run(count);
  workload.poke();
  const [program = '', ...args] = tracer.command;
  const [out, err] = [openSync(output, 'w'), openSync(errors, 'w')];
  const started = Date.now();
  const child = spawn(program, args, { stdio: ['ignore', out, err], env: { ...process.env, ...tracer.env } });
  closeSync(out);
  closeSync(err);
  const exited = once(child, 'exit');
  const pid = child.pid as number;
  try {
    const { firstPoke } = kind;
    const seen = () => {
      const text = readFileSync(output, 'latin1');
      if (firstPoke === undefined || tracer.silent === true) {
        return READY.test(text) || READY.test(readFileSync(errors, 'latin1')) ? Date.now() : undefined;
      }
      const number = firstPoke(text, workload.pid);
      return number === undefined ? undefined : workload.pokes[number];
    };
    let attached: number | undefined;
    for (const end = started + LONGEST_START; attached === undefined; attached = seen()) {
      if (child.exitCode !== null || Date.now() > end) {
        throw new Error(`${tracer.name} does not trace: ${lastLine(readFileSync(errors, 'utf8'))}`);
      }
      await wait(5);
    }
    await wait(500);
    // The compiler of the tracer, if it has one, is a matter of its start.
    const warm = Math.min(count, Math.max(Math.ceil(count / 10), WARM));
    await workload.run(warm);
    await settled(pid);
    const before = cpuTime(pid);
    const added = (await workload.run(count)) - untraced;
    await settled(pid);
    const cpu = cpuTime(pid) - before;
    const memory = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
    await end(child, exited);
    const all = warm + count;
    if (tracer.total === true) {
      // What others say of when they trace is not always so.
      const poked = lastNumber(readFileSync(output, 'latin1')) - all;
      attached = poked > 0 ? workload.pokes.at(-poked) : undefined;
      if (attached === undefined) {
        throw new Error(`${tracer.name} has not counted all operations`);
      }
    }
    const expected = all * (kind.eventsEach ?? 1);
    const line = tracer.silent === true ? undefined : kind.eventLine?.(workload.pid, workload.mark);
    const lost = line === undefined ? undefined : expected - (await countLines(output, line));
    // Who loses events has none of their work.
    const handled = count * (1 - (lost ?? 0) / expected);
    if (handled <= 0) {
      throw new Error(`${tracer.name} printed nothing`);
    }
    return { attached: attached - started, untraced, added, cpuPerOperation: (cpu * 1e6) / handled, lost, memory };
  } finally {
    child.kill('SIGKILL');
    await exited;
  }
}

/** Share of one CPU that a tracer uses when it has nothing to say, over so many milliseconds. */
export async function idleShare(command: readonly string[], time: number): Promise<number> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, { stdio: 'ignore' });
  const exited = once(child, 'exit');
  try {
    // Attached and settled: nobody needs longer.
    await wait(4000);
    const before = cpuTime(child.pid as number);
    await wait(time);
    return (cpuTime(child.pid as number) - before) / time;
  } finally {
    await end(child, exited);
  }
}

/** bpftrace misses a signal now and then: it is told again, until it has heard. */
async function end(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  child.kill('SIGINT');
  const again = setInterval(() => child.kill('SIGINT'), 2000);
  await exited;
  clearInterval(again);
}

/** Milliseconds of CPU time of the threads that live; not in ticks, that would charge a whole one for each short wake. */
function cpuTime(pid: number): number {
  return readdirSync(`/proc/${pid}/task`)
    .map((thread) => Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]) / 1e6)
    .reduce((sum, time) => sum + time, 0);
}

/** Waits until the tracer has caught up: twice in a row it used no CPU to speak of. */
async function settled(pid: number): Promise<void> {
  for (let last = cpuTime(pid), quiet = 0; quiet < 4; ) {
    await wait(STEP);
    const now = cpuTime(pid);
    quiet = now - last < STEP / 20 ? quiet + 1 : 0;
    last = now;
  }
}

async function countLines(file: string, wanted: RegExp): Promise<number> {
  let count = 0;
  for await (const line of createInterface({ input: createReadStream(file, 'latin1') })) {
    if (wanted.test(line)) {
      count++;
    }
  }
  return count;
}

/** The last number at the end of a line. */
function lastNumber(text: string): number {
  return Number([...text.matchAll(/\s(\d+)\s*$/gm)].at(-1)?.[1] ?? Number.NaN);
}

function lastLine(text: string): string {
  return text.trimEnd().split('\n').at(-1) ?? '';
}
