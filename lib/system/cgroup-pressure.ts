import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { cgroupMounts } from './cgroups.ts';

/** Shares of the time in which some task had to wait, in percent, averaged over 10 and 60 seconds. */
export interface Pressure {
  readonly avg10: number;
  readonly avg60: number;
}

/**
 * How long tasks of a cgroup (v2) wait for a processor; undefined where the kernel does not tell.
 * @param id the inode, so that a cgroup of the same name in another hierarchy is not taken for it
 */
export function cpuPressure(path: string, id: string, root = '/'): Pressure | undefined {
  for (const mount of cgroupMounts(root)) {
    const directory = join(root, mount, path);
    try {
      if (String(statSync(directory, { bigint: true }).ino) === id) {
        const text = readFileSync(join(directory, 'cpu.pressure'), 'utf8');
        const [, avg10, avg60] = /^some avg10=([\d.]+) avg60=([\d.]+)/m.exec(text) ?? [];
        return avg10 === undefined ? undefined : { avg10: Number(avg10), avg60: Number(avg60) };
      }
    } catch {
      // Gone, or without that file.
    }
  }
  return undefined;
}
