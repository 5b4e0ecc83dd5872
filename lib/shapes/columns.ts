import type { RowSchema } from '../bpf/schema.ts';
import { KscopeError } from '../model/errors.ts';
import type { Column, FieldTypes, Row } from '../model/message.ts';
import { type SemanticType, semanticType } from '../model/types.ts';
import type { ToolColumn } from './definition.ts';
import { flag, type Option, type Options } from './options.ts';

/** How a field is shown in text. Everything has a default that comes from its type. */
export interface ColumnSpec<Value = unknown, Event = Row, Values = Readonly<Record<string, unknown>>> {
  /** Shows the column: '-U, --print-uid'. Without it, and without `when`, the column is always there. */
  readonly flag?: string;
  /** Help of that option. */
  readonly summary?: string;
  /** Other spellings of it. */
  readonly hidden?: readonly string[];
  /** Key of an option, or name of a column, together with which this column is shown; of several, any. */
  readonly when?: string | readonly string[];
  /** Key of an option together with which this column is not shown. */
  readonly unless?: string;
  /** Decides instead of these. */
  shown?(values: Values): boolean;
  readonly header?: string | ((values: Values) => string);
  readonly width?: number;
  readonly align?: 'left' | 'right';
  /** Instead of the type's own rendering. */
  text?(value: Value, event: Event, values: Values): string;
}

/** A field that is not in the struct but follows from it. */
export interface ComputedField<Event = Row, Values = unknown> {
  /** Name of a semantic type: 'text_t'. */
  readonly type: string;
  /** For FIELDS in the man page; the type's own by default. */
  readonly help?: string;
  value(event: Event, values: Values): unknown;
}

type Specs = Readonly<Record<string, ColumnSpec | undefined>>;

/** Option key of the flag that shows a column. */
export function columnKey(name: string): string {
  return `show_${name}`;
}

/** What columns have, where their names do not say it. */
const words: Readonly<Record<string, string>> = {
  cpu: 'processor',
  netns: 'network namespace',
  pid: 'process id',
  tid: 'thread id',
  uid: 'user id',
};

/** The options that show columns. */
export function columnOptions(specs: Specs): Options {
  const options: Record<string, Option> = {};
  for (const [name, spec] of Object.entries(specs)) {
    if (spec?.flag !== undefined) {
      options[columnKey(name)] = flag(
        spec.flag,
        spec.summary ?? `show the ${words[name] ?? name.replaceAll('_', ' ')}`,
        {
          group: 'column',
          ...(spec.hidden !== undefined && { hidden: spec.hidden }),
        },
      );
    }
  }
  return options;
}

/** What fields of the struct mean whose type says too little of it: '__u32 backlog' is a number. */
export type Meanings<Event> = { readonly [K in Extract<keyof Event, string>]?: string };

/** Semantic types of all fields of a row, the computed ones last. */
export function fieldTypes(
  schema: RowSchema,
  computed: Readonly<Record<string, ComputedField>>,
  meanings: Readonly<Record<string, string | undefined>> = {},
): FieldTypes {
  const types: Record<string, SemanticType> = {};
  const ofPacket = schema.fields.some(({ name }) => name === 'sport');
  for (const { name, semantic } of schema.fields) {
    const help = meanings[name] ?? semantic.help.replace(/^IP address|^port/, `$&${whose(name, ofPacket)}`);
    types[name] = { ...semantic, help };
  }
  for (const [name, field] of Object.entries(computed)) {
    const type = semanticType(field.type);
    if (type === undefined) {
      throw new KscopeError('failed', `there is no type '${field.type}' for ${name}`);
    }
    types[name] = field.help === undefined ? type : { ...type, help: field.help };
  }
  return types;
}

/** Of a packet it is who sends and who receives it, of a socket its own end and the other one. */
function whose(name: string, ofPacket: boolean): string {
  if (/^[sl](addr|port)$/.test(name)) {
    return ofPacket ? ' of the sender' : ' of this end';
  }
  return /^d(addr|port)$/.test(name) ? ` of the ${ofPacket ? 'receiver' : 'other end'}` : '';
}

/** Adds to rows the fields that follow from others. */
export function compute(
  rows: readonly Row[],
  computed: readonly (readonly [name: string, field: ComputedField])[],
  values: Readonly<Record<string, unknown>>,
): void {
  for (const [name, field] of computed) {
    for (const row of rows as readonly Record<string, unknown>[]) {
      row[name] = field.value(row, values);
    }
  }
}

/** Every column the specs describe, in their order. `values` are those of the run that prints them. */
export function allColumns(
  specs: Specs,
  types: FieldTypes,
  values: Readonly<Record<string, unknown>> = {},
): ToolColumn[] {
  const options = columnOptions(specs);
  return Object.entries(specs).map(([name, spec = {}]) => {
    const type = types[name];
    if (type === undefined) {
      throw new KscopeError('failed', `there is no field '${name}'`);
    }
    const [option] = [name, ...whens(spec)].flatMap((one) => options[columnKey(one)] ?? []);
    return {
      name,
      header: headerOf(name, spec, values),
      width: spec.width ?? type.width,
      align: spec.align ?? type.align,
      type,
      help: type.help,
      ...(spec.text !== undefined && { text: (value: unknown, row: Row) => spec.text?.(value, row, values) ?? '' }),
      ...(option !== undefined && { option }),
    };
  });
}

function headerOf(name: string, { header }: ColumnSpec, values: Readonly<Record<string, unknown>>): string {
  return (typeof header === 'function' ? header(values) : header) ?? name.toUpperCase();
}

/**
 * The columns of one run: those that are always there and those asked for, or the fields that `--fields` names.
 * @throws KscopeError usage for an unknown field
 */
export function chosenColumns(
  specs: Specs,
  types: FieldTypes,
  values: Readonly<Record<string, unknown>>,
): { columns: readonly Column[]; fields?: readonly string[] } {
  const known = new Map(allColumns(specs, types, values).map((column) => [column.name, column]));
  const fields = values.fields as readonly string[] | undefined;
  if (fields === undefined) {
    return { columns: [...known.values()].filter(({ name }) => isShown(name, specs, values)) };
  }
  const columns = fields.map((name) => {
    const type = Object.hasOwn(types, name) ? types[name] : undefined;
    if (type === undefined) {
      throw new KscopeError('usage', `there is no field '${name}'`, {
        hint: `fields: ${Object.keys(types).join(', ')}`,
      });
    }
    return known.get(name) ?? { name, header: name.toUpperCase(), width: type.width, align: type.align, type };
  });
  return { columns, fields };
}

function isShown(name: string, specs: Specs, values: Readonly<Record<string, unknown>>): boolean {
  const spec = specs[name] ?? {};
  // Saying how times are written is asking for them.
  const asked = name === 'time' && values.time !== undefined;
  if (spec.unless !== undefined && isOn(values[spec.unless])) {
    return false;
  }
  if (spec.shown !== undefined) {
    return spec.shown(values);
  }
  if (spec.flag === undefined && spec.when === undefined) {
    return true;
  }
  return (
    asked ||
    isOn(values[columnKey(name)]) ||
    whens(spec).some((key) => isOn(values[key]) || isOn(values[columnKey(key)]))
  );
}

function whens({ when = [] }: ColumnSpec): readonly string[] {
  return typeof when === 'string' ? [when] : when;
}

function isOn(value: unknown): boolean {
  return value !== undefined && value !== false;
}
