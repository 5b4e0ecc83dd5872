import { readFileSync } from 'node:fs';

/** Numbers of the processors that are online, from '0-3,8' in /sys. */
export function everyCpu(file = '/sys/devices/system/cpu/online'): number[] {
  return readFileSync(file, 'utf8')
    .trim()
    .split(',')
    .flatMap((range) => {
      const [first = 0, last = first] = range.split('-').map(Number);
      return Array.from({ length: last - first + 1 }, (_, i) => first + i);
    });
}
