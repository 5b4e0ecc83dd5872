import type { Column, Message, Row } from '../model/message.ts';
import { renderJson } from '../model/types.ts';
import type { Output } from './output.ts';
import type { Writer } from './writer.ts';

/**
 * Events as comma-separated values (RFC 4180, but for plain line feeds): a line with the names of the fields that are
 * columns, then one for each event, with the values that JSON would have.
 */
export class CsvOutput implements Output {
  readonly #writer: Writer;
  readonly #utc: boolean;
  #columns: readonly Column[] = [];

  constructor(writer: Writer, { utc = false }: { readonly utc?: boolean } = {}) {
    this.#writer = writer;
    this.#utc = utc;
  }

  message(message: Message): Promise<void> | undefined {
    switch (message.type) {
      case 'ready':
        this.#columns = message.columns;
        return this.#writer.write(line(this.#columns.map(({ name }) => name)));
      case 'events':
        return this.#writer.write(message.rows.map((row) => this.#line(row)).join(''));
      default:
        return undefined;
    }
  }

  #line(row: Row): string {
    return line(this.#columns.map(({ name, type }) => renderJson(type, row[name], this.#utc)));
  }
}

function line(values: readonly unknown[]): string {
  return `${values.map(cell).join(',')}\n`;
}

function cell(value: unknown): string {
  const text = value === undefined ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
