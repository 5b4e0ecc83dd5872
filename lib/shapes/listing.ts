import type { Skeleton, SkeletonTypes } from '../bpf/skeleton.ts';
import { KscopeError } from '../model/errors.ts';
import type { FieldTypes, Message, Row } from '../model/message.ts';
import { semanticType } from '../model/types.ts';
import { now } from '../system/clock.ts';
import { allColumns, type ColumnSpec, chosenColumns } from './columns.ts';
import { activityOf, type CommonDefinition, commonParts, type OptionsFor, type Text } from './common-definition.ts';
import { commonOptions } from './common-options.ts';
import type { RunContext, Tool } from './definition.ts';
import { type Options, type OptionValues, withOwn } from './options.ts';
import { tableSchema } from './top.ts';

/** A field of a listing: the name of its semantic type, and what it means. */
export interface ListingField {
  readonly type: string;
  readonly help: string;
}

export interface ListingDefinition<S extends SkeletonTypes, O, F extends string> extends CommonDefinition<S, O> {
  readonly fields: Readonly<Record<F, ListingField>>;
  /** In the order of the text output. */
  readonly columns: { readonly [K in Text<NoInfer<F>>]?: ColumnSpec<unknown, Row, OptionValues<O>> };
  /** What there is. @throws KscopeError */
  rows(values: OptionValues<O>): readonly Readonly<Record<F, unknown>>[];
}

type AnyListing = ListingDefinition<SkeletonTypes, Options, string>;

/** A tool that prints a table of what there is, once, and finds it without a program in the kernel. */
export function listing<S extends SkeletonTypes, const O extends OptionsFor<S>, const F extends string>(
  skeleton: Skeleton<S>,
  definition: ListingDefinition<S, O & Options, F>,
): Tool {
  const any = definition as unknown as AnyListing;
  const specs = any.columns as Readonly<Record<string, ColumnSpec | undefined>>;
  const options = withOwn(definition.options, commonOptions);
  return {
    shape: 'listing',
    ...commonParts(skeleton, any, options),
    columns: (values) => allColumns(specs, typesOf(any), values),
    schema: () => tableSchema(typesOf(any)),
    run: (context) => run(skeleton, any, context),
  };
}

function typesOf({ fields }: AnyListing): FieldTypes {
  const types = Object.entries(fields).map(([name, { type, help }]) => {
    const semantic = semanticType(type);
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
  { values }: RunContext,
): AsyncGenerator<Message, void, void> {
  const types = typesOf(definition);
  const specs = definition.columns as Readonly<Record<string, ColumnSpec | undefined>>;
  const { columns, fields } = chosenColumns(specs, types, { ...values, time: undefined });
  const rows = definition.rows(values as OptionValues<Options>);
  const time = now();
  yield {
    type: 'ready',
    tool: skeleton.name,
    activity: activityOf(definition),
    time,
    hooks: [],
    columns: [],
    types: {},
  };
  yield { type: 'table', time, columns, types, rows, ...(fields !== undefined && { fields }) };
}
