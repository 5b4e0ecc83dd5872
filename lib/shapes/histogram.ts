import type { Skeleton, SkeletonTypes } from '../bpf/skeleton.ts';
import { framesSchema } from '../model/frames.ts';
import type { JsonSchema } from '../model/json.ts';
import type { FieldTypes, Message, Row } from '../model/message.ts';
import type { Unit } from '../model/units.ts';
import { now } from '../system/clock.ts';
import { aggregate, mapRows, readyMessage, type ShowingSignals } from './aggregate.ts';
import { allColumns, type ColumnSpec, type ComputedField, fieldTypes, type Meanings } from './columns.ts';
import { type CommonDefinition, commonParts, type OptionsFor, type Text } from './common-definition.ts';
import { commonOptions } from './common-options.ts';
import type { RunContext, Tool } from './definition.ts';
import {
  distributionPrinter,
  type Printer,
  percentilePrinter,
  percentileSchema,
  STACK,
  sharePrinter,
  shareSpecs,
  shareTypes,
  statistics,
  totalSpecs,
  totalsPrinter,
  totalTypes,
} from './histogram-printers.ts';
import { intervalPositionals } from './intervals.ts';
import { flag, type Options, type OptionValues, withOwn } from './options.ts';
import { resizeStackTable, StackSymbols, stackDepth, stackTableOf, stackTableSize } from './stack-symbols.ts';
import { tableSchema } from './top.ts';

type RowOf<S extends SkeletonTypes, M extends keyof S['maps']> = S['maps'][M]['key'] & S['maps'][M]['value'];
type Values = Readonly<Record<string, unknown>>;
type Specs = Readonly<Record<string, ColumnSpec>>;

/** How a part of the key is shown; `when` are the options (by key) any of which asks for it. */
export interface KeySpec<Values = never> extends Omit<ColumnSpec<never, never, Values>, 'when' | 'flag' | 'summary'> {
  readonly when?: readonly string[];
  /** Key of an option with which there is no such part. */
  readonly unless?: string;
}

export interface HistogramDefinition<S extends SkeletonTypes, O, M extends Text<keyof S['maps']>, C extends string>
  extends CommonDefinition<S, O> {
  /** Made with HISTOGRAMS in the program: a `struct hist` for each key. */
  readonly map: M;
  /** What the values are shown in. The program adds nanoseconds or bytes, and leaves the division to `hist_unit`. */
  unit(values: OptionValues<O>): Unit;
  /** Width of the buckets; without it, or when it returns undefined, they are powers of two. */
  step?(values: OptionValues<O>): number | undefined;
  readonly meanings?: Meanings<RowOf<S, M>>;
  /** Fields of key or value that tell histograms apart. */
  readonly keys?: { readonly [K in Text<keyof RowOf<S, M>> | NoInfer<C>]?: KeySpec<OptionValues<O>> };
  readonly computed?: Readonly<Record<C, ComputedField<RowOf<S, M>, OptionValues<O>>>>;
  /** Member of the key that is the id of a kernel stack, which is shown with the histogram, and the table it is in. */
  readonly kernelStack?: { readonly id: Text<keyof S['maps'][M]['key']>; readonly table: Text<keyof S['maps']> };
  /** The same of a user stack; `process` is the member that tells in which process the addresses are. */
  readonly userStack?: {
    readonly id: Text<keyof S['maps'][M]['key']>;
    readonly process: Text<keyof S['maps'][M]['key']>;
    readonly table: Text<keyof S['maps']>;
  };
  /** What the kernel cannot filter. */
  keep?(row: RowOf<S, M>, values: OptionValues<O>): boolean;
  /** Prints a table of percentiles instead of distributions, which need not be asked for; maps are of `struct fine_hist`. */
  percentiles?(values: OptionValues<O>): readonly number[];
  /** Average, total, count and percentiles come with every distribution, not only when they are asked for. */
  readonly detailed?: boolean;
  /** Seconds between outputs when the user gives none; without it, one output at the end. */
  readonly interval?: number;
  readonly shownOn?: ShowingSignals;
  /** Usually a table of how many values there were and of their sum; `--dist` asks for the distributions. */
  readonly totals?: {
    /** Key of an option with which values are only counted. */
    readonly countsWhen?: string;
  };
  /**
   * Option that prints, instead of distributions with a bucket of their own for 0, what share of the values is above 0.
   */
  readonly share?: { readonly flag: string; readonly summary: string; readonly help: string; readonly header: string };
}

const timeOption = {
  timestamp: flag('-T, --timestamp', 'print the time with each output', { group: 'output' }),
};
const detailsOption = {
  details: flag('-e, --extension', 'also print average, total, count and percentiles', { group: 'output' }),
};

type AnyHistogram = HistogramDefinition<SkeletonTypes, Options, string, string>;

/**
 * A tool that prints distributions, counted in the kernel, or totals of them: at each interval, or once at the end.
 */
export function histogram<
  S extends SkeletonTypes,
  const O extends OptionsFor<S>,
  const M extends Text<keyof S['maps']>,
  C extends string = never,
>(skeleton: Skeleton<S>, definition: HistogramDefinition<S, O & Options, M, C>): Tool {
  const any = definition as unknown as AnyHistogram;
  const options = withOwn(definition.options, {
    ...(any.totals !== undefined && { dist: distOption(any.totals) }),
    ...(any.share !== undefined && { share: flag(any.share.flag, any.share.summary, { group: 'output' }) }),
    ...timeOption,
    ...(any.percentiles === undefined && any.detailed !== true && detailsOption),
    ...(stackOf(any) !== undefined && { tableSize: stackTableSize, depth: stackDepth }),
    ...commonOptions,
  });
  return {
    shape: 'histogram',
    ...commonParts(skeleton, any, options, intervalPositionals),
    columns: (values) =>
      allColumns(
        {
          ...keySpecs(any),
          ...(any.totals !== undefined && totalSpecs(values && any.unit(values as never))),
          ...(any.percentiles !== undefined && { count: {} }),
          ...(any.share !== undefined && values?.share === true && shareSpecs(any.share)),
        },
        { ...keyTypes(skeleton, any), ...totalTypes, ...shareTypes(any.share) },
        values,
      ),
    schema: () => {
      const types = keyTypes(skeleton, any);
      if (any.percentiles !== undefined) {
        return percentileSchema(types);
      }
      const distribution = histogramSchema(types, stackOf(any)?.whose);
      const tables = [
        ...(any.totals === undefined ? [] : [{ ...types, ...totalTypes }]),
        ...(any.share === undefined ? [] : [{ ...types, ...shareTypes(any.share) }]),
      ];
      const kinds = [...tables.map(tableSchema), distribution];
      // What is usual comes first.
      return tables.length === 0 ? distribution : { oneOf: any.totals === undefined ? kinds.reverse() : kinds };
    },
    run: (context) => run(skeleton, any, options, context),
  };
}

function distOption({ countsWhen }: NonNullable<AnyHistogram['totals']>) {
  return flag('-d, --dist', 'print distributions instead of totals', {
    group: 'output',
    hidden: ['--distributed'],
    ...(countsWhen !== undefined && { conflicts: [countsWhen] }),
  });
}

/** The keys that an option asks for, or all. */
function keySpecs(definition: AnyHistogram, values?: Values): Specs {
  const all = (definition.keys ?? {}) as Readonly<Record<string, KeySpec>>;
  const shown = Object.entries(all).filter(
    ([, { when, unless }]) =>
      values === undefined ||
      ((when === undefined || when.some((key) => isOn(values[key]))) && !isOn(values[unless ?? ''])),
  );
  return Object.fromEntries(shown.map(([name, { when: _, unless: __, ...spec }]) => [name, spec])) as unknown as Specs;
}

function isOn(value: unknown): boolean {
  return value !== undefined && value !== false;
}

function computedFields(definition: AnyHistogram): Readonly<Record<string, ComputedField>> {
  return (definition.computed ?? {}) as Readonly<Record<string, ComputedField>>;
}

function keyTypes(skeleton: Skeleton, definition: AnyHistogram): FieldTypes {
  const { key, value } = mapRows(skeleton, definition.map);
  const { meanings } = definition;
  const all = {
    ...(key === undefined ? {} : fieldTypes(key, {}, meanings)),
    ...fieldTypes(value, computedFields(definition), meanings),
  };
  // Other parts are the program's own business.
  return Object.fromEntries(
    Object.keys(keySpecs(definition)).flatMap((name) => (all[name] ? [[name, all[name]]] : [])),
  );
}

export function histogramSchema(types: FieldTypes, whose: 'kernel' | 'user' | undefined): JsonSchema {
  const number = (description: string): JsonSchema => ({ description, type: 'number', minimum: 0 });
  const bucket: JsonSchema = {
    type: 'object',
    properties: { from: number('least value'), to: number('greatest value'), count: number('how many of them') },
    required: ['from', 'to', 'count'],
    additionalProperties: false,
  };
  const keys = Object.entries(types).map(([name, type]) => [name, { description: type.help, ...type.schema }]);
  return {
    type: 'object',
    properties: {
      type: { const: 'histogram' },
      time: { description: 'end of the interval', type: 'string', format: 'date-time' },
      ...Object.fromEntries(keys),
      unit: { description: 'of the values', type: 'string' },
      buckets: { description: 'ranges of values, from 0 to the last that is not empty', type: 'array', items: bucket },
      count: number('how many values there were'),
      total: number('their sum'),
      average: number('their average'),
      p50: number('what half of them do not exceed, as near as the buckets tell'),
      p90: number('what 90 % of them do not exceed'),
      p99: number('what 99 % of them do not exceed'),
      ...(whose !== undefined && {
        [whose]: {
          description: `${whose} stack, innermost frame first; absent when it could not be kept`,
          ...framesSchema,
        },
      }),
    },
    required: ['type', 'time', ...statistics],
    additionalProperties: false,
  };
}

async function* run(
  skeleton: Skeleton,
  definition: AnyHistogram,
  options: Options,
  context: RunContext,
): AsyncGenerator<Message, void, void> {
  const { values } = context;
  const typed = values as OptionValues<Options>;
  const unit = definition.unit(typed);
  const printed = printer(skeleton, definition, unit, values);
  const computed = Object.entries(computedFields(definition));
  const stack = stackOf(definition);
  let symbols: StackSymbols | undefined;

  yield* aggregate({
    skeleton,
    map: definition.map,
    options,
    context,
    definition: {
      ...definition,
      prepare(object, given) {
        object.globals.set('hist_unit', unit.size);
        if (stack !== undefined) {
          const { tableSize, depth } = values as { tableSize?: number; depth?: number };
          resizeStackTable(object, stack.table, { stacks: tableSize, frames: depth });
        }
        definition.prepare?.(object, given);
      },
    },
    ...(definition.interval !== undefined && { usualInterval: definition.interval }),
    ...(definition.shownOn !== undefined && { shownOn: definition.shownOn }),
    ready: (session) => ({
      ...readyMessage({ skeleton, definition }, session),
      ...(printed.lineFields !== undefined && { fields: printed.lineFields }),
    }),
    *messages(rows, { object }) {
      const time = now();
      yield { type: 'interval', time, stamp: values.timestamp === true, clear: false };
      const kept = definition.keep === undefined ? rows : rows.filter((row) => definition.keep?.(row as never, typed));
      const named = kept.map((row) => ({
        ...row,
        ...Object.fromEntries(computed.map(([name, field]) => [name, field.value(row, values)])),
      }));
      if (stack === undefined) {
        yield* printed.messages(named, time);
        return;
      }
      symbols ??= new StackSymbols(stackTableOf(object, stack.table));
      const stacks = symbols;
      const resolved = named.map(
        (row: Row): Row => ({
          ...row,
          [STACK]: {
            [stack.whose]:
              stack.whose === 'kernel'
                ? stacks.kernel(row[stack.id] as number)
                : stacks.userNow(row[stack.process ?? ''] as number, row[stack.id] as number),
          },
        }),
      );
      yield* printed.messages(resolved, time);
    },
  });
}

/** The stack that belongs to each key, when one does. */
function stackOf({ kernelStack, userStack }: AnyHistogram) {
  return kernelStack !== undefined
    ? { whose: 'kernel' as const, process: undefined, ...kernelStack }
    : userStack && { whose: 'user' as const, ...userStack };
}

function printer(skeleton: Skeleton, definition: AnyHistogram, unit: Unit, values: Values): Printer {
  const types = keyTypes(skeleton, definition);
  const specs = keySpecs(definition, values);
  const { share, totals } = definition;
  if (definition.percentiles !== undefined) {
    return percentilePrinter(specs, types, unit, definition.percentiles(values as OptionValues<Options>), values);
  }
  if (share !== undefined && values.share === true) {
    return sharePrinter(specs, { ...types, ...shareTypes(share) }, share, values);
  }
  return totals !== undefined && values.dist !== true
    ? totalsPrinter(specs, types, unit, values, totals.countsWhen)
    : distributionPrinter(specs, types, unit, values, {
        step: definition.step?.(values as OptionValues<Options>),
        detailed: definition.detailed === true || values.details === true,
        whose: stackOf(definition)?.whose,
      });
}
