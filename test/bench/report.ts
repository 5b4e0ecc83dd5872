import type { Case } from './cases.ts';
import type { DecoderCost } from './decoder.ts';
import type { ProbeCost } from './probes.ts';
import type { Sustained } from './sustained.ts';

/** A tracer in a case: medians of the rounds. */
export interface Row {
  readonly name: string;
  /** Milliseconds. */
  readonly attached: number;
  /** Nanoseconds that an operation takes longer. */
  readonly added: number;
  /** Nanoseconds of CPU time of the tracer for each operation. */
  readonly cpu: number;
  /** The worst round; undefined where the tracer prints no lines. */
  readonly lost: number | undefined;
  /** Bytes. */
  readonly memory: number;
  /** Share of a CPU. */
  readonly idle?: number;
  /** Why there are no numbers. */
  readonly problem?: string;
}

export interface CaseResult {
  /** Of the case; the tool's, unless it has several. */
  readonly name: string;
  readonly generic: boolean;
  readonly tool: string;
  readonly unit: string;
  readonly count: number;
  readonly silent: boolean;
  /** Nanoseconds for an operation that nobody traces. */
  readonly untraced: number;
  /** How much that varied from run to run, as a share. */
  readonly spread: number;
  readonly rows: readonly Row[];
}

export interface Target {
  readonly what: string;
  readonly value: number | undefined;
  readonly limit: number;
}

/** The table of a case. Ratios are to libbpf-tools, or to bpftrace where they have no such tool. */
export function caseTable({ name: title, unit, count, untraced, spread, rows }: CaseResult): string {
  const reference = referenceOf(rows);
  const lines = rows.map((row) =>
    row.problem !== undefined
      ? [row.name, row.problem]
      : [
          row.name,
          `${row.attached.toFixed(0)} ms`,
          `${row.cpu.toFixed(0)} ns`,
          ratio(row.cpu, reference?.cpu),
          `${row.added.toFixed(0)} ns`,
          `${((100 * row.added) / untraced).toFixed(1)} %`,
          ratio(row.added, reference?.added),
          row.lost === undefined ? '-' : String(row.lost),
          `${(row.memory / 2 ** 20).toFixed(0)} MiB`,
          row.idle === undefined ? '-' : `${(row.idle * 100).toFixed(2)} %`,
        ],
  );
  const header = [title, 'attached', 'CPU each', 'ratio', 'added each', '', 'ratio', 'lost', 'memory', 'idle CPU'];
  return `${table([header, ...lines])}${count} times one ${unit}, ${untraced.toFixed(0)} ns (± ${(50 * spread).toFixed(0)} %) when nobody traces\n`;
}

export function probeTable(costs: readonly ProbeCost[]): string {
  return table([
    ['a probe that does nothing', 'call', 'added'],
    ...costs.map(({ kind, call, added, problem }) =>
      added === undefined ? [kind, problem ?? '-'] : [kind, `${call.toFixed(0)} ns`, `${added.toFixed(0)} ns`],
    ),
  ]);
}

export function decoderTable(costs: readonly DecoderCost[]): string {
  return table([
    ['a record that ends in', 'decoded', 'a second'],
    ...costs.map(({ text, each }) => [text, `${each.toFixed(0)} ns`, `${(1000 / each).toFixed(1)} million`]),
  ]);
}

/** Five million records a second, with the text that is the commonest of its kind. */
export function decoderTargets([usual]: readonly DecoderCost[]): Target[] {
  return [{ what: 'nanoseconds to decode a record', value: usual?.each, limit: 200 }];
}

/** What was promised, and how it stands. */
export function targetsOf({ name: title, generic, silent, rows }: CaseResult): Target[] {
  const [ours] = rows;
  const good = rows.filter(({ problem }) => problem === undefined);
  const reference = referenceOf(rows);
  const bpftrace = good.find(({ name }) => name === 'bpftrace');
  const bcc = good.find(({ name }) => name === 'bcc');
  const of = (value: number | undefined, to: number | undefined) =>
    value === undefined || to === undefined ? undefined : value / to;
  const all: Target[] = [
    ...(silent
      ? [{ what: 'time added, of the peer', value: of(ours?.added, reference?.added), limit: 1 }]
      : [
          { what: 'CPU for each event, of the peer', value: of(ours?.cpu, reference?.cpu), limit: generic ? 1 : 0.12 },
          { what: 'time added, of the peer', value: of(ours?.added, reference?.added), limit: generic ? 1 : 0.15 },
          { what: 'events lost', value: ours?.lost, limit: 0 },
        ]),
    { what: 'time to attached, of bpftrace', value: of(ours?.attached, bpftrace?.attached), limit: 1.2 },
    ...(generic ? [{ what: 'time to attached, of bcc', value: of(ours?.attached, bcc?.attached), limit: 0.2 }] : []),
    { what: 'peak memory, of bpftrace', value: of(ours?.memory, bpftrace?.memory), limit: 1 },
    ...(ours?.idle === undefined ? [] : [{ what: 'idle CPU', value: ours.idle, limit: 0.005 }]),
  ];
  return all.map((target) => ({ ...target, what: `${title}: ${target.what}` }));
}

export function sustainedTargets({ rate, lost }: Sustained, wanted: number): Target[] {
  return [
    { what: `events lost at ${Math.round(rate)} events/s`, value: lost, limit: 0 },
    { what: 'that rate, of the one that is wanted', value: wanted / rate, limit: 1.05 },
  ];
}

export function targetLines(targets: readonly Target[]): string {
  return targets
    .map(({ what, value, limit }) => {
      const verdict = value === undefined ? 'nothing to compare with' : value <= limit ? 'met' : 'MISSED';
      return `${verdict.padEnd(8)} ${what}: ${value?.toFixed(3) ?? '-'} (limit ${limit})\n`;
    })
    .join('');
}

/** Share of the time of an operation by which that varies anyway, also on a quiet machine. */
const NOISE = 0.05;

/** What a case says to people who wonder what a tool will cost them. */
export function sentence({ unit, untraced, rows }: CaseResult): string {
  const [ours] = rows;
  const reference = referenceOf(rows);
  const longer = ({ added }: Row) =>
    added < NOISE * untraced ? 'not measurably longer' : `${microseconds(added)} longer`;
  const text = (row: Row) => `${longer(row)} and ${microseconds(row.cpu)} of processor time`;
  const theirs = reference === undefined ? '' : ` With ${reference.name} it takes ${text(reference)}.`;
  return ours === undefined || ours.problem !== undefined
    ? ''
    : `what takes ${microseconds(untraced)} (one ${unit}) takes ${text(ours)} of the tool.${theirs}`;
}

function microseconds(nanoseconds: number): string {
  const value = nanoseconds / 1000;
  return value < 0.01
    ? 'less than 0.01 µs'
    : `${value >= 10 ? Math.round(value) : value >= 1 ? value.toFixed(1) : value.toFixed(2)} µs`;
}

function referenceOf(rows: readonly Row[]): Row | undefined {
  const good = rows.filter(({ problem }) => problem === undefined);
  return good.find(({ name }) => name === 'libbpf-tools') ?? good.find(({ name }) => name === 'bpftrace');
}

function ratio(value: number, to: number | undefined): string {
  return to === undefined ? '-' : (value / to).toFixed(3);
}

/** Columns as wide as what is in them, the first to the left; a line may be short, and is not measured then. */
function table(lines: readonly (readonly string[])[]): string {
  const [header = []] = lines;
  const whole = lines.filter((line) => line.length === header.length);
  const widths = header.map((_, i) => Math.max(...whole.map((line) => line[i]?.length ?? 0), 0));
  const first = Math.max(...lines.map(([name = '']) => name.length));
  return lines
    .map(([name = '', ...cells]) => {
      const padded = cells.map((cell, i) =>
        cells.length === widths.length - 1 ? cell.padStart(widths[i + 1] ?? 0) : cell,
      );
      return `${[name.padEnd(first), ...padded].join('  ').trimEnd()}\n`;
    })
    .join('');
}

/** Names of the cases that were asked for; all of them when none was. */
export function chosen(all: readonly Case[], names: readonly string[]): readonly Case[] {
  return names.length === 0 ? all : all.filter(({ tool, name = tool }) => names.includes(tool) || names.includes(name));
}
