import { fit, textWidth } from './text-width.ts';

/** What a piece of text is, as far as its looks go; a theme says how that is shown. */
export type Tone =
  | 'title'
  | 'header'
  | 'sorted'
  | 'dim'
  | 'strong'
  | 'accent'
  | 'good'
  | 'warning'
  | 'bad'
  | 'key'
  | 'selected'
  | `heat${0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8}`;

export interface Span {
  readonly text: string;
  readonly tone?: Tone;
}

/** One line of the screen. */
export type Line = readonly Span[];

export interface Size {
  readonly width: number;
  readonly height: number;
}

export function span(text: string, tone?: Tone): Span {
  return tone === undefined ? { text } : { text, tone };
}

/** A line of two parts, the second at the right edge as long as there is room for it. */
export function spread(left: Line, right: Line, width: number): Line {
  const used = lineWidth(left);
  const wanted = lineWidth(right);
  return used + 1 + wanted > width
    ? clip([...left, span(' '), ...right], width)
    : [...left, span(' '.repeat(width - used - wanted)), ...right];
}

export function lineWidth(line: Line): number {
  return line.reduce((width, { text }) => width + textWidth(text), 0);
}

/** The line in exactly `width` columns. */
export function clip(line: Line, width: number): Line {
  const kept: Span[] = [];
  let left = width;
  for (const one of line) {
    const own = textWidth(one.text);
    if (own > left) {
      kept.push({ ...one, text: fit(one.text, left) });
      return kept;
    }
    kept.push(one);
    left -= own;
  }
  return left > 0 ? [...kept, span(' '.repeat(left))] : kept;
}
