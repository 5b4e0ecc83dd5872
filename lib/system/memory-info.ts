import { readFileSync } from 'node:fs';

/** Bytes of one line of /proc/meminfo: 'Cached'; undefined when there is none. */
export function memoryInfo(name: string, file = '/proc/meminfo'): number | undefined {
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const [, key, kilobytes] = /^([^:]+):\s+(\d+) kB$/.exec(line) ?? [];
    if (key === name) {
      return Number(kilobytes) * 1024;
    }
  }
  return undefined;
}
