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

/** The arguments of a process, as one text; undefined for one that is gone, or is the kernel's own. */
export function commandLineOf(pid: number, proc = '/proc'): string | undefined {
  let given: string;
  try {
    given = readFileSync(join(proc, String(pid), 'cmdline'), 'utf8');
  } catch {
    return undefined;
  }
  const line = given.slice(0, 4096).replace(/\0+$/, '').replaceAll('\0', ' ');
  return line === '' ? undefined : escapeText(line);
}
