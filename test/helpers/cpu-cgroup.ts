import { mkdtempSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** Periods, those that were throttled, and the time of that in nanoseconds. */
export interface Throttling {
  readonly periods: number;
  readonly throttled: number;
  readonly time: number;
}

/** A cgroup, of either version, whose processes have only so much processor time. */
export class CpuCgroup implements Disposable {
  readonly path: string;
  /** As /proc/PID/cgroup has it. */
  readonly name: string;

  /**
   * Skips the test where the kernel gives nobody such cgroups.
   * @param quota microseconds in each period
   */
  static limited(t: TestContext, { quota, period }: { quota: number; period: number }): CpuCgroup | undefined {
    for (const line of readFileSync('/proc/self/mounts', 'utf8').split('\n')) {
      const [, mount = '', type, options = ''] = line.split(' ');
      const old = type === 'cgroup' && options.split(',').includes('cpu');
      if (!old && !(type === 'cgroup2' && readFileSync(join(mount, 'cgroup.controllers'), 'utf8').includes('cpu'))) {
        continue;
      }
      if (!old) {
        writeFileSync(join(mount, 'cgroup.subtree_control'), '+cpu');
      }
      const path = mkdtempSync(join(mount, 'kscope-test-'));
      if (readdirSync(path).includes(old ? 'cpu.cfs_quota_us' : 'cpu.max')) {
        if (old) {
          writeFileSync(join(path, 'cpu.cfs_period_us'), String(period));
          writeFileSync(join(path, 'cpu.cfs_quota_us'), String(quota));
        } else {
          writeFileSync(join(path, 'cpu.max'), `${quota} ${period}`);
        }
        return new CpuCgroup(path, path.slice(mount.length));
      }
      rmdirSync(path);
    }
    t.skip('no mounted cgroup hierarchy limits processor time');
    return undefined;
  }

  private constructor(path: string, name: string) {
    this.path = path;
    this.name = name;
  }

  /** What starts a command in it. */
  command(argv: readonly string[]): [string, ...string[]] {
    return ['/bin/sh', '-c', 'echo $$ >"$0/cgroup.procs" && exec "$@"', this.path, ...argv];
  }

  /** What the kernel says of it. */
  get throttling(): Throttling {
    const text = readFileSync(join(this.path, 'cpu.stat'), 'utf8');
    const value = (name: string) => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1] ?? Number.NaN);
    const time = text.includes('throttled_usec') ? value('throttled_usec') * 1000 : value('throttled_time');
    return { periods: value('nr_periods'), throttled: value('nr_throttled'), time };
  }

  [Symbol.dispose](): void {
    rmdirSync(this.path);
  }
}
