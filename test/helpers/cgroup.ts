import { mkdirSync, mkdtempSync, readFileSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cgroupMounts } from '../../lib/system/cgroups.ts';
import { mustSyscall, syscall } from './syscall.ts';
import { TemporaryDirectory } from './temporary-directory.ts';

const MNT_DETACH = 2;

/** A cgroup (v2) of a test's own. It goes with the block that holds it with `using`: its processes must go before. */
export class TestCgroup implements Disposable {
  readonly path: string;
  /** As tools show it and as BPF programs see it: the inode of the directory. */
  readonly id: string;
  /** Where the hierarchy had to be mounted for this. */
  readonly #mounted: TemporaryDirectory | undefined;
  readonly #below: string[] = [];

  constructor() {
    let [mount] = cgroupMounts();
    if (mount === undefined) {
      this.#mounted = new TemporaryDirectory();
      mount = this.#mounted.path;
      mustSyscall('mount', 'cgroup2', mount, 'cgroup2', 0, 0);
    }
    this.path = mkdtempSync(join(mount, 'kscope-test-'));
    this.id = String(statSync(this.path, { bigint: true }).ino);
  }

  /** What starts a command in it, so that a tool can be told to look at nothing else. */
  command(argv: readonly string[]): [string, ...string[]] {
    return ['/bin/sh', '-c', 'echo $$ >"$0/cgroup.procs" && exec "$@"', this.path, ...argv];
  }

  /** A cgroup below this one, gone with it. */
  below(name: string): string {
    const path = join(this.path, name);
    mkdirSync(path);
    this.#below.push(path);
    return path;
  }

  [Symbol.dispose](): void {
    for (const path of [...this.#below, this.path]) {
      rmdirSync(path);
    }
    if (this.#mounted !== undefined) {
      syscall('umount2', this.#mounted.path, MNT_DETACH);
      this.#mounted[Symbol.dispose]();
    }
  }
}

/** Moves a process to a cgroup by its directory. */
export function enterCgroup(directory: string, pid: number): void {
  writeFileSync(join(directory, 'cgroup.procs'), String(pid));
}

/** The id of the cgroup (v2) that a process is in. */
export function cgroupOf(pid: number): string {
  const line = /^0::(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8'));
  const [mount] = cgroupMounts();
  // Without the hierarchy mounted, everybody is in its root, whose inode is 1.
  return mount === undefined ? '1' : String(statSync(join(mount, line?.[1] ?? ''), { bigint: true }).ino);
}
