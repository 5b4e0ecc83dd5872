import type { Skeleton, SkeletonTypes } from '../bpf/skeleton.ts';
import { KscopeError } from '../model/errors.ts';
import type { JsonSchema } from '../model/json.ts';
import type { Column, Document, FieldTypes, Message } from '../model/message.ts';
import { now } from '../system/clock.ts';
import { loadAverages } from '../system/load.ts';
import { aggregate, mapRows, readyMessage } from './aggregate.ts';
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
import { type CommonDefinition, commonParts, type OptionsFor, type Text } from './common-definition.ts';
import { commonOptions } from './common-options.ts';
import type { RunContext, Tool } from './definition.ts';
import type { GrowingAmounts } from './deltas.ts';
import { intervalPositionals } from './intervals.ts';
import { choice, flag, integer, type Options, type OptionValues, withOwn } from './options.ts';
import { PERIOD, periodField } from './period.ts';

type RowOf<S extends SkeletonTypes, M extends keyof S['maps']> = S['maps'][M]['key'] & S['maps'][M]['value'];

export interface TopDefinition<S extends SkeletonTypes, O, M extends Text<keyof S['maps']>, C extends string>
  extends CommonDefinition<S, O> {
  /** Keys and values of the map are structures; amounts in the value only grow. */
  readonly map: M;
  readonly meanings?: Meanings<RowOf<S, M>>;
  /** In the order of the text output: fields of the key and of the value, as gains of the interval. */
  readonly columns: {
    readonly [K in Text<keyof RowOf<S, M>> | NoInfer<C>]?: ColumnSpec<
      K extends keyof RowOf<S, M> ? NonNullable<RowOf<S, M>[K]> : unknown,
      RowOf<S, M>,
      OptionValues<O>
    >;
  };
  readonly computed?: Readonly<Record<C, ComputedField<RowOf<S, M> & { readonly period?: number }, OptionValues<O>>>>;
  /** What `--sort` takes, the usual one first: a field, or a name with a function. */
  readonly sort: readonly (Text<keyof RowOf<S, M>> | NoInfer<C>)[];
  /** Other words for `--sort`, by bcc's custom: { all: 'bytes' }. */
  readonly sortAliases?: Readonly<Record<string, Text<keyof RowOf<S, M>> | NoInfer<C>>>;
  /** What to sort by when the user does not say, where that depends on other options. */
  usualSort?(values: OptionValues<O>): Text<keyof RowOf<S, M>> | NoInfer<C>;
  /** Option that prints the values that a column can have, and ends. */
  readonly list?: {
    readonly flag: string;
    readonly summary: string;
    readonly column: Text<keyof RowOf<S, M>> | NoInfer<C>;
    values(): readonly unknown[];
  };
  /** Rows printed when `--rows` does not say; undefined prints all. */
  readonly rows?: number;
  /** The same where other options say it. */
  rowsOf?(values: OptionValues<O>): number | undefined;
  /** Seconds between outputs when the user gives none; without it, one output at the end. */
  readonly interval?: number;
  /** Text is a screen that is replaced, with the load averages above; otherwise one table follows the other. */
  readonly screen?: boolean;
  /** Fields that have no value with these options: the program leaves them at 0. */
  absent?(values: OptionValues<O>): readonly Text<keyof RowOf<S, M>>[];
  /** The row of an interval in which nothing happened, for a tool that always has one: its amounts as zeros. */
  readonly idle?: { readonly [K in Text<keyof RowOf<S, M>>]?: number };
  /**
   * Text shows the amounts per second, below headers that say so; elsewhere they are those of the interval, with its
   * length as the field `period`.
   */
  readonly perSecond?: boolean;
  /**
   * Amounts of a value that the program adds to only now and then, such as times that go on: with what has come together
   * until `now` (nanoseconds of the monotonic clock), or nothing where there is no more than what was added.
   */
  growing?(value: S['maps'][M]['value'], now: bigint): Partial<S['maps'][M]['value']>;
  /**
   * What to print of the rows instead of a table, and what that leaves out; undefined prints the table. The option that
   * asks for it excludes the outputs that have rows: `conflicts: ['json', 'view', 'record']`.
   */
  document?(
    rows: readonly RowOf<S, M>[],
    values: OptionValues<O>,
  ): { readonly document: Document; readonly warnings: readonly string[] } | undefined;
  /** What the kernel cannot filter. */
  keep?(row: RowOf<S, M>, values: OptionValues<O>): boolean;
}

/** Rows for somebody who can scroll. */
const watchedRows = 1000;

type AnyTop = TopDefinition<SkeletonTypes, Options, string, string>;

/** A tool that prints a table of a map at each interval: who did how much, the most first. */
export function top<
  S extends SkeletonTypes,
  const O extends OptionsFor<S>,
  const M extends Text<keyof S['maps']>,
  C extends string = never,
>(skeleton: Skeleton<S>, definition: TopDefinition<S, O & Options, M, C>): Tool {
  const any = definition as unknown as AnyTop;
  const specs = any.columns as Readonly<Record<string, ColumnSpec | undefined>>;
  const options = withOwn(definition.options, { ...shapeOptions(any), ...columnOptions(specs), ...commonOptions });
  return {
    shape: 'top',
    ...commonParts(skeleton, any, options, intervalPositionals),
    screen: any.screen === true,
    columns: (values) => allColumns(specs, rowTypes(skeleton, any), values),
    schema: () => tableSchema(rowTypes(skeleton, any)),
    run: (context) => run(skeleton, any, options, context),
  };
}

function shapeOptions(definition: AnyTop): Options {
  const names = [...definition.sort, ...Object.keys(definition.sortAliases ?? {})];
  const usual = definition.rows === undefined ? 'all' : String(definition.rows);
  const taken = Object.values(definition.options).some(({ flags }) => flags.startsWith('-S,'));
  return {
    sort: choice('-s, --sort <FIELD>', 'the column to sort by', names, {
      // Where it is not the letter of something else.
      ...(definition.screen !== true && !taken && { hidden: ['-S'] }),
      group: 'output',
    }),
    rows: integer('-r, --rows <COUNT>', `print at most this many rows; usually ${usual}`, {
      min: 1,
      hidden: ['--maxrows'],
      group: 'output',
    }),
    timestamp: flag('-T, --timestamp', 'print the time with each output', { group: 'output' }),
    ...(definition.list !== undefined && { list: flag(definition.list.flag, definition.list.summary) }),
    ...(definition.screen === true && {
      noClear: flag('-C, --no-clear', 'print one table after the other, and no live view', {
        hidden: ['--noclear'],
        group: 'output',
      }),
      noSummary: flag('-S, --no-summary', 'print no line with time and load averages', {
        hidden: ['--nosummary'],
        group: 'output',
      }),
    }),
  };
}

function rowTypes(skeleton: Skeleton, definition: AnyTop): FieldTypes {
  const { key, value } = mapRows(skeleton, definition.map);
  const { meanings } = definition;
  const computed = (definition.computed ?? {}) as Readonly<Record<string, ComputedField>>;
  return {
    ...(key === undefined ? {} : fieldTypes(key, {}, meanings)),
    ...fieldTypes(value, { ...computed, ...(definition.perSecond === true && periodField) }, meanings),
  };
}

/** The schema of a line with a table of these fields. */
export function tableSchema(types: FieldTypes): JsonSchema {
  const properties = Object.entries(types).map(([name, type]) => [name, { description: type.help, ...type.schema }]);
  return {
    type: 'object',
    properties: {
      type: { const: 'table' },
      time: { description: 'when it was printed', type: 'string', format: 'date-time' },
      rows: { type: 'array', items: { type: 'object', properties: Object.fromEntries(properties) } },
    },
    required: ['type', 'time', 'rows'],
    additionalProperties: false,
  };
}

async function* run(
  skeleton: Skeleton,
  definition: AnyTop,
  options: Options,
  context: RunContext,
): AsyncGenerator<Message, void, void> {
  const { values } = context;
  const typed = values as OptionValues<Options>;
  const types = rowTypes(skeleton, definition);
  const specs = definition.columns as Readonly<Record<string, ColumnSpec | undefined>>;
  const chosen = chosenColumns(specs, types, values);
  const { fields } = chosen;
  const columns = definition.perSecond === true ? chosen.columns.map(perSecond) : chosen.columns;
  let since = 0;
  const computed = Object.entries((definition.computed ?? {}) as Readonly<Record<string, ComputedField>>);
  const wanted = (values.sort as string | undefined) ?? definition.usualSort?.(typed) ?? definition.sort[0];
  const by = definition.sortAliases?.[wanted ?? ''] ?? wanted;
  if (by === undefined) {
    throw new KscopeError('failed', `${skeleton.name} does not say what to sort by`);
  }
  const key = mapRows(skeleton, definition.map).key?.fields.map(({ name }) => name) ?? ['key'];
  const usual = context.refresh === undefined ? definition.rows : watchedRows;
  const limit = (values.rows as number | undefined) ?? definition.rowsOf?.(typed) ?? usual ?? Number.POSITIVE_INFINITY;

  const listed = values.list === true ? definition.list : undefined;
  if (listed !== undefined) {
    yield {
      type: 'table',
      time: now(),
      columns: columns.filter(({ name }) => name === listed.column),
      types,
      rows: listed.values().map((value) => ({ [listed.column]: value })),
      fields: [listed.column],
    };
    return;
  }

  yield* aggregate({
    skeleton,
    map: definition.map,
    options,
    context,
    definition,
    ...(definition.interval !== undefined && { usualInterval: definition.interval }),
    ...(definition.growing !== undefined && { growing: definition.growing as GrowingAmounts }),
    ready: (session) => {
      since = performance.now();
      return readyMessage({ skeleton, definition }, session);
    },
    *messages(gains) {
      const time = now();
      const rows = (gains as Record<string, unknown>[]).filter((row) => definition.keep?.(row as never, typed) ?? true);
      if (rows.length === 0 && definition.idle !== undefined) {
        rows.push({ ...definition.idle });
      }
      if (definition.perSecond === true) {
        const period = Math.round((performance.now() - since) * 1e6);
        since = performance.now();
        for (const row of rows) {
          row[PERIOD] = period;
        }
      }
      for (const name of definition.absent?.(typed) ?? []) {
        for (const row of rows) {
          delete row[name];
        }
      }
      compute(rows, computed, values);
      const written = definition.document?.(rows as never, typed);
      for (const text of written?.warnings ?? []) {
        yield { type: 'warning', text };
      }
      const screen = definition.screen === true;
      const summary = screen && values.noSummary !== true;
      yield {
        type: 'interval',
        time,
        stamp: summary || values.timestamp === true,
        clear: screen && values.noClear !== true,
        ...(summary && { heading: loadAverages() }),
      };
      yield {
        type: 'table',
        time,
        columns,
        types,
        rows: rows.sort((a, b) => compare(b[by], a[by])).slice(0, limit),
        key,
        sort: by,
        ...(fields !== undefined && { fields }),
        ...(written !== undefined && { document: written.document }),
      };
    },
  });
}

/** An amount as so much in each second. */
function perSecond(column: Column): Column {
  const { type, header, text } = column;
  return type.additive !== true || text !== undefined || column.name === PERIOD
    ? column
    : {
        ...column,
        header: `${header}/s`,
        text: (value, row) => String(Math.round((Number(value) * 1e9) / (row[PERIOD] as number))),
      };
}

/** Numbers by size, anything else by its text. */
function compare(a: unknown, b: unknown): number {
  return typeof a === 'number' && typeof b === 'number' ? a - b : String(b ?? '').localeCompare(String(a ?? ''), 'en');
}
