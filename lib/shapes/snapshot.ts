import { objectSpec } from '../bpf/object-file.ts';
import type { Skeleton, SkeletonTypes } from '../bpf/skeleton.ts';
import { KscopeError } from '../model/errors.ts';
import type { FieldTypes, Message, Row } from '../model/message.ts';
import { now } from '../system/clock.ts';
import { readyMessage } from './aggregate.ts';
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
import { type CommonDefinition, commonParts, type OptionsFor, rulesOf, type Text } from './common-definition.ts';
import { commonOptions } from './common-options.ts';
import type { RunContext, Tool } from './definition.ts';
import { Gains } from './gains.ts';
import { intervalEnds, intervalPositionals } from './intervals.ts';
import { flag, type Options, type OptionValues, withOwn } from './options.ts';
import { PERIOD, periodField } from './period.ts';
import { Session } from './session.ts';
import { tableSchema } from './top.ts';

type RecordOf<S extends SkeletonTypes> = S['events'] extends { rows: infer R } ? R : never;

export interface SnapshotDefinition<S extends SkeletonTypes, O, C extends string> extends CommonDefinition<S, O> {
  /** In the order of the text output. */
  readonly columns: {
    readonly [K in Text<keyof RecordOf<S>> | NoInfer<C>]?: ColumnSpec<
      K extends keyof RecordOf<S> ? NonNullable<RecordOf<S>[K]> : unknown,
      RecordOf<S>,
      OptionValues<O>
    >;
  };
  readonly meanings?: Meanings<RecordOf<S>>;
  readonly computed?: Readonly<Record<C, ComputedField<RecordOf<S> & { readonly period?: number }, OptionValues<O>>>>;
  /**
   * What to print of the records of all iterators, in the order of the programs: merged, chosen, sorted. With `gains`
   * they are chosen and sorted by `show` when it is known what they gained.
   */
  rows(records: readonly RecordOf<S>[], values: OptionValues<O>): readonly RecordOf<S>[];
  /** Seconds between outputs when the user gives none; without it, one output. */
  readonly interval?: number;
  /**
   * Amounts are what was gained since the output before, or since the start, and rows that gained nothing are left out.
   * The length of that time is the field `period`.
   */
  readonly gains?: {
    /** The fields that tell a row from others. */
    readonly by: readonly Text<keyof RecordOf<S>>[];
    /**
     * Rows stay that gained nothing, and without an interval amounts are all that there is: then there is no `period`.
     * No row begins anew under its `by`.
     */
    readonly lasting?: boolean;
    show?(rows: readonly RecordOf<S>[], values: OptionValues<O>): readonly RecordOf<S>[];
  };
  /** Begins what has to go on for the length of the run. */
  hold?(): Disposable;
}

type AnySnapshot = SnapshotDefinition<SkeletonTypes, Options, string>;

type Chooser = (records: readonly Row[], values: unknown) => readonly Row[];

const RECORD = 'rows';

/**
 * A tool that prints a table of what there is, or of what it gained: once, or at each interval. All programs of its object are iterators that
 * write records of the marker `const struct T *const rows_record`.
 */
export function snapshot<S extends SkeletonTypes, const O extends OptionsFor<S>, C extends string = never>(
  skeleton: Skeleton<S>,
  definition: SnapshotDefinition<S, O & Options, C>,
): Tool {
  const any = definition as unknown as AnySnapshot;
  const specs = any.columns as Readonly<Record<string, ColumnSpec | undefined>>;
  const timestamp = flag('-T, --timestamp', 'print the time with each output', { group: 'output' });
  const options = withOwn(definition.options, { timestamp, ...columnOptions(specs), ...commonOptions });
  return {
    shape: 'snapshot',
    ...commonParts(skeleton, any, options, intervalPositionals),
    columns: () => allColumns(specs, rowTypes(skeleton, any)),
    schema: () => tableSchema(rowTypes(skeleton, any)),
    run: (context) => run(skeleton, any, options, context),
  };
}

function rowTypes(skeleton: Skeleton, definition: AnySnapshot): FieldTypes {
  const record = objectSpec(skeleton).records.get(RECORD);
  if (record === undefined) {
    throw new KscopeError('failed', `the BPF object of ${skeleton.name} does not say what its rows are`, {
      hint: `declare the record of the iterators: const struct TAG *const ${RECORD}_record SEC(".types")`,
    });
  }
  const computed = definition.computed as Readonly<Record<string, ComputedField>>;
  return fieldTypes(record, { ...computed, ...(definition.gains !== undefined && periodField) }, definition.meanings);
}

async function* run(
  skeleton: Skeleton,
  definition: AnySnapshot,
  options: Options,
  context: RunContext,
): AsyncGenerator<Message, void, void> {
  const { values } = context;
  const typed = values as OptionValues<Options>;
  const types = rowTypes(skeleton, definition);
  const specs = definition.columns as Readonly<Record<string, ColumnSpec | undefined>>;
  const { columns, fields } = chosenColumns(specs, types, { ...values, time: undefined });
  const computed = Object.entries((definition.computed ?? {}) as Readonly<Record<string, ComputedField>>);
  const { programs } = objectSpec(skeleton);
  using session = Session.start({
    skeleton,
    options,
    context,
    rules: rulesOf(definition.attach, values),
    // They are attached for the length of each reading.
    attachers: Object.fromEntries(programs.map(({ name }) => [name, () => {}])),
    prepare: (object) => definition.prepare?.(object, typed),
  });
  const once = values.interval === undefined && definition.interval === undefined;
  const { by, lasting = false } = definition.gains ?? {};
  const gains = by && !(lasting && once) ? new PeriodGains(by, types, lasting) : undefined;
  using _held = definition.hold?.();
  const records = (): readonly Row[] =>
    (definition.rows as unknown as Chooser)(
      session.hooks.flatMap(({ program }) => session.object.iterate<Row>(program, RECORD)),
      values,
    );
  gains?.read(records());
  yield readyMessage({ skeleton, definition }, session);

  const take = (): Message[] => {
    const time = now();
    const found = gains === undefined ? records() : gains.read(records());
    compute(found, computed, values);
    const show = definition.gains?.show as Chooser | undefined;
    const rows = show === undefined ? found : show(found, values);
    return [
      { type: 'interval', time, stamp: values.timestamp === true, clear: false },
      { type: 'table', time, columns, types, rows, ...(fields !== undefined && { fields }) },
    ];
  };
  if (once) {
    yield* take();
    return;
  }
  for await (const _ of intervalEnds(values, definition.interval, context.signal)) {
    yield* take();
  }
}

/** What rows gained, and in which time. */
class PeriodGains {
  readonly #by: readonly string[];
  readonly #gains: Gains;
  #since = performance.now();

  constructor(by: readonly string[], types: FieldTypes, lasting: boolean) {
    this.#by = by;
    const amounts = Object.keys(types).filter((name) => types[name]?.additive === true && name !== PERIOD);
    this.#gains = new Gains(amounts, lasting);
  }

  read(rows: readonly Row[]): readonly Row[] {
    const time = performance.now();
    const period = Math.round((time - this.#since) * 1e6);
    this.#since = time;
    const gainOf = this.#gains.reading();
    return rows.flatMap((row) => {
      const gained = gainOf(this.#by.map((name) => String(row[name])).join(' '), row);
      return gained === undefined ? [] : [{ ...gained, [PERIOD]: period }];
    });
  }
}
