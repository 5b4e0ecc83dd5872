import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { escapeText } from '../model/escape.ts';

/** A process that has a descriptor of something. */
export interface Holder {
  readonly pid: number;
  readonly comm: string;
}

/** Reads /proc: who holds which BPF object, by 'prog 12', 'map 3' or 'link 4', each process once. */
export function bpfHolders(proc = '/proc'): ReadonlyMap<string, readonly Holder[]> {
  const found = new Map<string, Holder[]>();
  for (const pid of namesIn(proc).filter((name) => /^\d+$/.test(name))) {
    const own = new Set<string>();
    for (const fd of namesIn(join(proc, pid, 'fdinfo'))) {
      for (const [, kind, id] of textOf(join(proc, pid, 'fdinfo', fd)).matchAll(/^(prog|map|link)_id:\s*(\d+)$/gm)) {
        own.add(`${kind} ${id}`);
      }
    }
    const comm = own.size === 0 ? '' : escapeText(textOf(join(proc, pid, 'comm')).replace(/\n$/, ''));
    for (const object of own) {
      found.set(object, [...(found.get(object) ?? []), { pid: Number(pid), comm }]);
    }
  }
  return found;
}

/** What is gone meanwhile is empty. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
