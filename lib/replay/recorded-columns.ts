import type { Column, FieldTypes, StackFields } from '../model/message.ts';
import type { SemanticType } from '../model/types.ts';
import type { ToolColumn } from '../shapes/definition.ts';
import { guessedType, isPlain, plainColumn, stackFields, textFrom } from './recorded-rows.ts';
import { listOf, type Members, membersOf, numberOf, recordedType, textOf, unknownType } from './values.ts';

/** How lines of one type are to be shown. */
interface Shown {
  readonly columns: readonly Column[];
  readonly types: FieldTypes;
  readonly key?: readonly string[];
  readonly sort?: string;
  readonly stacks?: StackFields;
  readonly details?: boolean;
  readonly tip?: string;
  readonly offsets?: boolean;
  readonly addresses?: boolean;
  readonly annotations?: boolean;
}

/** The most fields of a row, and of other things that a recording lists. */
export const mostFields = 512;

/**
 * How the lines of a recording are to be shown, by their type: as it says itself, or else as far as the tool and the
 * values tell.
 */
export class RecordedColumns {
  readonly #toolColumns: readonly ToolColumn[];
  readonly #fields: readonly string[] | undefined;
  readonly #shown = new Map<string, Shown>();
  /** Not told by the recording, but found out, and so to be found out again while there are no columns. */
  readonly #guessed = new Set<string>();

  /** @param fields columns to show instead of those of the recording */
  constructor(toolColumns: readonly ToolColumn[], fields?: readonly string[]) {
    this.#toolColumns = toolColumns;
    this.#fields = fields;
  }

  /** How lines of a type are shown, as far as that is known by now. */
  known(of: string): Shown | undefined {
    return this.#shown.get(of);
  }

  /** How lines of a type are shown, of which this row is one. */
  of(of: string, row: Members | undefined): Shown {
    const known = this.#shown.get(of);
    return known !== undefined && !(of === 'table' && this.#guessed.has(of) && known.columns.length === 0)
      ? known
      : this.guess(of, row);
  }

  /** What the recording says itself. */
  describe(of: string, line: Members): void {
    const types = Object.fromEntries(
      Object.entries(membersOf(line.types ?? {}))
        .slice(0, mostFields)
        .map(([name, type]) => [name, this.#typeOf(name, textOf(type))]),
    );
    const columns = listOf(line.columns, mostFields).map((column) => this.#column(membersOf(column)));
    this.#shown.set(of, {
      columns: this.#chosen(columns, types),
      types: { ...Object.fromEntries(columns.map(({ name, type }) => [name, type])), ...types },
      ...(line.key !== undefined && { key: listOf(line.key, mostFields).map(textOf) }),
      ...(line.sort !== undefined && { sort: textOf(line.sort) }),
      ...(line.stacks !== undefined && { stacks: stackFields(membersOf(line.stacks), types) }),
      ...(line.details === true && { details: true }),
      ...(line.tip !== undefined && { tip: textOf(line.tip) }),
      ...(line.offsets === true && { offsets: true }),
      ...(line.addresses === true && { addresses: true }),
      ...(line.annotations === true && { annotations: true }),
    });
  }

  #typeOf(name: string, type: string): SemanticType {
    const own = this.#toolColumns.find((column) => column.name === name)?.type;
    return own?.name === type && isPlain(own) ? own : recordedType(type);
  }

  #column({ name: nameJson, header, width, align, type: typeJson }: Members): Column {
    const name = textOf(nameJson);
    const type = this.#typeOf(name, textOf(typeJson));
    const side = align === 'right' ? 'right' : 'left';
    const own = this.#toolColumns.find((column) => column.name === name && column.type.name === type.name);
    return {
      name,
      header: textOf(header).slice(0, 64),
      width: Math.max(1, Math.min(64, Math.floor(numberOf(width)))),
      align: side,
      type: type.typescript === 'unknown' ? unknownType(type.name, side, type.width) : type,
      ...textFrom(own),
    };
  }

  /** Those of `--fields`, if it was given. */
  #chosen(columns: readonly Column[], types: FieldTypes): readonly Column[] {
    return this.#fields === undefined
      ? columns
      : this.#fields.map((name) => {
          const type = Object.hasOwn(types, name) ? types[name] : undefined;
          return (
            columns.find((column) => column.name === name) ??
            this.#toolColumns.find((column) => column.name === name) ??
            plainColumn(name, type ?? unknownType('value', 'left', 8))
          );
        });
  }

  /** What plain JSON does not say: columns that the tool always shows and that are there. */
  guess(of: string, row: Members | undefined): Shown {
    const always = this.#alwaysShown();
    const known = always.filter(({ name }) => row === undefined || Object.hasOwn(row, name));
    const types: Record<string, SemanticType> = Object.fromEntries(
      this.#toolColumns.map(({ name, type }) => [
        name,
        isPlain(type) ? type : unknownType(type.name, type.align, type.width),
      ]),
    );
    for (const name of this.#fields ?? []) {
      types[name] ??= unknownType('value', 'left', 8);
    }
    const fields = Object.entries(row ?? {}).slice(0, mostFields);
    for (const [name, value] of fields) {
      if (name !== 'type' && !Object.hasOwn(types, name)) {
        types[name] = guessedType(name, value);
      }
    }
    const columns =
      known.length > 0 || row === undefined
        ? of === 'event'
          ? always
          : known
        : fields.filter(([name]) => name !== 'type').map(([name]) => plainColumn(name, types[name] as SemanticType));
    const shown = { columns: this.#chosen(columns, types), types };
    this.#shown.set(of, shown);
    this.#guessed.add(of);
    return shown;
  }

  #alwaysShown(): Column[] {
    return this.#toolColumns
      .filter(({ option }) => option === undefined)
      .map(({ name, header, width, align, type, text }) => ({
        name,
        header,
        width,
        align,
        type: isPlain(type) ? type : unknownType(type.name, align, width),
        ...textFrom(text === undefined ? undefined : { name, header, width, align, type, text }),
      }));
  }
}
