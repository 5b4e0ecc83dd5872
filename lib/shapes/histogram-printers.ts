import { plainNumber } from '../model/derived-types.ts';
import { stackType } from '../model/frames.ts';
import { countOf, fineBuckets, linearBuckets, log2Buckets, percentile } from '../model/histogram.ts';
import type { JsonSchema } from '../model/json.ts';
import type { Column, FieldTypes, HistogramMessage, Message, Row, TableMessage } from '../model/message.ts';
import { type SemanticType, semanticType } from '../model/types.ts';
import type { Unit } from '../model/units.ts';
import { allColumns, type ColumnSpec, chosenColumns } from './columns.ts';
import { tableSchema } from './top.ts';

type Values = Readonly<Record<string, unknown>>;
type Specs = Readonly<Record<string, ColumnSpec>>;

/** How the share of the values above 0 is shown. */
interface Share {
  readonly help: string;
  readonly header: string;
}

/** Of what a table of totals has besides keys. */
export const totalTypes: FieldTypes = {
  count: { ...(semanticType('count_t') as SemanticType), help: 'how many there were' },
  total: { ...(plainNumber('double', false, false) as SemanticType), help: 'sum of the values, in the unit' },
  unit: { ...(semanticType('text_t') as SemanticType), help: 'of the total' },
};

/** What the line of a distribution has besides its key. */
export const statistics = ['unit', 'buckets', 'count', 'total', 'average', 'p50', 'p90', 'p99'];

/** Where a row has its stack: no field is called so. */
export const STACK = '(stack)';

/** How the gains of an interval are told. */
export interface Printer {
  /** Members of the lines, when `--fields` chose them. */
  readonly lineFields?: readonly string[];
  messages(rows: readonly Row[], time: number): readonly Message[];
}

/** The columns of totals; the unit of the sum is only known in a run. */
export function totalSpecs(unit: Unit | undefined) {
  const text = (total: unknown) => String(Math.round(Number(total)));
  return { count: {}, total: unit === undefined ? {} : { header: `TOTAL_${unit.name}`, text } };
}

/** Prints how many values there were, and their sum. */
export function totalsPrinter(
  keys: Specs,
  keyTypesOf: FieldTypes,
  unit: Unit,
  values: Values,
  countsWhen: string | undefined,
): Printer {
  const types = { ...keyTypesOf, ...totalTypes };
  const timed = countsWhen === undefined || values[countsWhen] !== true;
  const { count, total } = totalSpecs(unit);
  const all: Specs = { ...keys, count, ...(timed && { total }) };
  const { columns, fields } = chosenColumns(all, types, values);
  return {
    messages(rows, time) {
      const lines = rows.map((row) => ({
        ...Object.fromEntries(Object.keys(keys).map((name) => [name, row[name]])),
        count: (row.slots as readonly number[]).reduce((sum, slot) => sum + slot, 0),
        ...(timed && { total: (row.total as number) / unit.size, unit: unit.name }),
      }));
      lines.sort((a, b) => (b.total ?? 0) - (a.total ?? 0) || b.count - a.count);
      const key = Object.keys(keys);
      return [
        { type: 'table', time, columns, types, rows: lines, key, ...(fields && { fields }) } satisfies TableMessage,
      ];
    },
  };
}

/** Field of a percentile: 'p50', 'p99_9'. */
const percentileField = (percent: number) => `p${String(percent).replace('.', '_')}`;

/** Of a table of percentiles. */
export function percentileSchema(types: FieldTypes): JsonSchema {
  const { count } = totalTypes;
  const table = tableSchema({ ...types, count: count as SemanticType });
  const items = table.properties?.rows?.items as JsonSchema;
  const value: JsonSchema = {
    description: 'what so many per cent of the values do not exceed, in nanoseconds',
    type: 'integer',
  };
  return {
    ...table,
    properties: {
      ...table.properties,
      rows: { type: 'array', items: { ...items, additionalProperties: value } },
    },
  };
}

/** Prints percentiles. */
export function percentilePrinter(
  keys: Specs,
  keyTypesOf: FieldTypes,
  unit: Unit,
  percents: readonly number[],
  values: Values,
): Printer {
  const time = semanticType('ns_t') as SemanticType;
  const times = percents.map((percent) => [percentileField(percent), time] as const);
  const types: FieldTypes = { ...keyTypesOf, count: totalTypes.count as SemanticType, ...Object.fromEntries(times) };
  const specs: Specs = {
    ...keys,
    count: {},
    ...Object.fromEntries(percents.map((percent) => [percentileField(percent), { header: `p${percent}` }])),
  };
  const { columns, fields } = chosenColumns(specs, types, values);
  return {
    messages(rows, time) {
      const lines = rows.map((row) => {
        const buckets = fineBuckets(row.slots as readonly number[]);
        const found = percents.map((percent) => percentile(buckets, percent / 100) * unit.size);
        return {
          ...Object.fromEntries(Object.keys(keys).map((name) => [name, row[name]])),
          count: countOf(buckets),
          ...Object.fromEntries(percents.map((percent, i) => [percentileField(percent), found[i]])),
        };
      });
      lines.sort((a, b) => b.count - a.count);
      return [{ type: 'table', time, columns, types, rows: lines, ...(fields && { fields }) } satisfies TableMessage];
    },
  };
}

/** Of what a table of shares has besides keys. */
export function shareTypes(share: Share | undefined): FieldTypes {
  const double = plainNumber('double', false, false) as SemanticType;
  return share === undefined
    ? {}
    : {
        count: { ...(semanticType('count_t') as SemanticType), help: 'how many values there were' },
        share: { ...double, help: share.help },
      };
}

/** The columns of shares. */
export function shareSpecs({ header }: Share): Specs {
  return { count: {}, share: { header, text: (share: unknown) => `${Number(share).toFixed(2)}%` } };
}

/** Prints what share of the values is above 0. */
export function sharePrinter(keys: Specs, types: FieldTypes, share: Share, values: Values): Printer {
  const { columns, fields } = chosenColumns({ ...keys, ...shareSpecs(share) }, types, values);
  return {
    messages(rows, time) {
      const lines = rows.map((row) => {
        const slots = row.slots as readonly number[];
        const count = slots.reduce((sum, slot) => sum + slot, 0);
        const key = Object.fromEntries(Object.keys(keys).map((name) => [name, row[name]]));
        return { ...key, count, share: (100 * (count - (slots[0] ?? 0))) / count };
      });
      lines.sort((a, b) => b.share - a.share);
      const key = Object.keys(keys);
      return [{ type: 'table', time, columns, types, rows: lines, key, ...(fields && { fields }) }];
    },
  };
}

/** Prints distributions. */
export function distributionPrinter(
  keys: Specs,
  types: FieldTypes,
  unit: Unit,
  values: Values,
  {
    step,
    detailed,
    whose,
  }: {
    readonly step: number | undefined;
    readonly detailed: boolean;
    readonly whose: 'kernel' | 'user' | undefined;
  },
): Printer {
  const named = Object.fromEntries(
    statistics.map((name) => [name, totalTypes[name] ?? (totalTypes.total as SemanticType)]),
  );
  const time = semanticType('boot_ns_t') as SemanticType;
  const stack: FieldTypes = whose === undefined ? {} : { [whose]: stackType(whose) as SemanticType };
  const { columns, fields } = chosenColumns(
    keys,
    { time, ...types, ...named, ...stack },
    { ...values, time: undefined },
  );
  const known: readonly Column[] = allColumns(keys, types, values);
  const shown = fields === undefined ? known : columns.filter(({ name }) => keys[name] !== undefined);
  return {
    ...(fields !== undefined && { lineFields: fields }),
    messages: (rows, time) =>
      rows
        .map((row): HistogramMessage => {
          const slots = row.slots as readonly number[];
          const buckets = step === undefined ? log2Buckets(slots) : linearBuckets(slots, step);
          return {
            type: 'histogram',
            time,
            key: Object.fromEntries(known.map(({ name }) => [name, row[name]])),
            columns: shown,
            types,
            unit: unit.name,
            buckets,
            count: countOf(buckets),
            total: (row.total as number) / unit.size,
            details: detailed,
            ...(row[STACK] as Pick<HistogramMessage, 'kernel' | 'user'> | undefined),
            ...(fields !== undefined && { fields }),
          };
        })
        .sort((a, b) => a.count - b.count),
  };
}
