import type { Skeleton, SkeletonTypes } from '../bpf/skeleton.ts';
import { countOf, linearBuckets, log2Buckets } from '../model/histogram.ts';
import type { JsonSchema } from '../model/json.ts';
import type { FieldTypes, HistogramMessage, Message, Row } from '../model/message.ts';
import { now } from '../system/clock.ts';
import { aggregate, mapRows, readyMessage } from './aggregate.ts';
import { allColumns, type ColumnSpec, type ComputedField, fieldTypes } from './columns.ts';
import { type CommonDefinition, type OptionsFor, rulesOf, type Text } from './common-definition.ts';
import { commonOptions } from './common-options.ts';
import type { RunContext, Tool } from './definition.ts';
import { intervalPositionals } from './intervals.ts';
import { flag, type Options, type OptionValues } from './options.ts';

type KeyOf<S extends SkeletonTypes, M extends keyof S['maps']> = S['maps'][M]['key'];

export interface HistogramDefinition<S extends SkeletonTypes, O, M extends Text<keyof S['maps']>, C extends string>
  extends CommonDefinition<S, O> {
  /** Made with HISTOGRAMS in the program: a `struct hist` for each key. */
  readonly map: M;
  /** Of the values: 'usecs'. */
  unit(values: OptionValues<O>): string;
  /** Width of the buckets; without it, or when it returns undefined, they are powers of two. */
  step?(values: OptionValues<O>): number | undefined;
  /** Fields of the key that tell histograms apart, each with the option (`when`) that asks for it. */
  readonly keys?: { readonly [K in Text<keyof KeyOf<S, M>> | NoInfer<C>]?: ColumnSpec<never, never, OptionValues<O>> };
  readonly computed?: Readonly<Record<C, ComputedField<KeyOf<S, M>, OptionValues<O>>>>;
  /** What the kernel cannot filter, by key. */
  keep?(key: KeyOf<S, M>, values: OptionValues<O>): boolean;
}

const shapeOptions = {
  timestamp: flag('-T, --timestamp', 'print the time with each output', { group: 'output' }),
  details: flag('-e, --extension', 'add average, total, count and percentiles', { group: 'output' }),
};

type AnyHistogram = HistogramDefinition<SkeletonTypes, Options, string, string>;

/** A tool that prints distributions, counted in the kernel: at each interval, or once at the end. */
export function histogram<
  S extends SkeletonTypes,
  const O extends OptionsFor<S>,
  const M extends Text<keyof S['maps']>,
  C extends string = never,
>(skeleton: Skeleton<S>, definition: HistogramDefinition<S, O & Options, M, C>): Tool {
  const any = definition as unknown as AnyHistogram;
  const options: Options = { ...definition.options, ...shapeOptions, ...commonOptions };
  return {
    shape: 'histogram',
    skeleton,
    summary: definition.summary,
    description: definition.description,
    overhead: definition.overhead,
    options,
    positionals: intervalPositionals,
    examples: definition.examples,
    aliases: definition.aliases ?? {},
    columns: () => allColumns(keySpecs(any), keyTypes(skeleton, any)),
    schema: () => histogramSchema(keyTypes(skeleton, any)),
    rules: (values) => rulesOf(any.attach, values),
    run: (context) => run(skeleton, any, options, context),
  };
}

function keySpecs(definition: AnyHistogram): Readonly<Record<string, ColumnSpec>> {
  return (definition.keys ?? {}) as unknown as Readonly<Record<string, ColumnSpec>>;
}

function keyTypes(skeleton: Skeleton, definition: AnyHistogram): FieldTypes {
  const { key } = mapRows(skeleton, definition.map);
  const computed = (definition.computed ?? {}) as Readonly<Record<string, ComputedField>>;
  const all = fieldTypes(key ?? { name: '', size: 0, fixedSize: 0, fields: [] }, computed);
  // Other parts of the key are the program's own business.
  return Object.fromEntries(
    Object.keys(keySpecs(definition)).flatMap((name) => (all[name] ? [[name, all[name]]] : [])),
  );
}

function histogramSchema(types: FieldTypes): JsonSchema {
  const number: JsonSchema = { type: 'number', minimum: 0 };
  const bucket: JsonSchema = {
    type: 'object',
    properties: { from: number, to: number, count: number },
    required: ['from', 'to', 'count'],
    additionalProperties: false,
  };
  const keys = Object.entries(types).map(([name, type]) => [name, { description: type.help, ...type.schema }]);
  return {
    type: 'object',
    properties: {
      type: { const: 'histogram' },
      time: { type: 'string', format: 'date-time' },
      ...Object.fromEntries(keys),
      unit: { type: 'string' },
      buckets: { type: 'array', items: bucket },
      count: number,
      total: number,
      average: number,
      p50: number,
      p90: number,
      p99: number,
    },
    required: ['type', 'time', 'unit', 'buckets', 'count', 'total', 'average', 'p50', 'p90', 'p99'],
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
  const types = keyTypes(skeleton, definition);
  const specs = keySpecs(definition);
  const columns = allColumns(specs, types, values).filter(({ name }) => {
    const when = specs[name]?.when;
    return when === undefined || (values[when] !== undefined && values[when] !== false);
  });
  const step = definition.step?.(typed);
  const computed = Object.entries((definition.computed ?? {}) as Readonly<Record<string, ComputedField>>);

  const message = (row: Row, time: number): HistogramMessage => {
    const slots = row.slots as readonly number[];
    const buckets = step === undefined ? log2Buckets(slots) : linearBuckets(slots, step);
    return {
      type: 'histogram',
      time,
      key: Object.fromEntries(columns.map(({ name }) => [name, row[name]])),
      columns,
      types,
      unit: definition.unit(typed),
      buckets,
      count: countOf(buckets),
      total: row.total as number,
      details: values.details === true,
    };
  };

  yield* aggregate({
    skeleton,
    map: definition.map,
    options,
    context,
    definition,
    ready: (session) => readyMessage({ skeleton, definition }, session),
    *messages(rows) {
      const time = now();
      yield { type: 'interval', time, stamp: values.timestamp === true, clear: false };
      const kept = definition.keep === undefined ? rows : rows.filter((row) => definition.keep?.(row as never, typed));
      const named = kept.map((row) => ({
        ...row,
        ...Object.fromEntries(computed.map(([name, field]) => [name, field.value(row, values)])),
      }));
      yield* named.map((row) => message(row, time)).sort((a, b) => a.count - b.count);
    },
  });
}
