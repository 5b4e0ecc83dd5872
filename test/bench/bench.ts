// The ledger: what tracing costs, ours and the peers', measured in one run on one machine.
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { fileURLToPath } from 'node:url';
import { type Peer, peer } from './peers.ts';
import { idleShare, type TracedRun, type Tracer, traced, Workload } from './traced-run.ts';

const EVENTS = Number(process.env.KSCOPE_BENCH_EVENTS ?? 1_000_000);
const ROUNDS = Number(process.env.KSCOPE_BENCH_ROUNDS ?? 3);

const opens = (filter: string) => `
tracepoint:syscalls:sys_enter_openat /${filter}/ { @name[tid] = args->filename; }
tracepoint:syscalls:sys_exit_openat /@name[tid]/ {
  printf("%-6d %-16s %4d %s\\n", pid, comm, args->ret, str(@name[tid])); delete(@name[tid]);
}`;

const command = fileURLToPath(new URL('../../bin/opensnoop', import.meta.url));
const libbpfTools = peer('libbpf-tools');
const bpftrace = peer('bpftrace');
const tracers: Tracer[] = [
  ...tracer('kscope', process.execPath, [command], [command, '-p', '1']),
  ...tracer('kscope --json', process.execPath, [command, '--json'], [command, '--json', '-p', '1']),
  ...tracer('libbpf-tools', libbpfTools?.program('opensnoop'), [], ['-p', '1']),
  ...tracer('bpftrace', bpftrace?.program('bpftrace'), ['-q', '-e', opens('1')], ['-q', '-e', opens('pid == 1')]),
];

function tracer(name: string, program: string | undefined, args: readonly string[], idle: readonly string[]): Tracer[] {
  if (program === undefined) {
    return [];
  }
  // Peers keep their output back when it goes to a file.
  const line = program === process.execPath ? [program] : ['stdbuf', '-oL', program];
  return [{ name, command: [...line, ...args], idle: [...line, ...idle] }];
}

async function untraced(): Promise<number> {
  const workload = new Workload(EVENTS);
  try {
    return await workload.run();
  } finally {
    await workload.close();
  }
}

const runs = new Map<string, TracedRun[]>(tracers.map(({ name }) => [name, []]));
const bare: number[] = [];
for (let round = 0; round < ROUNDS; round++) {
  bare.push(await untraced());
  for (const one of tracers) {
    process.stderr.write(`round ${round + 1} of ${ROUNDS}: ${one.name}\n`);
    runs.get(one.name)?.push(await traced(one, EVENTS));
  }
}

const idle = new Map<string, number>();
for (const one of tracers) {
  process.stderr.write(`idle: ${one.name}\n`);
  idle.set(one.name, await idleShare(one));
}

const base = median(bare);
const rows = tracers.map(({ name }) => {
  const all = runs.get(name) as TracedRun[];
  const of = (key: keyof TracedRun) => median(all.map((run) => run[key]));
  return {
    name,
    attached: of('attached'),
    added: of('perOpen') - base,
    cpuPerEvent: of('cpuPerEvent'),
    lost: Math.max(...all.map((run) => run.lost)),
    memory: of('memory'),
    idle: idle.get(name) as number,
  };
});
const reference = rows.find(({ name }) => name === 'libbpf-tools');
const tracing = rows.find(({ name }) => name === 'bpftrace');

print([
  ['open(2) loop', 'attached', 'CPU/event', 'ratio', 'added/open', 'ratio', 'lost', 'peak memory', 'idle CPU'],
  ...rows.map((row) => [
    row.name,
    `${row.attached.toFixed(0)} ms`,
    `${row.cpuPerEvent.toFixed(0)} ns`,
    ratio(row.cpuPerEvent, reference?.cpuPerEvent),
    `${row.added.toFixed(0)} ns`,
    ratio(row.added, reference?.added),
    String(row.lost),
    `${(row.memory / 2 ** 20).toFixed(0)} MiB`,
    `${(row.idle * 100).toFixed(2)} %`,
  ]),
]);
const packages = [libbpfTools, bpftrace].filter((one): one is Peer => one !== undefined);
process.stdout.write(`
${EVENTS} opens, medians of ${ROUNDS} rounds; untraced: ${base.toFixed(0)} ns per open. Ratios are to libbpf-tools.
kernel ${release()}, node ${process.version}, ${packages.map((one) => `${one.package} ${one.version}`).join(', ')}
`);

const [ours] = rows;
const targets = {
  'CPU per event, of libbpf-tools': [quotient(ours?.cpuPerEvent, reference?.cpuPerEvent), 0.12],
  'time added to an open, of libbpf-tools': [quotient(ours?.added, reference?.added), 0.15],
  'events lost': [ours?.lost, 0],
  'milliseconds to attached': [ours?.attached, 150],
  'time to attached, of bpftrace': [quotient(ours?.attached, tracing?.attached), 1.2],
  'peak memory, of bpftrace': [quotient(ours?.memory, tracing?.memory), 1],
  'idle CPU': [ours?.idle, 0.005],
} as const;
for (const [what, [value, limit]] of Object.entries(targets)) {
  const verdict = value === undefined ? 'no peer to compare with' : value <= limit ? 'met' : 'MISSED';
  process.stdout.write(`${what}: ${value?.toFixed(3) ?? '-'} (limit ${limit}): ${verdict}\n`);
}

mkdirSync('.cache', { recursive: true });
writeFileSync(
  '.cache/bench.json',
  `${JSON.stringify({ commit: commit(), kernel: release(), node: process.version, events: EVENTS, untraced: base, rows, packages }, undefined, 2)}\n`,
);

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function quotient(value: number | undefined, to: number | undefined): number | undefined {
  return value === undefined || to === undefined ? undefined : value / to;
}

function ratio(value: number, to: number | undefined): string {
  return quotient(value, to)?.toFixed(3) ?? '-';
}

function print(lines: readonly (readonly string[])[]): void {
  const widths = (lines[0] ?? []).map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)));
  for (const line of lines) {
    const cells = line.map((text, i) => (i === 0 ? text.padEnd(widths[i] ?? 0) : text.padStart(widths[i] ?? 0)));
    process.stdout.write(`${cells.join('  ')}\n`);
  }
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8', stdio: 'pipe' }).trim();
  } catch {
    return 'unknown';
  }
}
