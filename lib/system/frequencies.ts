import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What sets the frequency of a processor, and what it is now, in kilohertz. */
export interface CpuFrequency {
  readonly cpu: number;
  readonly driver: string;
  readonly current: number;
}

/** The processors whose frequency the kernel sets or knows: none in most virtual machines. */
export function cpuFrequencies(folder = '/sys/devices/system/cpu'): CpuFrequency[] {
  return readdirSync(folder).flatMap((name) => {
    const cpu = /^cpu(\d+)$/.exec(name)?.[1];
    const read = (file: string) => readFileSync(join(folder, name, `cpufreq/${file}`), 'utf8').trim();
    try {
      return cpu === undefined
        ? []
        : [{ cpu: Number(cpu), driver: read('scaling_driver'), current: Number(read('scaling_cur_freq')) || 0 }];
    } catch {
      // It has none, or is offline.
      return [];
    }
  });
}
