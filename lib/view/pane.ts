import type { Message } from '../model/message.ts';
import type { TextStyle } from '../model/types.ts';
import type { Key } from './key.ts';
import type { Line, Size } from './line.ts';

/** A key and what it does, for the help line. */
export type Hint = readonly [key: string, what: string];

/** What all panes of a view share. */
export interface PaneContext {
  readonly style: TextStyle;
  /** Whether heat is shown by colour. */
  readonly colours: boolean;
}

/** One way to look at what a tool says. What it keeps is bounded. */
export interface Pane {
  /** What it shows, in one word. */
  readonly title: string;
  /** For the title bar: how much there is. */
  readonly summary: string;
  readonly hints: readonly Hint[];
  /** Whether there is anything to show. */
  readonly used: boolean;
  receive(message: Message): void;
  /** Keeps what is shown as it is, while more is received. */
  freeze(frozen: boolean): void;
  /** Shows only what contains this text; empty shows all. */
  filter(text: string): void;
  /** Returns false for a key that means nothing here. */
  key(key: Key): boolean;
  /** Lines above the data that stay; they and the body fill the height. */
  render(size: Size): Line[];
  /** Forgets everything: the recording starts again. */
  reset(): void;
  /** All that is known of what is selected: name and text. */
  details?(): readonly (readonly [string, string])[] | undefined;
}

/** A test for texts: upper case counts when there is any in the filter. */
export function matcher(filter: string): (text: string) => boolean {
  if (filter === '') {
    return () => true;
  }
  const exact = filter !== filter.toLowerCase();
  return (text) => (exact ? text : text.toLowerCase()).includes(filter);
}
