import type { Skeleton, SkeletonTypes } from '../bpf/skeleton.ts';
import { escapeText } from '../model/escape.ts';
import { type Bucket, countOf, log2Buckets } from '../model/histogram.ts';
import type { JsonSchema } from '../model/json.ts';
import type { Column, HistogramMessage, Message, Row, TableMessage } from '../model/message.ts';
import { type CompiledDistribution, compileDistribution, startDistributions } from '../probes/compile-distribution.ts';
import { negativeSlot } from '../probes/distribution-program.ts';
import type { Distribution } from '../probes/parse-distribution.ts';
import { readField } from '../probes/record.ts';
import { now } from '../system/clock.ts';
import { commonParts } from './common-definition.ts';
import { commonOptions } from './common-options.ts';
import type { RunContext, Tool } from './definition.ts';
import { STUB, typeOf } from './generated-events.ts';
import { histogramSchema } from './histogram.ts';
import { intervalEnds, intervalPositionals } from './intervals.ts';
import { type Options, withOwn } from './options.ts';
import type { ProbeEventsDefinition } from './probe-events.ts';
import { Session } from './session.ts';
import { taskFilterOf } from './task-filter.ts';
import { tableSchema } from './top.ts';

interface Values {
  readonly pid?: number;
  readonly force?: boolean;
  readonly counts?: readonly Distribution[];
  readonly histograms?: readonly Distribution[];
  readonly stringSize?: number;
  readonly cumulative?: boolean;
  readonly rows?: number;
  readonly interval?: number;
  readonly duration?: number;
}

const TEXT = 80;
const SLOTS = 64;

const probeType = typeOf('text_t', 'label or text of the specification');
const types = {
  probe: probeType,
  count: typeOf('count_t', 'how many there were'),
  event: typeOf('text_t', 'values that were met together, and what they are'),
};
const column = (name: keyof typeof types, header: string, width: number): Column => ({
  name,
  header,
  width,
  align: types[name].align,
  type: types[name],
});
const columns = [column('count', 'COUNT', 8), column('event', 'EVENT', 24)];
const probeColumn = column('probe', 'PROBE', 24);

/** A tool that counts, by programs that are written at run time, how often which values of what is traced come up. */
export function distributions<S extends SkeletonTypes>(skeleton: Skeleton<S>, definition: ProbeEventsDefinition): Tool {
  const options = withOwn(definition.options, commonOptions);
  return {
    shape: 'custom',
    ...commonParts(skeleton, definition, options, intervalPositionals),
    columns: () => [probeColumn, ...columns].map((one) => ({ ...one, help: one.type.help })),
    schema: (): JsonSchema => ({
      oneOf: [tableSchema(types), withNegatives(histogramSchema({ probe: probeType }, undefined))],
    }),
    run: (context) => run(skeleton, options, context),
  };
}

/** Values may be below 0 here. */
function withNegatives(schema: JsonSchema): JsonSchema {
  const { minimum, ...rest } = schema;
  const { properties, items } = rest;
  return {
    ...rest,
    ...(properties !== undefined && {
      properties: Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, withNegatives(one)])),
    }),
    ...(items !== undefined && { items: withNegatives(items) }),
  };
}

async function* run(skeleton: Skeleton, options: Options, context: RunContext): AsyncGenerator<Message, void, void> {
  const values = context.values as Values;
  const details = { room: values.stringSize ?? TEXT, search: { pid: values.pid, force: values.force === true } };
  const compiled = [
    ...(values.counts ?? []).map((one) => compileDistribution(one, { ...details, histogram: false })),
    ...(values.histograms ?? []).map((one) => compileDistribution(one, { ...details, histogram: true })),
  ];
  using session = Session.start({
    skeleton,
    options,
    context,
    rules: {},
    generated: {
      stub: STUB,
      start: (object, file) =>
        startDistributions(object, file, STUB, compiled, taskFilterOf(object, context.values, process.pid)),
    },
  });
  yield {
    type: 'ready',
    tool: skeleton.name,
    activity: `Counting ${compiled.map(({ distribution }) => distribution.label).join(', ') || 'nothing'}`,
    time: now(),
    hooks: session.hooks,
    columns: [],
    types: {},
  };
  const map = session.object.map<Uint8Array, Uint8Array>('counts');
  const known = new Map<string, Entry>();
  // As bcc: with a duration alone it is the only interval.
  const usual = values.duration === undefined ? 1 : undefined;
  for await (const { last } of intervalEnds(context.values, usual, context.signal)) {
    if (last) {
      session.detach();
    }
    const entries = map.entries().flatMap(([key, value]) => gained(key, value, known, values.cumulative === true));
    const time = now();
    yield { type: 'interval', time, stamp: true, clear: false };
    for (const [number, one] of compiled.entries()) {
      const own = entries.filter(({ key }) => wordOf(key, 0) === number);
      yield one.histogram ? histogramOf(one, own, time) : tableOf(one, own, time, values.rows, compiled.length > 1);
    }
    yield* session.losses(last);
  }
}

interface Entry {
  readonly key: Uint8Array;
  readonly count: number;
  readonly total: bigint;
}

function wordOf(key: Uint8Array, offset: number): number {
  return new DataView(key.buffer, key.byteOffset).getUint32(offset, true);
}

/** What a key gained since the last reading. */
function gained(key: Uint8Array, value: Uint8Array, known: Map<string, Entry>, all: boolean): Entry[] {
  const view = new DataView(value.buffer, value.byteOffset);
  const entry = { key, count: Number(view.getBigUint64(0, true)), total: view.getBigInt64(8, true) };
  const id = Buffer.from(key).toString('latin1');
  const before = all ? undefined : known.get(id);
  known.set(id, entry);
  const count = entry.count - (before?.count ?? 0);
  return count === 0 ? [] : [{ key, count, total: entry.total - (before?.total ?? 0n) }];
}

function tableOf(
  { distribution, names, forms }: CompiledDistribution,
  entries: readonly Entry[],
  time: number,
  most: number | undefined,
  several: boolean,
): TableMessage {
  const fields = forms[0]?.layout.fields ?? [];
  const rows = entries
    .map(({ key, count }): Row & { count: number } => {
      const values = fields.map((field) => readField(key, field));
      const told = values.map(
        (value, i) => `${names[i]} = ${typeof value === 'string' ? `"${value}"` : (value ?? '?')}`,
      );
      return {
        probe: escapeText(distribution.label),
        count,
        event: told.length === 0 ? 'total calls' : told.join(', '),
      };
    })
    .sort((a, b) => a.count - b.count);
  const shown = most === undefined ? rows : rows.slice(-most);
  return { type: 'table', time, columns: several ? [probeColumn, ...columns] : columns, rows: shown, types };
}

function histogramOf(
  { distribution, names }: CompiledDistribution,
  entries: readonly Entry[],
  time: number,
): HistogramMessage {
  const slots = new Array<number>(SLOTS).fill(0);
  let below = 0;
  let total = 0n;
  for (const one of entries) {
    const slot = wordOf(one.key, 4);
    total += one.total;
    if (slot === negativeSlot) {
      below += one.count;
    } else if (slot < SLOTS) {
      slots[slot] = (slots[slot] ?? 0) + one.count;
    }
  }
  const buckets: Bucket[] = [...(below > 0 ? [{ from: -(2 ** 63), to: -1, count: below }] : []), ...log2Buckets(slots)];
  return {
    type: 'histogram',
    time,
    key: { probe: escapeText(distribution.label) },
    columns: [probeColumn],
    types: { probe: probeType },
    unit: escapeText(names[0] ?? ''),
    buckets,
    count: countOf(buckets),
    total: Number(total),
    details: false,
  };
}
