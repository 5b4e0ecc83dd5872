import { KscopeError } from '../model/errors.ts';
import { escapeControls, escapeText } from '../model/escape.ts';

/** A part of a text, by its UTF-16 units. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

const WIDEST = 100;

/**
 * What is wrong in a text that somebody gave, with a line that points at it.
 * @param hints what would be right
 */
export function specificationError(text: string, span: Span, why: string, ...hints: readonly string[]): KscopeError {
  // Of a long text what is around the place.
  const from = span.start > WIDEST - 20 ? span.start - WIDEST / 2 : 0;
  const shown = `${from > 0 ? '…' : ''}${safe(text.slice(from, from + WIDEST))}`;
  const before = (from > 0 ? 1 : 0) + safe(text.slice(from, span.start)).length;
  const marked = Math.max(1, safe(text.slice(span.start, Math.min(span.end, from + WIDEST))).length);
  return new KscopeError('usage', why, {
    excerpt: [shown, `${' '.repeat(before)}^${'~'.repeat(marked - 1)}`],
    hint: hints.filter((hint) => hint !== ''),
  });
}

function safe(text: string): string {
  return escapeControls(text);
}

const NEAR = 5;

/** A hint with those of the names that are nearest to one that was not found; '' when none is near. */
export function nearestNames(what: string, wanted: string, names: Iterable<string>): string {
  const most = Math.max(1, Math.floor(wanted.length / 3));
  const near: { name: string; far: number }[] = [];
  for (const name of names) {
    // Names that begin or go on with it are nearer than any other.
    const far = name.includes(wanted) && wanted.length > 2 ? 0.5 : distance(wanted, name, most);
    if (far <= most) {
      near.push({ name, far });
    }
  }
  near.sort((a, b) => a.far - b.far || a.name.length - b.name.length || (a.name < b.name ? -1 : 1));
  const shown = near.slice(0, NEAR).map(({ name }) => escapeText(name));
  return shown.length === 0 ? '' : `${what}: ${shown.join(', ')}`;
}

/** How many letters have to be changed, put in, left out or, with the next, be the other way round; more than `most` when it is more than that. */
export function distance(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) {
    return most + 1;
  }
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const turned = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swapped = turned ? (before[j - 2] ?? 0) + 1 : changed;
      next.push(Math.min(changed, swapped, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    before = row;
    row = next;
    if (Math.min(...row) > most) {
      return most + 1;
    }
  }
  return row[b.length] ?? 0;
}
