import type { Skeleton, SkeletonTypes } from '../bpf/skeleton.ts';
import { stackType } from '../model/frames.ts';
import type { Message, Row } from '../model/message.ts';
import type { SemanticType } from '../model/types.ts';
import { compilePlace, type EventDetails, startPrograms } from '../probes/compile.ts';
import type { Specification } from '../probes/parse-specification.ts';
import { bootToEpochMicros, now } from '../system/clock.ts';
import { allColumns, type ColumnSpec, chosenColumns, columnOptions } from './columns.ts';
import { commonParts } from './common-definition.ts';
import { commonOptions } from './common-options.ts';
import { CountedRows, countSchema, countTypes } from './count.ts';
import type { RunContext, Tool } from './definition.ts';
import { EventStacks } from './event-stacks.ts';
import {
  type GeneratedDefinition,
  generatedRecords,
  headTypes,
  STUB,
  typedEventSchema,
  typeOf,
} from './generated-events.ts';
import { type Options, withOwn } from './options.ts';
import { ProbeRows, valuesType } from './probe-rows.ts';
import { programListing, programTypes } from './program-listing.ts';
import { Session } from './session.ts';
import { resizeStackTable, stackTableSize } from './stack-symbols.ts';
import { taskFilterOf } from './task-filter.ts';
import { tableSchema } from './top.ts';

export interface ProbeEventsDefinition extends GeneratedDefinition {
  /** Has `probes`, whose value is a list of specifications; what else is obeyed is in `ProbeEventValues`. */
  readonly options: Options;
}

interface ProbeEventValues {
  readonly probes: readonly Specification[];
  readonly pid?: number;
  readonly force?: boolean;
  readonly includeSelf?: boolean;
  readonly stringSize?: number;
  readonly binary?: boolean;
  readonly kernelStack?: boolean;
  readonly userStack?: boolean;
  readonly commContains?: string;
  readonly messageContains?: string;
  readonly maxEvents?: number;
  /** Addresses are written before the names in stacks. */
  readonly addresses?: boolean;
  readonly aggregate?: boolean;
  /** Times in seconds from the start, or from the epoch. */
  readonly elapsed?: boolean;
  readonly unix?: boolean;
  readonly tableSize?: number;
  /** Only the programs are wanted: they are listed, and nothing is traced. */
  readonly listPrograms?: boolean;
}

const TEXT = 80;

const types = {
  ...headTypes,
  func: typeOf('text_t', 'function, event or probe'),
  message: typeOf('maybe_text_t', 'what the format of the specification makes of the values'),
  values: valuesType as SemanticType,
  kernel_stack: stackType('kernel') as SemanticType,
  user_stack: stackType('user') as SemanticType,
};

const specs = (start: { time: number }): Readonly<Record<string, ColumnSpec>> => ({
  time: {
    flag: '-T, --clock',
    summary: 'show the time of day',
    text: (value, _, values) => timeText(value, values, start),
  },
  cpu: { flag: '-C, --print-cpu', hidden: ['--print_cpu'] },
  pid: {},
  tid: {},
  comm: {},
  func: { width: 16 },
  message: { when: 'hasMessage', header: '-' },
});

function timeText(value: unknown, values: Readonly<Record<string, unknown>>, start: { time: number }): string {
  const micros = value as number;
  return ((values.unix === true ? micros : micros - start.time) / 1e6).toFixed(6);
}

/** A tool whose programs are written at run time, from specifications of what is traced and printed. */
export function probeEvents<S extends SkeletonTypes>(skeleton: Skeleton<S>, definition: ProbeEventsDefinition): Tool {
  const fixed = specs({ time: 0 });
  const options = withOwn(definition.options, { ...columnOptions(fixed), ...commonOptions, tableSize: stackTableSize });
  return {
    shape: 'custom',
    ...commonParts(skeleton, definition, options),
    columns: () => allColumns(fixed, types),
    schema: () => ({
      oneOf: [
        typedEventSchema(types),
        countSchema(types, counted, ['message', 'cpu', 'kernel_stack', 'user_stack']),
        tableSchema(programTypes),
      ],
    }),
    run: (context) => run(skeleton, options, context),
  };
}

const counted = ['cpu', 'pid', 'tid', 'comm', 'func', 'message', 'kernel_stack', 'user_stack'];

async function* run(skeleton: Skeleton, options: Options, context: RunContext): AsyncGenerator<Message, void, void> {
  const values = context.values as unknown as ProbeEventValues;
  const { probes, kernelStack = false, userStack = false, maxEvents = Number.POSITIVE_INFINITY } = values;
  const start = { time: 0 };
  const inSeconds = values.elapsed === true || values.unix === true;
  const own = specs(start);
  const { text, ...time } = own.time as ColumnSpec;
  const columnSpecs = { ...own, time: inSeconds && text !== undefined ? { ...time, text, width: 14 } : time };
  const given = {
    ...context.values,
    hasMessage: probes.some(({ format }) => format !== undefined),
    ...(inSeconds && { show_time: true }),
  };
  const aggregate = values.aggregate === true;
  const { columns, fields } = chosenColumns(columnSpecs, types, aggregate ? { ...given, fields: undefined } : given);
  const details: Omit<EventDetails, 'filter'> = {
    dialect: { bytes: values.binary === true },
    search: { pid: values.pid, force: values.force === true },
    room: values.stringSize ?? TEXT,
    kernelStack,
    userStack,
  };
  // What is wrong with them is said before anything is loaded.
  const places = probes.map((probe) => compilePlace(probe, { ...details, filter: {} }));
  const ignored = values.includeSelf === true ? undefined : process.pid;
  if (values.listPrograms === true) {
    yield* programListing(skeleton.name, places, context.values, (maps) => ({
      ...details,
      filter: taskFilterOf(maps, context.values, ignored),
    }));
    return;
  }
  using session = Session.start({
    skeleton,
    options,
    context,
    rules: {},
    prepare: (object) =>
      resizeStackTable(object, 'stacks', { stacks: kernelStack || userStack ? values.tableSize : 1 }),
    generated: {
      stub: STUB,
      start: (object, file) => {
        const filter = taskFilterOf(object, context.values, ignored);
        return startPrograms(object, file, STUB, places, { ...details, filter });
      },
    },
  });
  const stacks =
    kernelStack || userStack
      ? new EventStacks(session.object, {
          table: 'stacks',
          process: 'pid',
          anywhere: true,
          ...(kernelStack && { kernel: 'kernel_stack' }),
          ...(userStack && { user: 'user_stack' }),
          ...(values.addresses === true && { addresses: true }),
        })
      : undefined;
  const ring = generatedRecords(session.object);
  start.time = now();
  yield {
    type: 'ready',
    tool: skeleton.name,
    activity: `Tracing ${probes.map(({ place, text: all }) => all.slice(place.start, place.end)).join(', ')}`,
    time: start.time,
    hooks: session.hooks,
    columns: aggregate ? [] : columns,
    types,
    ...(fields !== undefined && { fields }),
    ...(stacks !== undefined && fields === undefined && { stacks: stacks.fields }),
  };

  const rows = new ProbeRows(places);
  const by = counted.filter(
    (name) =>
      columns.some((one) => one.name === name) || stacks?.fields.kernel === name || stacks?.fields.user === name,
  );
  const counts = aggregate ? new CountedRows(by) : undefined;
  let seen = 0;
  for await (const records of ring.batches(context.signal, () => session.detach())) {
    const bootToEpoch = bootToEpochMicros();
    const shown: Row[] = [];
    for (const record of records) {
      const row = rows.row(record, bootToEpoch) as Record<string, unknown> | undefined;
      if (row === undefined || !wanted(row, values) || seen + shown.length >= maxEvents) {
        continue;
      }
      withStacks(row, stacks);
      shown.push(row);
    }
    seen += shown.length;
    if (counts !== undefined) {
      counts.add(shown);
    } else if (shown.length > 0) {
      yield { type: 'events', rows: shown };
    }
    for (const lost of session.losses(false)) {
      yield lost;
    }
    if (seen >= maxEvents) {
      break;
    }
  }
  if (counts !== undefined) {
    const counting = countTypes(types);
    yield {
      type: 'table',
      time: now(),
      rows: counts.rows(),
      columns: [...columns.filter(({ name }) => by.includes(name)), counting.column],
      types: counting.types,
      fields: [...by, counting.column.name],
      ...(stacks !== undefined && { stacks: stacks.fields }),
    };
  }
  yield* stacks?.warnings() ?? [];
  yield* session.losses(true);
}

function withStacks(row: Record<string, unknown>, stacks: EventStacks | undefined): void {
  stacks?.resolve(row);
  for (const name of ['kernel_stack', 'user_stack']) {
    if (stacks?.fields.kernel !== name && stacks?.fields.user !== name) {
      row[name] = undefined;
    }
  }
}

function wanted(
  { comm, message }: Record<string, unknown>,
  { commContains, messageContains }: ProbeEventValues,
): boolean {
  return (
    (commContains === undefined || String(comm).includes(commContains)) &&
    (messageContains === undefined || String(message ?? '').includes(messageContains))
  );
}
