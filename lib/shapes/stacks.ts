import type { Skeleton, SkeletonTypes } from '../bpf/skeleton.ts';
import { framesSchema } from '../model/frames.ts';
import type { JsonSchema } from '../model/json.ts';
import type { FieldTypes, Message, Row, Stack, WeighedStack } from '../model/message.ts';
import { now } from '../system/clock.ts';
import { mapRows, readyMessage } from './aggregate.ts';
import { fieldTypes, type Meanings } from './columns.ts';
import { type CommonDefinition, commonParts, type OptionsFor, type Text, warningsOf } from './common-definition.ts';
import { commonOptions, runTime } from './common-options.ts';
import { startDefined } from './defined-session.ts';
import type { RunContext, Tool } from './definition.ts';
import { intervalEnds } from './intervals.ts';
import { flag, integer, type Options, positionalsOf, text, withOwn } from './options.ts';
import { StackQuality } from './stack-quality.ts';
import {
  foldedStacks,
  resizeStackTable,
  StackSymbols,
  stackDepth,
  stackTableOf,
  stackTableSize,
} from './stack-symbols.ts';

type KeyOf<S extends SkeletonTypes, M extends keyof S['maps']> = S['maps'][M]['key'];
type ValueOf<S extends SkeletonTypes, M extends keyof S['maps']> = S['maps'][M]['value'];

export interface StacksDefinition<S extends SkeletonTypes, O, M extends Text<keyof S['maps']>>
  extends CommonDefinition<S, O> {
  /** Map from a structure with the ids of stacks to a structure with the weight. */
  readonly map: M;
  readonly meanings?: Meanings<KeyOf<S, M>>;
  /** Name given to STACKS in the program. */
  readonly table: Text<keyof S['maps']>;
  /** Members of the key that are ids of stacks. */
  readonly kernel?: Text<keyof KeyOf<S, M>>;
  readonly user?: Text<keyof KeyOf<S, M>>;
  /** Member of the key that tells in which process user addresses are. */
  readonly process?: Text<keyof KeyOf<S, M>>;
  /** Member of the key that comes behind the innermost frame: what the stack is about. */
  readonly tip?: Text<keyof KeyOf<S, M>>;
  /**
   * Member of the key that is the kernel stack of whoever ended a wait: its frames come behind the innermost frame of
   * `kernel` and a frame '--', with the innermost of them first, as a flame graph shows them.
   */
  readonly waker?: Text<keyof KeyOf<S, M>>;
  /** Member of the value that is the weight, and its unit. */
  readonly weight: Text<keyof ValueOf<S, M>>;
  readonly unit: string;
  /** How many of the value's unit make one of `unit`: 1000 for nanoseconds in 'usecs'. */
  readonly scale?: number;
  /*
   * Options that the shape knows, by their keys: `interval`, seconds after which to print what came since; `timestamp`,
   * to print the time with that.
   */
}

type AnyStacks = StacksDefinition<SkeletonTypes, Options, string>;

/** Seconds between looks at the processes that were seen: those that live for less may have no names. */
const REMEMBER_EVERY = 0.25;

const shapeOptions = {
  folded: foldedStacks,
  delimited: flag('-d, --delimited', 'put a line between kernel and user frames', { group: 'output' }),
  flame: text('--flame <FILE>', 'also write a flame graph (SVG)', { group: 'output', completes: 'file' }),
  speedscope: text('--speedscope <FILE>', 'also write a profile for speedscope', {
    group: 'output',
    completes: 'file',
  }),
  annotations: flag('-a, --annotations', 'mark kernel frames with _[k], as folded lines always do', {
    group: 'output',
  }),
  address: flag('-A, --address', 'show the addresses in stacks', { group: 'output' }),
  offset: flag('-s, --offset', 'show the offsets in functions', { group: 'output' }),
  tableSize: stackTableSize,
  rows: integer('--hash-storage-size <COUNT>', 'number of different rows that can be kept', {
    min: 1,
    max: 2 ** 24,
    group: 'common',
  }),
  depth: stackDepth,
};

/** A tool that adds up something by stack, in the kernel, and prints it at the end. */
export function stacks<S extends SkeletonTypes, const O extends OptionsFor<S>, const M extends Text<keyof S['maps']>>(
  skeleton: Skeleton<S>,
  definition: StacksDefinition<S, O & Options, M>,
): Tool {
  const any = definition as unknown as AnyStacks;
  const options = withOwn(definition.options, { ...shapeOptions, ...commonOptions });
  return {
    shape: 'stacks',
    ...commonParts(skeleton, any, options, positionalsOf(runTime)),
    columns: () => [],
    schema: () => stackSchema(keyTypes(skeleton, any), any.unit),
    run: (context) => run(skeleton, any, options, context),
  };
}

/** The members of the key that say whose stack it is. */
function keyTypes(skeleton: Skeleton, definition: AnyStacks): FieldTypes {
  const { key } = mapRows(skeleton, definition.map);
  const types = key === undefined ? {} : fieldTypes(key, {}, definition.meanings);
  return Object.fromEntries(Object.entries(types).filter(([name]) => !isStack(definition, name)));
}

function stackSchema(types: FieldTypes, unit: string): JsonSchema {
  const stack = (whose: string): JsonSchema => ({
    description: `${whose} stack, innermost frame first; absent when there is none`,
    ...framesSchema,
  });
  const keys = Object.entries(types).map(([name, type]) => [name, { description: type.help, ...type.schema }]);
  return {
    type: 'object',
    properties: {
      type: { description: 'what the line is', const: 'stack' },
      time: { description: 'when the run ended', type: 'string', format: 'date-time' },
      ...Object.fromEntries(keys),
      unit: { description: 'of the weight', const: unit },
      weight: { description: 'how much was seen on this stack', type: 'number', minimum: 0 },
      user: stack('user'),
      kernel: stack('kernel'),
      missed: { description: 'stacks that could not be kept', type: 'array', items: { enum: ['user', 'kernel'] } },
    },
    required: ['type', 'time', 'unit', 'weight'],
    additionalProperties: false,
  };
}

async function* run(
  skeleton: Skeleton,
  definition: AnyStacks,
  options: Options,
  context: RunContext,
): AsyncGenerator<Message, void, void> {
  const { values, signal } = context;
  using session = startDefined({ skeleton, definition, options, context }, (object) => {
    resizeStackTable(object, definition.table, {
      stacks: values.tableSize as number | undefined,
      frames: values.depth as number | undefined,
    });
    if (values.rows !== undefined) {
      object.map(definition.map).maxEntries = values.rows as number;
    }
  });
  const { object } = session;
  const symbols = new StackSymbols(stackTableOf(object, definition.table));
  const map = object.map<Row, Row>(definition.map);
  const processOf = (key: Row) => (definition.process === undefined ? 0 : (key[definition.process] as number));
  yield readyMessage({ skeleton, definition }, session);
  yield* warningsOf(definition, values);

  const weightOf = (value: Row) => Math.round((value[weight] as number) / (definition.scale ?? 1));
  let printed: ReadonlyMap<string, number> = new Map();
  /** What there is in a reading of the map, less what was printed. */
  const gained = (entries: readonly [Row, Row][]): WeighedStack[] =>
    entries
      .map(([key, value]) => ({ key, gain: weightOf(value) - (printed.get(JSON.stringify(key)) ?? 0) }))
      .filter(({ gain }) => printed.size === 0 || gain > 0)
      .map(
        ({ key, gain }): WeighedStack => ({
          key: Object.fromEntries(Object.entries(key).filter(([name]) => !isStack(definition, name))),
          kernel: kernel === undefined ? 'none' : kernelStack(symbols, key[kernel], waker && key[waker]),
          user: user === undefined ? 'none' : symbols.user(processOf(key), key[user] as number),
          weight: gain,
        }),
      )
      .sort((a, b) => a.weight - b.weight);
  const quality = new StackQuality(definition.unit);
  function* output(): Generator<Message, void, void> {
    const time = now();
    // Read once: what comes in between two readings would be in none of the outputs.
    const entries = map.entries();
    const weighed = gained(entries);
    printed = new Map(entries.map(([key, value]) => [JSON.stringify(key), weightOf(value)]));
    for (const one of weighed) {
      quality.add(one, one.weight);
    }
    if (interval !== undefined || values.timestamp === true) {
      yield { type: 'interval', time, stamp: values.timestamp === true, clear: false };
    }
    yield { type: 'stacks', time, ...about, stacks: weighed };
  }
  const about = {
    types: keyTypes(skeleton, definition),
    unit: definition.unit,
    ...(definition.tip !== undefined && { tip: definition.tip }),
    ...(values.offset === true && { offsets: true }),
    ...(values.address === true && { addresses: true }),
    ...(values.annotations === true && { annotations: true }),
  };
  const { kernel, user, waker, weight } = definition;
  const interval = values.interval as number | undefined;
  let nextOutput = performance.now() + (interval ?? Number.POSITIVE_INFINITY) * 1000;
  const refresh = (context.refresh ?? Number.POSITIVE_INFINITY) * 1000;
  let nextLook = performance.now() + refresh;

  const tick = Math.min(REMEMBER_EVERY, interval ?? REMEMBER_EVERY);
  for await (const _ of intervalEnds(secondsOf(values.seconds as number | undefined, tick), tick, signal)) {
    // A process has to be asked where its code is while it lives.
    if (definition.user !== undefined && !signal.aborted) {
      const grown = new Map<number, number>();
      for (const [key] of map.entries()) {
        const pid = processOf(key);
        grown.set(pid, (grown.get(pid) ?? 0) + 1);
      }
      for (const [pid, count] of grown) {
        symbols.remember(pid, count);
      }
    }
    const start = performance.now();
    if (start >= nextLook && !signal.aborted) {
      yield { type: 'stacks', time: now(), partial: true, ...about, stacks: gained(map.entries()) };
      // Many stacks take long to name: looking at them may take a tenth of the time, not more.
      nextLook = performance.now() + Math.max(refresh, 10 * (performance.now() - start));
    }
    if (performance.now() >= nextOutput && !signal.aborted) {
      yield* output();
      nextOutput = Math.max(nextOutput + (interval ?? 0) * 1000, performance.now());
    }
    yield* session.losses(false);
  }
  object.detach();
  yield* output();
  yield* quality.warnings(symbols.kernelHidden);
  yield* session.losses(true);
}

function isStack({ kernel, user, waker }: AnyStacks, member: string): boolean {
  return member === kernel || member === user || member === waker;
}

/** The stack of one that waited, and of who ended that. */
function kernelStack(symbols: StackSymbols, id: unknown, waker: unknown): Stack {
  const own = symbols.kernel(id as number);
  const other = waker === undefined ? 'none' : symbols.kernel(waker as number);
  return typeof own === 'string' || typeof other === 'string'
    ? own
    : [...[...other].reverse(), { address: 0n, symbol: '--' }, ...own];
}

/** A run of so many seconds, in short intervals. */
function secondsOf(seconds: number | undefined, tick: number): Readonly<Record<string, unknown>> {
  if (seconds === undefined) {
    return {};
  }
  const intervals = Math.ceil(seconds / tick);
  return { interval: seconds / intervals, intervals };
}
