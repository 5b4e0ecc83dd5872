import { probeFeature } from '../bpf/features.ts';
import type { Skeleton, SkeletonTypes } from '../bpf/skeleton.ts';
import { KscopeError } from '../model/errors.ts';
import type { Message, Row } from '../model/message.ts';
import type { SemanticType } from '../model/types.ts';
import { compileCalls, declarationOf, startCalls } from '../probes/compile-calls.ts';
import { type FunctionValues, parseFunctionValues } from '../probes/parse-function-values.ts';
import { bootToEpochMicros, now } from '../system/clock.ts';
import { CallRows, callValues } from './call-rows.ts';
import { allColumns, type ColumnSpec, chosenColumns, columnOptions } from './columns.ts';
import { commonParts } from './common-definition.ts';
import { commonOptions } from './common-options.ts';
import type { RunContext, Tool } from './definition.ts';
import {
  type GeneratedDefinition,
  generatedRecords,
  headTypes,
  STUB,
  typedEventSchema,
  typeOf,
} from './generated-events.ts';
import { type Option, type Options, withOwn } from './options.ts';
import { Session } from './session.ts';
import { taskFilterOf } from './task-filter.ts';
import { tableSchema } from './top.ts';

export interface CallsDefinition extends GeneratedDefinition {
  /** Has `functions`, a list of `functionValues`; what else is obeyed is in `CallsValues`. */
  readonly options: Options;
  /** Words that may come before the functions, and say what is wanted: calls, how functions are declared, or help. */
  readonly words: Words;
}

type Words = Readonly<Record<string, 'calls' | 'declarations' | 'help'>>;

interface CallsValues {
  readonly functions: readonly FunctionValues[];
  /** Functions count only when they call each other in the order in which they are given. */
  readonly ordered?: boolean;
  /** Bytes of a structure that are read. */
  readonly structureSize?: number;
  readonly zeros?: boolean;
}

/** Functions of the kernel with those of their values that are shown; a word may be before them. */
export const functionValues: Option<readonly FunctionValues[] | undefined, never> = {
  flags: '<function...>',
  summary: "functions, with what is shown of them: 'vfs_read(file, count > 4096, return)'",
  // One of them: the command line makes a list.
  parse: parseFunctionValues as never,
};

const ROOM = 1024;

const nested = (help: string): SemanticType => ({
  ...typeOf('maybe_text_t', help),
  typescript: 'Readonly<Record<string, unknown>>',
  schema: { type: 'object' },
  text: (value) => JSON.stringify(value),
});
const types = {
  ...headTypes,
  event: typeOf('text_t', 'entry or return'),
  func: typeOf('text_t', 'name of the function'),
  values: callValues(false) as SemanticType,
  addresses: nested('of values that are pointers, where they point'),
  partial: nested('of structures that were read in part, how many of their bytes'),
};
const declarations = {
  func: types.func,
  prototype: typeOf('text_t', 'how C declares the function'),
};

const specs: Readonly<Record<string, ColumnSpec>> = {
  time: {},
  cpu: {},
  pid: {},
  comm: {},
  func: {
    width: 16,
    text: (name, { event }) => (event === 'return' ? `${name} returns` : String(name)),
  },
};

/** A tool that shows values of the kernel's functions as the types are that they have. */
export function calls<S extends SkeletonTypes>(skeleton: Skeleton<S>, definition: CallsDefinition): Tool {
  const options = withOwn(definition.options, { ...columnOptions(specs), ...commonOptions });
  return {
    shape: 'custom',
    helpWords: Object.keys(definition.words).filter((word) => definition.words[word] === 'help'),
    ...commonParts(
      skeleton,
      { ...definition, attach: { lacks: (values) => lacks(definition.words, values) } },
      options,
    ),
    columns: () => allColumns(specs, types),
    schema: () => ({ oneOf: [typedEventSchema(types), tableSchema(declarations)] }),
    run: (context) => run(skeleton, options, definition.words, context),
  };
}

/** What this kernel lacks to show calls; to show how functions are declared it needs nothing. */
function lacks(words: Words, values: object): string | undefined {
  const { functions = [] } = values as Partial<CallsValues>;
  const { supported, reason } = probeFeature('kprobe');
  const able = supported !== false || probeFeature('fentry').supported === true;
  return able || wanted(words, functions).what === 'declarations' ? undefined : reason;
}

/** What is wanted of which functions; the beginning of a word is enough. @throws KscopeError usage for a word alone */
function wanted(words: Words, given: readonly FunctionValues[]) {
  const [first, ...others] = given;
  const name = first?.values === undefined ? first?.place.name : undefined;
  const word = Object.keys(words).find((one) => words[one] !== 'help' && name !== undefined && one.startsWith(name));
  if (word !== undefined && others.length === 0) {
    throw new KscopeError('usage', `'${name}' needs the name of a function`);
  }
  return word === undefined ? { what: 'calls', functions: given } : { what: words[word], functions: others };
}

async function* run(
  skeleton: Skeleton,
  options: Options,
  words: Words,
  context: RunContext,
): AsyncGenerator<Message, void, void> {
  const values = context.values as unknown as CallsValues;
  const { what, functions } = wanted(words, values.functions);
  const time = now();
  if (what === 'declarations') {
    const rows = functions.map((one) => ({ func: one.place.name, prototype: `${declarationOf(one)};` }));
    const { columns, fields } = chosenColumns({ prototype: {} }, declarations, values as never);
    const ready = { type: 'ready', tool: skeleton.name, activity: 'Listing functions', time, hooks: [] } as const;
    yield { ...ready, columns: [], types: {} };
    yield { type: 'table', time, columns, types: declarations, rows, ...(fields !== undefined && { fields }) };
    return;
  }
  const ordered = values.ordered === true;
  const missing = lacks(words, values);
  const details = { ordered, room: values.structureSize ?? ROOM };
  // What is wrong with them is said before anything is loaded.
  const compiled = missing === undefined ? functions.map((one) => compileCalls(one, details)) : [];
  using session = Session.start({
    skeleton,
    options,
    context,
    rules: missing === undefined ? {} : { lacks: missing },
    generated: {
      stub: STUB,
      start: (object, file) =>
        startCalls(object, file, STUB, compiled, taskFilterOf(object, context.values, process.pid)),
    },
  });
  const ring = generatedRecords(session.object);
  const { columns, fields } = chosenColumns(specs, types, context.values);
  yield {
    type: 'ready',
    tool: skeleton.name,
    activity: `Tracing ${functions.map(({ place }) => place.name).join(', ')}`,
    time: now(),
    hooks: session.hooks,
    columns,
    types: { ...types, values: callValues(values.zeros === true) as SemanticType },
    ...(fields !== undefined && { fields }),
  };
  const calls = new CallRows(compiled, ordered);
  for await (const records of ring.batches(context.signal, () => session.detach())) {
    const bootToEpoch = bootToEpochMicros();
    const rows: Row[] = records.flatMap((record) => calls.rows(record, bootToEpoch));
    if (rows.length > 0) {
      yield { type: 'events', rows };
    }
    for (const lost of session.losses(false)) {
      yield lost;
    }
  }
  yield* session.losses(true);
}
