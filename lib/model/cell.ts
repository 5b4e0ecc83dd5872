import type { Column, Row } from './message.ts';
import type { TextStyle } from './types.ts';

/** One cell as people see it; '-' where the row has no value. */
export function cell(column: Column, row: Row, style: TextStyle): string {
  const value = row[column.name];
  if (value === undefined) {
    return '-';
  }
  return column.text === undefined ? column.type.text(value, style) : column.text(value, row);
}
