import { KscopeError } from '../model/errors.ts';
import type { JsonSchema } from '../model/json.ts';
import type { Column, FieldTypes, Row } from '../model/message.ts';
import { semanticType } from '../model/types.ts';

const NAME = 'count';

/** How often each combination of some fields came up. */
export class CountedRows {
  readonly by: readonly string[];
  readonly #groups = new Map<string, { row: Row; count: number }>();

  constructor(by: readonly string[]) {
    this.by = by;
  }

  add(rows: readonly Row[]): void {
    for (const row of rows) {
      let key = '';
      for (const name of this.by) {
        // No value holds a NUL: text is escaped.
        key += `${String(row[name])}\0`;
      }
      const group = this.#groups.get(key);
      if (group === undefined) {
        this.#groups.set(key, { row: Object.fromEntries(this.by.map((name) => [name, row[name]])), count: 1 });
      } else {
        group.count++;
      }
    }
  }

  /** The combinations, the commonest first. */
  rows(): Row[] {
    return [...this.#groups.values()]
      .sort((a, b) => b.count - a.count)
      .map(({ row, count }) => ({ ...row, [NAME]: count }));
  }
}

/** The column of the counts, and the types with theirs. */
export function countTypes(types: FieldTypes, header = 'COUNT'): { column: Column; types: FieldTypes } {
  const found = semanticType('count_t');
  if (found === undefined) {
    throw new KscopeError('failed', 'there is no type for counts');
  }
  const type = { ...found, help: 'how many there were' };
  return {
    column: { name: NAME, header, width: type.width, align: type.align, type },
    types: { ...types, [NAME]: type },
  };
}

/** JSON Schema of the line that the counts are printed in. @param maybe fields that only some runs have */
export function countSchema(types: FieldTypes, by: readonly string[], maybe: readonly string[]): JsonSchema {
  const { types: all } = countTypes(types);
  const fields = [...by, NAME];
  const row: JsonSchema = {
    type: 'object',
    properties: Object.fromEntries(
      fields.map((name) => [name, { description: all[name]?.help ?? '', ...all[name]?.schema }]),
    ),
    required: fields.filter((name) => all[name]?.optional !== true && !maybe.includes(name)),
  };
  return {
    type: 'object',
    properties: {
      type: { const: 'table' },
      time: { description: 'when it was printed', type: 'string', format: 'date-time' },
      rows: { type: 'array', items: row },
    },
    required: ['type', 'time', 'rows'],
  };
}
