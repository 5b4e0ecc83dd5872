import type { BpfMap } from '../bpf/map.ts';
import type { Skeleton, SkeletonTypes } from '../bpf/skeleton.ts';
import { stackType } from '../model/frames.ts';
import type { FieldTypes, Message, Row, Stack, StackFields } from '../model/message.ts';
import { type SemanticType, semanticType } from '../model/types.ts';
import { now } from '../system/clock.ts';
import { readyMessage } from './aggregate.ts';
import { allColumns, type ColumnSpec, chosenColumns, fieldTypes } from './columns.ts';
import { type CommonDefinition, commonParts, type OptionsFor, type Text } from './common-definition.ts';
import { commonOptions } from './common-options.ts';
import { startDefined } from './defined-session.ts';
import type { RunContext, Tool } from './definition.ts';
import { intervalEnds, intervalPositionals } from './intervals.ts';
import { merged } from './merged.ts';
import { choice, flag, integer, type Options, type OptionValues, withOwn } from './options.ts';
import { type EventOf, eventSchema, RING, recordOf } from './snoop.ts';
import { StackQuality } from './stack-quality.ts';
import { resizeStackTable, StackSymbols, stackDepth, stackTableOf, stackTableSize } from './stack-symbols.ts';
import { tableSchema } from './top.ts';

export interface OutstandingDefinition<S extends SkeletonTypes, O> extends CommonDefinition<S, O> {
  /**
   * What is held now: `address` and `pid` (0 for the kernel) in the key, `bytes`, `since` (nanoseconds of the monotonic
   * clock) and `stack` in the value.
   */
  readonly map: Text<keyof S['maps']>;
  /** The same added up in the kernel: `pid` and `stack` in the key, `bytes` and `count` in the value. */
  readonly totals: Text<keyof S['maps']>;
  /** Name given to STACKS in the program. */
  readonly table: Text<keyof S['maps']>;
  /** Option that prints a line for each event of the ring buffer `events` as well; its columns. */
  readonly trace?: {
    readonly flag: string;
    readonly summary: string;
    readonly set: Text<keyof S['rodata']>;
    readonly columns: { readonly [K in Text<keyof EventOf<S>>]?: ColumnSpec };
  };
}

type AnyOutstanding = OutstandingDefinition<SkeletonTypes, Options>;

/** Seconds between looks at a process: where its code is can only be asked while it lives. */
const REMEMBER_EVERY = 0.25;
const USUAL_INTERVAL = 5;
const USUAL_AGE = 500;
const USUAL_ROWS = 10;

const shapeOptions = {
  showAll: flag('-a, --show-allocs', 'each allocation apart, with its address'),
  older: integer('-o, --older <MS>', `only what is held for at least this many milliseconds; usually ${USUAL_AGE}`, {
    group: 'filter',
  }),
  combined: flag('--combined-only', 'add up in the kernel: cheaper, but ages are not known', {
    conflicts: ['showAll', 'older'],
    hidden: ['-C'],
  }),
  sort: choice('--sort <FIELD>', 'the column to sort by', ['bytes', 'count', 'size'], { group: 'output' }),
  rows: integer('-T, --top <COUNT>', `print at most this many stacks; usually ${USUAL_ROWS}`, {
    min: 1,
    group: 'output',
  }),
  tableSize: stackTableSize,
  depth: stackDepth,
};

const STACKS: StackFields = { user: 'user_stack', kernel: 'kernel_stack' };

/** A tool that shows what was taken and not given back, by the stack of who took it. */
export function outstanding<S extends SkeletonTypes, const O extends OptionsFor<S>>(
  skeleton: Skeleton<S>,
  definition: OutstandingDefinition<S, O & Options>,
): Tool {
  const any = definition as unknown as AnyOutstanding;
  const { trace } = any;
  const options = withOwn(definition.options, {
    ...shapeOptions,
    ...(trace !== undefined && { trace: flag(trace.flag, trace.summary, { set: trace.set, group: 'output' }) }),
    ...commonOptions,
  });
  return {
    shape: 'outstanding',
    ...commonParts(skeleton, any, options, intervalPositionals),
    columns: () => allColumns({ bytes: {}, count: {}, address: { header: 'ADDR' }, age: {}, pid: {} }, types),
    schema: () =>
      trace === undefined
        ? tableSchema(types)
        : {
            oneOf: [
              tableSchema(types),
              eventSchema(recordOf(skeleton), fieldTypes(recordOf(skeleton), {}, traced), {}),
            ],
          },
    run: (context) => run(skeleton, any, options, context),
  };
}

function type(name: string, help: string): SemanticType {
  return { ...(semanticType(name) as SemanticType), help };
}

const types: FieldTypes = {
  bytes: type('bytes_t', 'bytes that are held'),
  count: type('count_t', 'how many allocations that are'),
  address: { ...type('addr_t', 'address, of one allocation'), optional: true },
  age: type('maybe_ns_t', 'how long the oldest of them is held, in nanoseconds'),
  pid: type('maybe_pid_t', 'process id; absent for the kernel'),
  user_stack: stackType('user') as SemanticType,
  kernel_stack: stackType('kernel') as SemanticType,
};

/** What the fields of a line mean that is of one allocation or release. */
const traced = { address: 'address of the allocation' };

interface Holding {
  readonly pid: number;
  readonly stack: number;
  bytes: number;
  count: number;
  since?: number;
  address?: unknown;
}

async function* run(
  skeleton: Skeleton,
  definition: AnyOutstanding,
  options: Options,
  context: RunContext,
): AsyncGenerator<Message, void, void> {
  const { values, signal } = context;
  const given = values as OptionValues<typeof shapeOptions> & { readonly pid?: number };
  const specs = {
    bytes: { text: String },
    count: {},
    ...(given.showAll === true && { address: { header: 'ADDR' } }),
    ...(given.combined !== true && { age: {} }),
    ...(given.pid !== undefined && { pid: {} }),
  };
  const { columns, fields } = chosenColumns(specs, types, values);
  using session = startDefined({ skeleton, definition, options, context }, (loading) =>
    resizeStackTable(loading, definition.table, { stacks: given.tableSize, frames: given.depth }),
  );
  const { object } = session;
  const symbols = new StackSymbols(stackTableOf(object, definition.table));
  const quality = new StackQuality('bytes');
  const map = object.map<Row, Row>(given.combined === true ? definition.totals : definition.map);
  const { trace } = definition;
  const ring = trace !== undefined && values.trace === true ? object.ring<Row>(RING) : undefined;
  const eventTypes = ring && fieldTypes(recordOf(skeleton), {}, traced);
  yield {
    ...readyMessage({ skeleton, definition }, session),
    ...(eventTypes !== undefined && {
      columns: allColumns(trace?.columns ?? {}, eventTypes, values),
      types: eventTypes,
    }),
  } as Message;

  let looks = 0;
  const look = setInterval(() => symbols.remember(given.pid ?? 0, ++looks), REMEMBER_EVERY * 1000);
  try {
    const ends = intervalEnds(values, USUAL_INTERVAL, signal);
    for await (const next of ring === undefined
      ? ends
      : merged<{ readonly last: boolean } | Row[]>(ends, ring.batches(signal))) {
      if (Array.isArray(next)) {
        yield { type: 'events', rows: next };
        continue;
      }
      const { last } = next;
      if (last) {
        object.detach();
        const rest = ring?.drain(Number.POSITIVE_INFINITY) ?? [];
        if (rest.length > 0) {
          yield { type: 'events', rows: rest };
        }
      }
      const held = given.combined === true ? heldInAll(map) : heldNow(map, given);
      const by = given.sort === 'count' ? 'count' : 'bytes';
      const most = held.sort((a, b) => b[by] - a[by]).slice(0, given.rows ?? USUAL_ROWS);
      const instant = Number(process.hrtime.bigint());
      const rows = most.map(({ pid, stack, since, ...rest }): Row => {
        const frames: { readonly user: Stack; readonly kernel: Stack } =
          pid === 0
            ? { user: 'none', kernel: symbols.kernel(stack) }
            : { user: symbols.user(pid, stack), kernel: 'none' };
        quality.add(frames, rest.bytes);
        return {
          ...rest,
          address: rest.address,
          age: since === undefined ? undefined : instant - since,
          pid: pid === 0 ? undefined : pid,
          user_stack: frames.user === 'none' ? undefined : frames.user,
          kernel_stack: frames.kernel === 'none' ? undefined : frames.kernel,
        };
      });
      const time = now();
      yield { type: 'interval', time, stamp: true, clear: false };
      yield { type: 'table', time, columns, types, rows, stacks: STACKS, ...(fields !== undefined && { fields }) };
      yield* session.losses(last);
      if (last) {
        break;
      }
    }
  } finally {
    clearInterval(look);
  }
  yield* quality.warnings(symbols.kernelHidden);
}

function heldInAll(totals: BpfMap<Row, Row>): Holding[] {
  return totals
    .entries()
    .map(([{ pid, stack }, { bytes, count }]) => ({ pid, stack, bytes, count }) as Holding)
    .filter(({ count }) => count > 0);
}

function heldNow(
  map: BpfMap<Row, Row>,
  { older = USUAL_AGE, showAll }: { readonly older?: number | undefined; readonly showAll?: boolean },
): Holding[] {
  const latest = Number(process.hrtime.bigint()) - older * 1e6;
  const found = new Map<string, Holding>();
  for (const [key, value] of map.entries()) {
    const { address, pid } = key as { address: unknown; pid: number };
    const { bytes, since, stack } = value as { bytes: number; since: bigint; stack: number };
    const start = Number(since);
    if (start <= latest) {
      const id = showAll === true ? `${pid} ${address}` : `${pid} ${stack}`;
      const holding = found.get(id) ?? { pid, stack, bytes: 0, count: 0, since: start, ...(showAll && { address }) };
      holding.bytes += bytes;
      holding.count += 1;
      holding.since = Math.min(holding.since ?? start, start);
      found.set(id, holding);
    }
  }
  return [...found.values()];
}
