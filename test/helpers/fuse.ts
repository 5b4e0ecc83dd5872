import { type ChildProcess, fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { deadline } from './deadline.ts';
import { mustSyscall } from './syscall.ts';
import { TemporaryDirectory } from './temporary-directory.ts';

const program = fileURLToPath(new URL('./fuse-main.js', import.meta.url));

/** A folder whose files a process of the test's own serves by FUSE. */
export class FuseFolder implements AsyncDisposable {
  readonly #place: TemporaryDirectory;
  readonly #server: ChildProcess;

  /** Skips the test where the kernel has no FUSE. @param disk that it is said to be on, which makes it a fuseblk */
  static async mount(t: TestContext, disk?: string): Promise<FuseFolder | undefined> {
    // Where it is part of the kernel there is nothing to load.
    spawnSync('modprobe', ['fuse']);
    if (!existsSync('/dev/fuse') || !/\tfuse$/m.test(readFileSync('/proc/filesystems', 'utf8'))) {
      t.skip('the kernel has no fuse');
      return undefined;
    }
    const folder = new FuseFolder(disk);
    const ended = once(folder.#server, 'exit').then(([code]) => {
      throw new Error(`the FUSE server ended with status ${code}`);
    });
    ended.catch(() => {});
    await deadline(Promise.race([once(folder.#server, 'message'), ended]), () => 'mounting by FUSE');
    return folder;
  }

  private constructor(disk?: string) {
    this.#place = new TemporaryDirectory('/dev/shm');
    this.#server = fork(program, [this.#place.path, ...(disk === undefined ? [] : [disk])]);
  }

  /** Where it is mounted. */
  get path(): string {
    return this.#place.path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#server, 'exit');
    mustSyscall('umount2', this.path, 0);
    await deadline(ended, () => 'the end of the FUSE server');
    this.#place[Symbol.dispose]();
  }
}
