import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { escapeText } from '../model/escape.ts';

/** What a process or thread is called now; undefined for one that is gone. */
export function commandOf(pid: number, proc = '/proc'): string | undefined {
  try {
    return escapeText(readFileSync(join(proc, String(pid), 'comm'), 'utf8').replace(/\n$/, ''));
  } catch {
    return undefined;
  }
}
