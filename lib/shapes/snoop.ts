import type { BpfObject } from '../bpf/object.ts';
import { objectSpec } from '../bpf/object-file.ts';
import { jsonSchemaOf, type RowSchema } from '../bpf/schema.ts';
import type { Skeleton, SkeletonTypes } from '../bpf/skeleton.ts';
import { KscopeError } from '../model/errors.ts';
import { stackType } from '../model/frames.ts';
import type { JsonSchema } from '../model/json.ts';
import type { FieldTypes, Message, Row, Stack, StackFields, StacksMessage } from '../model/message.ts';
import type { Packet } from '../model/packet.ts';
import type { SemanticType } from '../model/types.ts';
import { now } from '../system/clock.ts';
import { pageSize } from '../system/page-size.ts';
import {
  allColumns,
  type ColumnSpec,
  type ComputedField,
  chosenColumns,
  columnOptions,
  compute,
  fieldTypes,
  type Meanings,
} from './columns.ts';
import {
  activityOf,
  type CommonDefinition,
  commonParts,
  type OptionsFor,
  type Text,
  warningsOf,
} from './common-definition.ts';
import { commonOptions } from './common-options.ts';
import { CountedRows, countSchema, countTypes } from './count.ts';
import { startDefined } from './defined-session.ts';
import type { RunContext, Tool } from './definition.ts';
import { EventStacks, type HookedFields } from './event-stacks.ts';
import { Demands } from './on-demand.ts';
import { flag, type Options, type OptionValues, text, withOwn } from './options.ts';
import { foldedStacks, resizeStackTable, stackDepth, stackTableSize } from './stack-symbols.ts';

/** The record of the events of an object. */
export type EventOf<S extends SkeletonTypes> = S['events'] extends { events: infer E } ? E : never;

export interface SnoopDefinition<S extends SkeletonTypes, O extends Options, C extends string>
  extends CommonDefinition<S, O> {
  /** What the kernel cannot filter. */
  keep?(event: EventOf<S>, values: OptionValues<O>): boolean;
  /** What to show of the events that come, where that depends on those before: begun once for each run. */
  select?(object: BpfObject, values: OptionValues<O>): Selection<EventOf<S>>;
  readonly computed?: Readonly<Record<C, ComputedField<EventOf<S>, OptionValues<O>>>>;
  readonly meanings?: Meanings<EventOf<S>>;
  /** In the order of the text output. */
  readonly columns: {
    readonly [K in Text<keyof EventOf<S>> | NoInfer<C>]?: ColumnSpec<
      K extends keyof EventOf<S> ? NonNullable<EventOf<S>[K]> : unknown,
      EventOf<S>,
      OptionValues<O>
    >;
  };
  /** A map whose values are events that wait to be complete: what is left in it at the end is shown as it is. */
  readonly waiting?: Text<keyof S['maps']>;
  /** Field that tells the order of those that have the same time. */
  readonly waitingOrder?: Text<keyof EventOf<S>>;
  /** A signal to the tool at which what waits is shown and taken out of the map. */
  readonly shownOn?: NodeJS.Signals;
  /**
   * Another ring, for what `computed` fields want to know: of its records, those that were sent before an event are taken
   * before the event is shown. Without the option it takes no memory.
   */
  readonly beside?: {
    readonly ring: Exclude<Text<keyof S['events']>, 'events'>;
    /** Key of the option that asks for it. */
    readonly when: Text<keyof O>;
    take(record: S['events'][Exclude<keyof S['events'], 'events'>], values: OptionValues<O>): void;
  };
  /** Stacks of events: text prints them below the event's line, JSON has their frames in these fields. */
  readonly stacks?: {
    /** Name given to STACKS in the program. */
    readonly table: Text<keyof S['maps']>;
    /** Fields with ids of stacks. */
    readonly kernel?: Text<keyof EventOf<S>>;
    readonly user?: Text<keyof EventOf<S>>;
    /** Field that tells in which process user addresses are. */
    readonly process?: Text<keyof EventOf<S>>;
    /** Fields that tell what hooks of returns took off user stacks; nobody is shown them. */
    readonly hooked?: HookedFields<Text<keyof EventOf<S>>>;
    /** Keys of the options that ask for stacks: without any of them the table takes no memory. By default it does. */
    readonly when?: readonly Text<keyof O>[];
    /** Field that lines of stacks begin with: there is an option that prints those instead of events. */
    readonly folded?: 'comm' & Text<keyof EventOf<S>>;
  };
  /** Events that are packets: there is an option that writes them to a file for programs that read such. */
  packet?(event: EventOf<S>): Packet;
  /**
   * Option that prints, at the end, how often each combination of these fields came up, instead of the events. Without
   * a flag that is printed behind the events.
   */
  readonly count?: {
    readonly flag?: string;
    readonly summary?: string;
    readonly by: readonly (Text<keyof EventOf<S>> | NoInfer<C>)[];
    /** Fields that are part of the key only together with an option (by key). */
    readonly when?: Readonly<Record<string, string>>;
    readonly header?: string;
  };
}

type Selection<E> =
  | ((events: readonly E[]) => readonly E[])
  | {
      take(events: readonly E[]): readonly E[];
      /** Asked each second, and at the end: what to show of what did not come. */
      missed(ended: boolean): readonly E[];
    };

/** The ring buffer whose struct is the row. */
export const RING = 'events';

const packetFile = text(
  '-w, --write <FILE>',
  "write packets to FILE in pcapng format instead; '-' is standard output",
  {
    group: 'output',
    completes: 'file',
    conflicts: ['json', 'view'],
  },
);

/** Size of the ring beside it, and how often that is looked at, in milliseconds, while there are no events. */
const BESIDE_BYTES = 1 << 20;
const BESIDE_EVERY = 100;
/** Milliseconds between questions for what was missed. */
const MISSED_EVERY = 1000;

/**
 * A tool that prints one line for each event: the records of the ring buffer `events`, whose struct is the row.
 * The compiler refuses an option, column or program that the object does not have.
 */
export function snoop<S extends SkeletonTypes, const O extends OptionsFor<S>, C extends string = never>(
  skeleton: Skeleton<S>,
  definition: SnoopDefinition<S, O & Options, C>,
): Tool {
  const { count } = definition;
  const specs = definition.columns as Readonly<Record<string, ColumnSpec | undefined>>;
  const options = withOwn(definition.options, {
    ...(count?.flag !== undefined && { count: flag(count.flag, count.summary ?? '') }),
    ...columnOptions(specs),
    ...commonOptions,
    ...(definition.packet !== undefined && { write: packetFile }),
    ...(definition.stacks !== undefined && { tableSize: stackTableSize, depth: stackDepth }),
    ...(definition.stacks?.folded !== undefined && { folded: foldedStacks }),
  });
  const stackTypes = stackFieldTypes(definition.stacks);
  const any = definition as unknown as AnySnoop;
  return {
    shape: 'snoop',
    ...commonParts(skeleton, any, options),
    columns: (values) => allColumns(specs, eventTypes(skeleton, any), values),
    schema: () => {
      const types = eventTypes(skeleton, any);
      const event = eventSchema(shownRecord(skeleton, any), types, stackTypes);
      return count === undefined
        ? event
        : { oneOf: [event, countSchema(types, count.by, Object.keys(count.when ?? {}))] };
    },
    run: (context) => run(skeleton, any, options, context),
  };
}

type AnySnoop = SnoopDefinition<SkeletonTypes, Options, string>;

/** @throws KscopeError failed for an object without events */
export function recordOf(skeleton: Skeleton): RowSchema {
  const record = objectSpec(skeleton).records.get(RING);
  if (record === undefined) {
    throw new KscopeError('failed', `the BPF object of ${skeleton.name} does not say what its events are`, {
      hint: `declare the ring buffer that they come by: EVENT_RING(${RING}, TAG), where struct TAG is the row`,
    });
  }
  return record;
}

/** The record without what only stacks are made of. */
function shownRecord(skeleton: Skeleton, { stacks }: Pick<AnySnoop, 'stacks'>): RowSchema {
  const record = recordOf(skeleton);
  const { caller, returns } = stacks?.hooked ?? {};
  const fields = record.fields.filter(({ name }) => name !== caller && name !== returns);
  return { ...record, fields };
}

/** The types of all fields that somebody is shown. */
function eventTypes(skeleton: Skeleton, definition: AnySnoop): FieldTypes {
  const computed = (definition.computed ?? {}) as Readonly<Record<string, ComputedField>>;
  return {
    ...fieldTypes(shownRecord(skeleton, definition), computed, definition.meanings),
    ...stackFieldTypes(definition.stacks),
  };
}

/** The types of the fields with stacks. */
function stackFieldTypes({ kernel, user }: StackFields = {}): FieldTypes {
  return {
    ...(kernel !== undefined && { [kernel]: stackType('kernel') as SemanticType }),
    ...(user !== undefined && { [user]: stackType('user') as SemanticType }),
  };
}

/** What a line of type event has. */
export function eventSchema(schema: RowSchema, types: FieldTypes, stackTypes: FieldTypes): JsonSchema {
  if (Object.hasOwn(types, 'type')) {
    throw new KscopeError('failed', "no field of an event can be named 'type': in JSON it says what the line is");
  }
  const own = jsonSchemaOf(schema);
  const stacks = Object.entries(stackTypes).map(([name, type]) => [name, type.schema]);
  const properties: Record<string, JsonSchema> = {
    type: { const: 'event' },
    ...own.properties,
    ...Object.fromEntries(stacks),
  };
  const required = ['type', ...(own.required ?? []).filter((name) => !Object.hasOwn(stackTypes, name))];
  for (const [name, type] of Object.entries(types)) {
    properties[name] ??= type.schema;
    properties[name] = { description: type.help, ...properties[name] };
  }
  return { type: 'object', properties, required };
}

/** The stacks of one event, as those of which there is one. */
function foldedStack(
  row: Row,
  name: string,
  { kernel = '', user = '' }: StackFields,
  types: FieldTypes,
): StacksMessage {
  const stackOf = (field: string) => (row[field] as Stack | undefined) ?? 'none';
  const one = { key: { [name]: row[name] }, kernel: stackOf(kernel), user: stackOf(user), weight: 1 };
  const type = types[name];
  return {
    type: 'stacks',
    time: now(),
    types: type === undefined ? {} : { [name]: type },
    unit: 'calls',
    stacks: [one],
  };
}

async function* run(
  skeleton: Skeleton,
  definition: AnySnoop,
  options: Options,
  context: RunContext,
): AsyncGenerator<Message, void, void> {
  const { values, signal } = context;
  const typedValues = values as OptionValues<Options>;
  const specs = definition.columns as Readonly<Record<string, ColumnSpec | undefined>>;
  const computed = Object.entries((definition.computed ?? {}) as Readonly<Record<string, ComputedField>>);
  const types = eventTypes(skeleton, definition);
  const counted = values.count === true || definition.count?.flag === undefined ? definition.count : undefined;
  const onlyCounts = counted?.flag !== undefined;
  // A form of text: JSON has the stacks in its events.
  const folded = values.folded === true && values.json !== true ? definition.stacks?.folded : undefined;
  const { columns, fields } = chosenColumns(specs, types, onlyCounts ? { ...values, fields: undefined } : values);
  const counts =
    counted === undefined
      ? undefined
      : new CountedRows(
          counted.by.filter((name) => counted.when?.[name] === undefined || values[counted.when[name]] === true),
        );

  // Before anybody is told that there is somebody to ask.
  const signals = definition.shownOn === undefined ? [] : [definition.shownOn];
  using demands =
    definition.shownOn === undefined && definition.select === undefined ? undefined : new Demands(...signals);
  using session = startDefined({ skeleton, definition, options, context }, (object) => {
    if (definition.stacks !== undefined) {
      const { when } = definition.stacks;
      const wanted = when === undefined || when.some((key) => values[key] === true);
      const stacks = wanted ? (values.tableSize as number | undefined) : 1;
      resizeStackTable(object, definition.stacks.table, { stacks, frames: values.depth as number | undefined });
    }
    const { beside } = definition;
    if (beside !== undefined) {
      object.map(beside.ring).maxEntries = values[beside.when] === true ? BESIDE_BYTES : pageSize();
    }
  });
  const stacks = definition.stacks && new EventStacks(session.object, definition.stacks);
  const ring = session.object.ring<Row>(RING);
  yield {
    type: 'ready',
    tool: skeleton.name,
    activity: activityOf(definition),
    time: now(),
    hooks: session.hooks,
    columns: onlyCounts || folded !== undefined ? [] : columns,
    types,
    ...(fields !== undefined && { fields }),
    ...(stacks !== undefined && fields === undefined && { stacks: stacks.fields }),
    ...(definition.packet !== undefined && { packet: definition.packet as (row: Row) => Packet }),
  };
  yield* warningsOf(definition, values);

  const selection = definition.select?.(session.object, typedValues) as Selection<Row> | undefined;
  const select = typeof selection === 'function' ? selection : selection?.take.bind(selection);
  const missed = typeof selection === 'object' ? selection.missed.bind(selection) : undefined;
  if (missed !== undefined) {
    demands?.every(MISSED_EVERY);
  }
  const { beside } = definition;
  const takeBeside = () => {
    const records = beside && values[beside.when] === true ? session.object.ring(beside.ring).drain(BESIDE_BYTES) : [];
    for (const record of records) {
      beside?.take(record as never, typedValues);
    }
  };
  function* shown(events: Row[]): Generator<Message, void, void> {
    takeBeside();
    const kept =
      definition.keep === undefined ? events : events.filter((row) => definition.keep?.(row as never, typedValues));
    yield* complete(select === undefined ? kept : [...select(kept)]);
  }
  function* complete(rows: Row[]): Generator<Message, void, void> {
    for (const row of stacks === undefined ? [] : rows) {
      stacks?.resolve(row as Record<string, unknown>);
    }
    compute(rows, computed, values);
    counts?.add(rows);
    if (folded !== undefined && stacks !== undefined) {
      for (const row of rows) {
        yield foldedStack(row, folded, stacks.fields, types);
      }
    } else if (!onlyCounts && rows.length > 0) {
      yield { type: 'events', rows };
    }
  }
  const { waiting, waitingOrder } = definition;
  const left = waiting === undefined ? undefined : session.object.map<unknown, Row>(waiting);
  const inOrder = (entries: [unknown, Row][]): Row[] => {
    const order = (row: Row) => (waitingOrder === undefined ? 0 : Number(row[waitingOrder]));
    return entries.map(([, row]) => row).sort((a, b) => Number(a.time) - Number(b.time) || order(a) - order(b));
  };
  const batches = ring.batches(signal, () => session.object.detach());
  const looking = beside && values[beside.when] === true ? setInterval(takeBeside, BESIDE_EVERY) : undefined;
  try {
    for await (const events of demands?.among(batches) ?? batches) {
      if (events === 'time') {
        yield* complete([...(missed?.(false) ?? [])]);
      } else {
        // yield* would wait several times for each message, and to learn that there is none.
        for (const message of shown(typeof events === 'string' ? inOrder(left?.drain() ?? []) : events)) {
          yield message;
        }
      }
      for (const lost of session.losses(false)) {
        yield lost;
      }
    }
  } finally {
    clearInterval(looking);
  }
  if (left !== undefined) {
    yield* shown(inOrder(left.entries()));
  }
  yield* complete([...(missed?.(true) ?? [])]);
  if (counts !== undefined && counted !== undefined) {
    const shown = allColumns(Object.fromEntries(counts.by.map((name) => [name, specs[name] ?? {}])), types);
    const counting = countTypes(types, counted.header);
    yield {
      type: 'table',
      time: now(),
      rows: counts.rows(),
      columns: [...shown, counting.column],
      types: counting.types,
      fields: [...counts.by, counting.column.name],
    };
  }
  yield* stacks?.warnings() ?? [];
  yield* session.losses(true);
}
