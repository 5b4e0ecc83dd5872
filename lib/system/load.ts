import { readFileSync } from 'node:fs';

/** 'loadavg: 0.52 0.58 0.59 1/467 12345', as the kernel says it. */
export function loadAverages(): string {
  return `loadavg: ${readFileSync('/proc/loadavg', 'utf8').trim()}`;
}
