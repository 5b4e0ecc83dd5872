import { existsSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** A cgroup, of either version, whose processes have only so much memory. */
export class MemoryCgroup implements Disposable {
  readonly path: string;

  /** Skips the test where the kernel gives nobody such cgroups. */
  static limited(t: TestContext, bytes: number, { swap = false } = {}): MemoryCgroup | undefined {
    for (const [mount, limit] of memoryMounts()) {
      const path = mkdtempSync(join(mount, 'kscope-test-'));
      if (existsSync(join(path, limit))) {
        writeFileSync(join(path, limit), String(bytes));
        const swapLimit = join(path, 'memory.swap.max');
        if (!swap && existsSync(swapLimit)) {
          writeFileSync(swapLimit, '0');
        }
        return new MemoryCgroup(path);
      }
      rmdirSync(path);
    }
    t.skip('no mounted cgroup hierarchy limits memory');
    return undefined;
  }

  private constructor(path: string) {
    this.path = path;
  }

  /** What starts a command in it. */
  command(argv: readonly string[]): [string, ...string[]] {
    return ['/bin/sh', '-c', 'echo $$ >"$0/cgroup.procs" && exec "$@"', this.path, ...argv];
  }

  [Symbol.dispose](): void {
    rmdirSync(this.path);
  }
}

/** Mount points, and the file with the limit there. */
function memoryMounts(): [mount: string, limit: string][] {
  const found: [string, string][] = [];
  for (const line of readFileSync('/proc/self/mounts', 'utf8').split('\n')) {
    const [, mount = '', type, options = ''] = line.split(' ');
    if (type === 'cgroup' && options.split(',').includes('memory')) {
      found.push([mount, 'memory.limit_in_bytes']);
    } else if (type === 'cgroup2' && readdirSync(mount).includes('cgroup.subtree_control')) {
      try {
        writeFileSync(join(mount, 'cgroup.subtree_control'), '+memory');
      } catch {
        // Then there is no limit below.
      }
      found.push([mount, 'memory.max']);
    }
  }
  return found;
}
