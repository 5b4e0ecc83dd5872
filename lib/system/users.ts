import { readFileSync } from 'node:fs';
import { KscopeError } from '../model/errors.ts';

/** Number of a user given by name or number, from the user database in /etc. @throws KscopeError usage */
export function userId(named: string, file = '/etc/passwd'): number {
  if (/^\d{1,10}$/.test(named) && Number(named) < 2 ** 32 - 1) {
    return Number(named);
  }
  let text = '';
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    // Without the file only numbers are known.
  }
  for (const line of text.split('\n')) {
    const [name, , id] = line.split(':');
    if (name === named && id !== undefined && /^\d+$/.test(id)) {
      return Number(id);
    }
  }
  throw new KscopeError('usage', `there is no user '${named}'`);
}
