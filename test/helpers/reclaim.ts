import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { diskDirectory } from './disk.ts';
import { MemoryCgroup } from './memory-cgroup.ts';
import { startCommand } from './run-tool.ts';
import { TemporaryDirectory } from './temporary-directory.ts';

const LIMIT = 16 * 2 ** 20;
const READ = 64 * 2 ** 20;
const PAGE = 4096;

/** A process that must reclaim memory, as it reads more of a file than its cgroup may have. */
export class Reclaiming implements Disposable {
  /** How many pages it cannot keep, at least. */
  readonly leastPages = (READ - LIMIT) / PAGE;
  readonly group: MemoryCgroup;
  readonly #directory: TemporaryDirectory;
  readonly #file: string;

  /** Skips the test where that is not possible. */
  static prepare(t: TestContext): Reclaiming | undefined {
    const disk = diskDirectory();
    if (disk === undefined) {
      t.skip('there is no file system on a disk');
      return undefined;
    }
    const group = MemoryCgroup.limited(t, LIMIT);
    return group === undefined ? undefined : new Reclaiming(group, disk);
  }

  private constructor(group: MemoryCgroup, disk: string) {
    this.group = group;
    this.#directory = new TemporaryDirectory(disk);
    this.#file = join(this.#directory.path, 'large');
    writeFileSync(this.#file, '');
    truncateSync(this.#file, READ);
  }

  /** @returns the process id */
  async run(): Promise<number> {
    await using reader = startCommand(this.group.command(['dd', `if=${this.#file}`, 'of=/dev/null', 'bs=64k']));
    const { code, stderr } = await reader.ended();
    if (code !== 0) {
      throw new Error(stderr);
    }
    return reader.pid;
  }

  [Symbol.dispose](): void {
    this.#directory[Symbol.dispose]();
    this.group[Symbol.dispose]();
  }
}
