import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';

/** A program that traces open(2): ours or a peer's. */
export interface Tracer {
  readonly name: string;
  readonly command: readonly string[];
  /** The same, tracing only process 1, which does nothing. */
  readonly idle: readonly string[];
}

export interface TracedRun {
  /** Milliseconds from the start of the process to the first open that it saw. */
  readonly attached: number;
  /** Nanoseconds per open of the workload while it was traced. */
  readonly perOpen: number;
  /** CPU time of the tracer for each event, in nanoseconds. */
  readonly cpuPerEvent: number;
  readonly lost: number;
  /** Peak resident set, in bytes. */
  readonly memory: number;
}

const TICK = 10;
const IDLE_TIME = 10_000;

// Opens a numbered file that is not there every millisecond and says when; then, told to, opens one file as fast as it can.
const workload = `
const { closeSync, openSync } = require('node:fs');
const [prefix, count] = process.argv.slice(1);
let number = 0;
const poke = setInterval(() => {
  const time = Date.now();
  try { openSync(prefix + number); } catch {}
  process.stdout.write('poke ' + number++ + ' ' + time + '\\n');
}, 1);
process.stdin.on('data', (data) => {
  clearInterval(poke);
  if (String(data).startsWith('end')) process.exit();
  const start = process.hrtime.bigint();
  for (let i = 0; i < count; i++) closeSync(openSync('/etc/hostname'));
  process.stdout.write('took ' + (process.hrtime.bigint() - start) + '\\n');
});`;

/** The workload process: pokes from the start on, and opens \`count\` files when told to. */
export class Workload {
  readonly pokes: number[] = [];
  readonly prefix: string;
  readonly #child: ChildProcess;
  readonly #took: Promise<number>;
  readonly #count: number;

  constructor(count: number) {
    this.#count = count;
    this.prefix = `/nonexistent/kscope-bench-${process.pid}-${Date.now()}-`;
    this.#child = spawn(process.execPath, ['-e', workload, this.prefix, String(count)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#took = new Promise((resolve) => {
      createInterface({ input: this.#child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
        const [word, first, second] = line.split(' ');
        if (word === 'poke') {
          this.pokes[Number(first)] = Number(second);
        } else {
          resolve(Number(first));
        }
      });
    });
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  /** Nanoseconds per open. */
  async run(): Promise<number> {
    this.#child.stdin?.write('go\n');
    return (await this.#took) / this.#count;
  }

  async close(): Promise<void> {
    this.#child.stdin?.write('end\n');
    await once(this.#child, 'exit');
  }
}

/** Runs the workload under a tracer, whose output goes to a file. */
export async function traced(tracer: Tracer, count: number): Promise<TracedRun> {
  const folder = mkdtempSync(join(tmpdir(), 'kscope-bench-'));
  const file = join(folder, 'out');
  const workload = new Workload(count);
  try {
    while (workload.pokes.length === 0) {
      await wait(5);
    }
    const [program = '', ...args] = tracer.command;
    const started = Date.now();
    const child = spawn(program, args, { stdio: ['ignore', openSync(file, 'w'), 'ignore'] });
    const exited = once(child, 'exit');
    const pid = child.pid as number;
    const first = await firstPoke(file, workload.prefix);
    const attached = (workload.pokes[first] as number) - started;

    await wait(500);
    const before = cpuTime(pid);
    const perOpen = await workload.run();
    await settled(pid);
    const cpu = cpuTime(pid) - before;
    const memory = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
    child.kill('SIGINT');
    await exited;
    const seen = await countLines(file, workload.pid);
    return { attached, perOpen, cpuPerEvent: (cpu * 1e6) / seen, lost: count - seen, memory };
  } finally {
    await workload.close();
    rmSync(folder, { recursive: true });
  }
}

/** Share of one CPU that a tracer uses when it has nothing to say. */
export async function idleShare(tracer: Tracer): Promise<number> {
  const [program = '', ...args] = tracer.idle;
  const child = spawn(program, args, { stdio: 'ignore' });
  const exited = once(child, 'exit');
  try {
    // Attached and settled: nobody needs longer.
    await wait(4000);
    const before = threadTime(child.pid as number);
    await wait(IDLE_TIME);
    return (threadTime(child.pid as number) - before) / IDLE_TIME;
  } finally {
    child.kill('SIGINT');
    await exited;
  }
}

/** The number of the first poke in the output. */
async function firstPoke(file: string, prefix: string): Promise<number> {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; await wait(20)) {
    const text = readFileSync(file, 'latin1');
    const at = text.indexOf(prefix);
    const number = /^\d+(?=[\s"])/.exec(text.slice(at + prefix.length));
    if (at >= 0 && number !== null) {
      return Number(number[0]);
    }
  }
  throw new Error('the tracer printed nothing for a minute');
}

/** Milliseconds of CPU time used so far. */
function cpuTime(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK;
}

/** Milliseconds of CPU time of the threads that live; not in ticks, that would charge a whole one for each short wake. */
function threadTime(pid: number): number {
  return readdirSync(`/proc/${pid}/task`)
    .map((thread) => Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]) / 1e6)
    .reduce((sum, time) => sum + time, 0);
}

/** Waits until the tracer has caught up: it used no CPU to speak of for half a second. */
async function settled(pid: number): Promise<void> {
  for (let last = -1; ; ) {
    const now = cpuTime(pid);
    if (now - last <= TICK) {
      return;
    }
    last = now;
    await wait(500);
  }
}

async function countLines(file: string, pid: number): Promise<number> {
  let count = 0;
  const ours = new RegExp(`(^|\\D)${pid}\\D.*/etc/hostname`);
  for await (const line of createInterface({ input: createReadStream(file) })) {
    if (ours.test(line)) {
      count++;
    }
  }
  return count;
}
