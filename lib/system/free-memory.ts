import { readFileSync } from 'node:fs';

/** Memory that nobody uses, in bytes. */
export function freeBytes(proc = '/proc'): number {
  const [, kilobytes] = /^MemFree: +(\d+) kB$/m.exec(readFileSync(`${proc}/meminfo`, 'utf8')) ?? [];
  return Number(kilobytes ?? 0) * 1024;
}
