import { type Dirent, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The directories that a pattern names, in the order of their names: '*', '?' and '[a-z]' stand for parts of one name,
 * as in a shell. A pattern without them is a path.
 */
export function directoriesLike(pattern: string): string[] {
  let found = [pattern.startsWith('/') ? '/' : ''];
  for (const part of pattern.split('/').filter((one) => one !== '')) {
    found = /[*?[]/.test(part)
      ? found.flatMap((parent) => namesIn(parent, part).map((name) => join(parent, name)))
      : found.map((parent) => join(parent, part));
  }
  return found.filter(isDirectory);
}

function namesIn(parent: string, part: string): string[] {
  const matches = matcher(part);
  let entries: Dirent[];
  try {
    entries = readdirSync(parent === '' ? '.' : parent, { withFileTypes: true });
  } catch {
    return [];
  }
  return entries
    .map(({ name }) => name)
    .filter((name) => (part.startsWith('.') || !name.startsWith('.')) && matches.test(name))
    .sort();
}

function matcher(part: string): RegExp {
  const source = part.replace(/\[[!^]?[^\]]+\]|[\s\S]/g, (piece) =>
    piece === '*'
      ? '.*'
      : piece === '?'
        ? '.'
        : piece.length > 1
          ? `[${piece.slice(1, -1).replace(/^[!^]/, '^').replace(/[\\[]/g, '\\$&')}]`
          : piece.replace(/[\\^$.*+?()[\]{}|/]/, '\\$&'),
  );
  try {
    return new RegExp(`^${source}$`, 's');
  } catch {
    // A range the wrong way round matches nothing.
    return /^(?!)/;
  }
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
