import { cell } from '../model/cell.ts';
import type { Column, Row } from '../model/message.ts';
import { type TextStyle, widthOf } from '../model/types.ts';
import { fit, textWidth } from './text-width.ts';

/** A column and the room that it has. */
export interface PlacedColumn {
  readonly column: Column;
  readonly width: number;
}

const narrowest = 8;
const widest = 64;

/**
 * Gives each column room: what its type usually takes or what is in it. Where that is too much, numbers take only what
 * they need, then texts become narrower, then columns at the right are left out, but never the one named `keep`. The
 * last text takes what is left over.
 * @param skip columns at the left that were scrolled away
 */
export function placeColumns(
  columns: readonly Column[],
  rows: readonly Row[],
  style: TextStyle,
  width: number,
  { skip = 0, keep }: { readonly skip?: number; readonly keep?: string | undefined } = {},
): PlacedColumn[] {
  const shown = columns.slice(Math.min(skip, Math.max(0, columns.length - 1)));
  const least = shown.map((column) => {
    const content = Math.max(0, ...rows.map((row) => textWidth(cell(column, row, style))));
    // The mark of the sorted column is beside the header.
    return Math.min(widest, Math.max(column.header.length + (column.name === keep ? 1 : 0), content));
  });
  const widths = shown.map((column, i) =>
    Math.min(widest, Math.max(least[i] as number, column.width, widthOf(column.type, style))),
  );
  const excess = () => widths.reduce((sum, one) => sum + one + 1, -1) - width;
  for (const align of ['right', 'left'] as const) {
    for (let i = widths.length - 1; i >= 0 && excess() > 0; i--) {
      if (shown[i]?.align === align) {
        const floor = align === 'right' ? (least[i] as number) : Math.min(narrowest, widths[i] as number);
        widths[i] = Math.max(floor, (widths[i] as number) - excess());
      }
    }
  }
  const placed = shown.map((column, i) => ({ column, width: widths[i] as number }));
  while (placed.length > 1 && placed.reduce((sum, one) => sum + one.width + 1, -1) > width) {
    const last = placed.findLastIndex(({ column }) => column.name !== keep);
    placed.splice(last, 1);
  }
  const used = placed.reduce((sum, one) => sum + one.width + 1, -1);
  const growing = placed.at(-1);
  if (growing !== undefined && growing.column.align === 'left') {
    placed[placed.length - 1] = { ...growing, width: growing.width + Math.max(0, width - used) };
  }
  return placed;
}

/** The cells of a row in their places. */
export function placeCells(placed: readonly PlacedColumn[], row: Row, style: TextStyle): string[] {
  return placed.map(({ column, width }) => fit(cell(column, row, style), width, column.align));
}
