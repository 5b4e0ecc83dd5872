import type { Key } from './key.ts';

/** Moves a place in a list by the keys for that; undefined for other keys. The result may lie outside. */
export function moved(key: Key, at: number, page: number, count: number): number | undefined {
  const name = typeof key === 'object' ? letters[key.text] : key;
  switch (name) {
    case 'up':
      return at - 1;
    case 'down':
      return at + 1;
    case 'pageup':
      return at - page;
    case 'pagedown':
      return at + page;
    case 'home':
      return 0;
    case 'end':
      return count - 1;
    default:
      return undefined;
  }
}

const letters: Readonly<Record<string, Key>> = { k: 'up', j: 'down', g: 'home', G: 'end' };

export function within(at: number, count: number): number {
  return Math.max(0, Math.min(count - 1, at));
}

/** The first line to show so that a place is seen, moving as little as possible. */
export function scrolled(first: number, at: number, height: number, count: number): number {
  const most = Math.max(0, count - height);
  const seen = at < first ? at : at >= first + height ? at - height + 1 : first;
  return Math.max(0, Math.min(most, seen));
}
