import { clip, type Line, lineWidth, type Span, span } from './line.ts';
import type { Hint } from './pane.ts';
import { fit } from './text-width.ts';

/** A key and what it does. */
export function hintSpans([key, what]: Hint): Span[] {
  return [span(key, 'key'), span(` ${what}`, 'dim')];
}

/** A line that is not wider. */
export function clipRight(line: Line, width: number): Line {
  return lineWidth(line) <= width ? line : clip(line, width);
}

/** A text as lines of a width, 40 at most. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const one of text) {
    if (fit(line + one, width).endsWith('…') && line !== '') {
      lines.push(line);
      line = '';
    }
    line += one;
  }
  return [...lines, line].slice(0, 40);
}

/** '4×', '1/2×'. */
export function speedText(speed: number): string {
  return speed >= 1 ? `${speed}×` : `1/${1 / speed}×`;
}

/** '1:02:03', or '02:03' within the first hour. */
export function clock(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const parts = [Math.floor(seconds / 60) % 60, seconds % 60].map((part) => String(part).padStart(2, '0'));
  const hours = Math.floor(seconds / 3600);
  return [...(hours > 0 ? [String(hours)] : []), ...parts].join(':');
}
