import type { Skeleton, SkeletonTypes } from '../bpf/skeleton.ts';
import { plainNumber } from '../model/derived-types.ts';
import { KscopeError } from '../model/errors.ts';
import type { FieldTypes, Message, Row } from '../model/message.ts';
import { type SemanticType, semanticType } from '../model/types.ts';
import { now } from '../system/clock.ts';
import { allColumns, type ColumnSpec, chosenColumns } from './columns.ts';
import { activityOf, type CommonDefinition, commonParts, type OptionsFor, type Text } from './common-definition.ts';
import { commonOptions } from './common-options.ts';
import type { RunContext, Tool } from './definition.ts';
import { intervalEnds, intervalPositionals } from './intervals.ts';
import { flag, type Options, type OptionValues, withOwn } from './options.ts';
import { tableSchema } from './top.ts';

/** A field of a listing: the name of its semantic type, or `integer` for one that may be negative, and what it means. */
export interface ListingField {
  readonly type: string;
  readonly help: string;
}

export interface ListingDefinition<S extends SkeletonTypes, O, F extends string> extends CommonDefinition<S, O> {
  /** Who may read what it lists. */
  readonly readBy: 'anybody' | 'root';
  readonly fields: Readonly<Record<F, ListingField>>;
  /** In the order of the text output. */
  readonly columns: { readonly [K in Text<NoInfer<F>>]?: ColumnSpec<unknown, Row, OptionValues<O>> };
  /** What there is. @throws KscopeError */
  rows(values: OptionValues<O>): readonly Readonly<Partial<Record<F, unknown>>>[];
  /** Seconds between outputs when the user gives none; without it, there is one output and no choice. */
  readonly interval?: number;
  /** What to print of an interval: of what there is at its end, and was at its beginning. */
  show?(
    rows: readonly Readonly<Partial<Record<F, unknown>>>[],
    before: readonly Readonly<Partial<Record<F, unknown>>>[],
    values: OptionValues<O>,
  ): readonly Readonly<Partial<Record<F, unknown>>>[];
}

type AnyListing = ListingDefinition<SkeletonTypes, Options, string>;

/** A tool that prints a table of what there is, once or at each interval, and finds it without a program in the kernel. */
export function listing<S extends SkeletonTypes, const O extends OptionsFor<S>, const F extends string>(
  skeleton: Skeleton<S>,
  definition: ListingDefinition<S, O & Options, F>,
): Tool {
  const any = definition as unknown as AnyListing;
  const specs = any.columns as Readonly<Record<string, ColumnSpec | undefined>>;
  const periodic = definition.interval !== undefined;
  const timestamp = flag('-T, --timestamp', 'print the time with each output', { group: 'output' });
  const options = withOwn(definition.options, { ...(periodic && { timestamp }), ...commonOptions });
  return {
    shape: 'listing',
    ...(definition.readBy === 'anybody' && { unprivileged: true }),
    ...commonParts(skeleton, any, options, periodic ? intervalPositionals : []),
    columns: (values) => allColumns(specs, typesOf(any), values),
    schema: () => tableSchema(typesOf(any)),
    run: (context) => run(skeleton, any, context),
  };
}

function typesOf({ fields }: AnyListing): FieldTypes {
  const types = Object.entries(fields).map(([name, { type, help }]) => {
    const semantic = type === 'integer' ? (plainNumber(type, true, true) as SemanticType) : semanticType(type);
    if (semantic === undefined) {
      throw new KscopeError('failed', `there is no type '${type}' for ${name}`);
    }
    return [name, { ...semantic, help }] as const;
  });
  return Object.fromEntries(types);
}

async function* run(
  skeleton: Skeleton,
  definition: AnyListing,
  { values, signal }: RunContext,
): AsyncGenerator<Message, void, void> {
  const types = typesOf(definition);
  const specs = definition.columns as Readonly<Record<string, ColumnSpec | undefined>>;
  const { columns, fields } = chosenColumns(specs, types, { ...values, time: undefined });
  const typed = values as OptionValues<Options>;
  let rows = definition.rows(typed);
  yield {
    type: 'ready',
    tool: skeleton.name,
    activity: activityOf(definition),
    time: now(),
    hooks: [],
    columns: [],
    types: {},
  };
  const table = (shown: readonly Row[]): Message => ({
    ...{ type: 'table', time: now(), columns, types, rows: shown },
    ...(fields !== undefined && { fields }),
  });
  if (definition.interval === undefined) {
    yield table(rows);
    return;
  }
  for await (const _ of intervalEnds(values, definition.interval, signal)) {
    const before = rows;
    rows = definition.rows(typed);
    yield { type: 'interval', time: now(), stamp: values.timestamp === true, clear: false };
    yield table(definition.show?.(rows, before, typed) ?? rows);
  }
}
