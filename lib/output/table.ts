import Table from 'cli-table3';
import { cell } from '../model/cell.ts';
import type { Column, Row } from '../model/message.ts';
import type { TextStyle } from '../model/types.ts';

const noBorders = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: ' ',
};

const plain = { 'padding-left': 0, 'padding-right': 0, head: [], border: [], compact: true };

/** A finite table: columns are as wide as what is in them. Ends with a newline; no line ends in a space. */
export function renderTable(columns: readonly Column[], rows: readonly Row[], style: TextStyle): string {
  return renderCells(
    columns.map(({ header, align }) => ({ header, align })),
    rows.map((row) => columns.map((column) => cell(column, row, style))),
  );
}

/** The same for texts: `list` and `doctor` print these. */
export function renderCells(
  columns: readonly { readonly header: string; readonly align: 'left' | 'right' }[],
  rows: readonly (readonly string[])[],
): string {
  const table = new Table({
    head: columns.map(({ header }) => header),
    colAligns: columns.map(({ align }) => align),
    chars: noBorders,
    style: plain,
  });
  table.push(...rows.map((row) => [...row]));
  return `${table.toString().replace(/ +$/gm, '')}\n`;
}
