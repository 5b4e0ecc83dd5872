import { readFileSync } from 'node:fs';
import { escapeText } from '../model/escape.ts';
import { tracefs } from './tracefs.ts';

/**
 * The names that a tracepoint of the running kernel prints for numbers: each list of names in its format, in order,
 * which is one for each number that is printed so, or for each meaning that it can have. Empty when the kernel has no
 * such tracepoint.
 */
export function printedNames(category: string, name: string): readonly ReadonlyMap<number, string>[] {
  let format: string;
  try {
    format = readFileSync(`${tracefs()}/events/${category}/${name}/format`, 'utf8');
  } catch {
    return [];
  }
  return namesIn(format);
}

/** The same in the text of a format. */
export function namesIn(format: string): readonly ReadonlyMap<number, string>[] {
  const printed = /^print fmt: (.*)$/ms.exec(format)?.[1] ?? '';
  return printed
    .split('__print_symbolic(')
    .slice(1)
    .map((list) => new Map([...list.matchAll(/\{ *([-0-9a-fxul+ ()]+?), *"([^"]*)" *\}/gi)].flatMap(entry)));
}

/** A number may be written as a sum: 0x040 + 1, and as one of C: ((0x01UL)). */
function entry([, number = '', name = '']: readonly string[]): [number, string][] {
  const parts = number.split('+').map((part) => Number(part.replace(/[ ()uUlL]/g, '') || Number.NaN));
  const sum = parts.reduce((all, part) => all + part, 0);
  return Number.isSafeInteger(sum) ? [[sum, escapeText(name)]] : [];
}
