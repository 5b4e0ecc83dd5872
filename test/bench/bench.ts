// The ledger: what tracing costs, ours and the peers', measured in one run on one machine. Arguments are names of cases,
// and 'probes', 'functions', 'sustained' and 'decoder'; without any, all is measured. KSCOPE_BENCH_ROUNDS, and KSCOPE_BENCH_SCALE, by which all
// counts are multiplied, make it shorter. --record keeps a sentence on each case for the manual pages.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, release } from 'node:os';
import { type Case, cases, idleCommands, packages, tracersOf } from './cases.ts';
import { decoderCosts } from './decoder.ts';
import { manyFunctions, manyFunctionsTargets } from './many-functions.ts';
import { idleShare, type TracedRun, traced } from './measure.ts';
import { probeCosts } from './probes.ts';
import {
  type CaseResult,
  caseTable,
  chosen,
  decoderTable,
  decoderTargets,
  probeTable,
  type Row,
  sentence,
  sustainedTargets,
  targetLines,
  targetsOf,
} from './report.ts';
import { loadWorkload } from './running-workload.ts';
import { sustained } from './sustained.ts';

const ROUNDS = Number(process.env.KSCOPE_BENCH_ROUNDS ?? 3);
const SCALE = Number(process.env.KSCOPE_BENCH_SCALE ?? 1);
const IDLE_TIME = 10_000 * Math.min(1, SCALE);
const RATE = 500_000;
const record = process.argv.includes('--record');
const wanted = process.argv.slice(2).filter((arg) => arg !== '--record');
const asked = (what: string) => wanted.length === 0 || wanted.includes(what);

// As sudo does, with which commands are run. Node would read these certificates before anything else.
delete process.env.NODE_EXTRA_CA_CERTS;
const results: CaseResult[] = [];
for (const one of chosen(cases, wanted)) {
  const result = await measure(one);
  results.push(result);
  process.stdout.write(`${caseTable(result)}\n`);
}
const probes = asked('probes') ? probeCosts(Math.ceil(300_000 * SCALE), ROUNDS) : undefined;
if (probes !== undefined) {
  process.stdout.write(`${probeTable(probes)}\n`);
}
const many = asked('functions') ? manyFunctions(3000) : undefined;
if (many !== undefined) {
  const { functions, found, attached, detached, single, problem } = many;
  const times = [found, attached, detached, single].map((time) => `${time.toFixed(0)} ms`);
  const said =
    problem ?? `found in ${times[0]}, hooked in ${times[1]}, let go in ${times[2]}; ${times[3]} for one by itself`;
  process.stdout.write(`${functions} functions of the kernel: ${said}\n\n`);
}
const decoding = asked('decoder') ? decoderCosts(Math.ceil(7 * SCALE)) : undefined;
if (decoding !== undefined) {
  process.stdout.write(`${decoderTable(decoding)}\n`);
}
const steady = asked('sustained') ? await sustained(Math.ceil(10 * RATE * SCALE)) : undefined;
if (steady !== undefined) {
  const { rate, events, lost, peak } = steady;
  const said = `${events} events at ${Math.round(rate)} a second: ${lost} lost`;
  process.stdout.write(`${said}, at most ${(100 * peak).toFixed(0)} % of the buffer in use\n\n`);
}
const targets = [
  ...results.flatMap(targetsOf),
  ...(steady === undefined ? [] : sustainedTargets(steady, RATE)),
  ...(many === undefined ? [] : manyFunctionsTargets(many)),
  ...(decoding === undefined ? [] : decoderTargets(decoding)),
];
process.stdout.write(targetLines(targets));
const machine = {
  kernel: release(),
  processor: cpus()[0]?.model ?? 'unknown',
  processors: availableParallelism(),
  node: process.version,
};
const peers = packages.map(({ package: name, version }) => `${name} ${version}`);
process.stdout.write(`
medians of ${ROUNDS} rounds; ratios are to libbpf-tools, or to bpftrace where it has no such tool
Linux ${machine.kernel}, ${machine.processors} processors (${machine.processor}), Node ${machine.node}, ${peers.join(', ')}
`);
const noisy = results.filter(({ spread }) => spread > 0.1).map(({ name }) => name);
if (noisy.length > 0) {
  process.stdout.write(`the machine was not quiet, and these figures mean little: ${noisy.join(', ')}\n`);
}
const sentences = Object.fromEntries(
  results.filter(({ tool, name }) => name === tool).map((result) => [result.tool, sentence(result)]),
);
if (record) {
  const file = 'test/bench/measured.json';
  const before: Record<string, string> = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  const found = Object.entries(sentences).filter(([tool, text]) => text !== '' && !noisy.includes(tool));
  const where = `(Linux ${machine.kernel.replace(/-.*/, '')}, ${machine.processors} processors, ${machine.processor})`;
  const now = found.map(([tool, text]) => [tool, `Measured ${where}: ${text}`]);
  const all = Object.entries({ ...before, ...Object.fromEntries(now) }).sort(([a], [b]) => (a < b ? -1 : 1));
  writeFileSync(file, `${JSON.stringify(Object.fromEntries(all), undefined, 2)}\n`);
  process.stdout.write(
    `recorded ${found.length} of ${results.length} in ${file}; npm run docs puts them into the manual\n`,
  );
}
mkdirSync('.cache', { recursive: true });
writeFileSync(
  '.cache/bench.json',
  `${JSON.stringify({ commit: commit(), machine, peers, rounds: ROUNDS, scale: SCALE, results, sentences, probes, many, decoding, sustained: steady, targets }, undefined, 2)}\n`,
);

async function measure(one: Case): Promise<CaseResult> {
  const workload = await loadWorkload(one.workload);
  const count = Math.max(1, Math.round(workload.count * SCALE));
  const tracers = tracersOf(one);
  const runs = new Map<string, TracedRun[]>();
  const problems = new Map<string, string>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const tracer of tracers) {
      if (problems.has(tracer.name)) {
        continue;
      }
      process.stderr.write(`${one.name ?? one.tool}: round ${round + 1} of ${ROUNDS}: ${tracer.name}\n`);
      try {
        const run = await traced(tracer, one.workload, workload, count);
        runs.set(tracer.name, [...(runs.get(tracer.name) ?? []), run]);
      } catch (error) {
        problems.set(tracer.name, (error as Error).message);
      }
    }
  }
  const bare = [...runs.values()].flat().map(({ untraced }) => untraced);
  const idle = new Map<string, number>();
  for (const [name, command] of idleCommands(one)) {
    if (runs.has(name)) {
      process.stderr.write(`${one.tool}: idle: ${name}\n`);
      idle.set(name, await idleShare(command, IDLE_TIME));
    }
  }
  const rows = tracers.map(({ name }): Row => {
    const share = idle.get(name);
    const problem = problems.get(name);
    const all = runs.get(name) ?? [];
    const of = (key: keyof TracedRun) => median(all.map((run) => run[key] ?? Number.NaN));
    const lost = all.map((run) => run.lost).filter((count) => count !== undefined);
    return {
      name,
      attached: of('attached'),
      added: of('added'),
      cpu: of('cpuPerOperation'),
      lost: lost.length === 0 ? undefined : Math.max(...lost),
      memory: of('memory'),
      ...(share !== undefined && { idle: share }),
      ...(problem !== undefined && { problem }),
    };
  });
  return {
    tool: one.tool,
    name: one.name ?? one.tool,
    generic: one.generic === true,
    unit: workload.unit,
    count,
    silent: one.silent === true,
    untraced: median(bare),
    spread: spread(bare),
    rows,
  };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** How far apart the middle half of the values is, as a share of their median. */
function spread(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN;
  return (at(0.75) - at(0.25)) / at(0.5);
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8', stdio: 'pipe' }).trim();
  } catch {
    return 'unknown';
  }
}
