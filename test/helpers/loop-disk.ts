import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { readAtOnce } from './async-reads.ts';
import { TemporaryDirectory } from './temporary-directory.ts';

/** A disk of a test's own, which nobody else uses: a file behind a loop device. */
export class LoopDisk implements Disposable {
  /** Of the device: /dev/loop0. */
  readonly path: string;
  /** As the kernel names it: loop0. */
  readonly name: string;
  readonly #directory = new TemporaryDirectory();
  readonly #file: string;

  /** @param options for losetup(8) */
  constructor(bytes = 4 * 2 ** 20, options: readonly string[] = [], fileName = 'disk') {
    const file = join(this.#directory.path, fileName);
    this.#file = file;
    writeFileSync(file, '');
    truncateSync(file, bytes);
    loadModule();
    this.path = execFileSync('losetup', ['--find', '--show', ...options, file], { encoding: 'utf8' }).trim();
    this.name = basename(this.path);
  }

  /** Of the file that is behind it. */
  get file(): string {
    return this.#file;
  }

  /** Reads blocks from the beginning, with a request for each. */
  read(count: number, bytes: number): void {
    copy([`if=${this.path}`, 'of=/dev/null', 'iflag=direct', `bs=${bytes}`, `count=${count}`]);
  }

  /** The same from within a cgroup. */
  readIn(cgroup: string, count: number, bytes: number): void {
    const script = 'echo $$ > "$0"/cgroup.procs; exec dd "$@"';
    const args = [`if=${this.path}`, 'of=/dev/null', 'iflag=direct', `bs=${bytes}`, `count=${count}`];
    execFileSync('/bin/sh', ['-c', script, cgroup, ...args], { stdio: 'pipe' });
  }

  /** Writes blocks from the beginning, with a request for each. */
  write(count: number, bytes: number): void {
    copy(['if=/dev/zero', `of=${this.path}`, 'oflag=direct', 'conv=notrunc', `bs=${bytes}`, `count=${count}`]);
  }

  /**
   * Reads blocks from the beginning, asked for one by one from the last to the first. Of more than two the kernel makes
   * one request.
   */
  readMerged(count: number, bytes: number): void {
    writeFileSync(`/sys/block/${this.name}/queue/nomerges`, '0');
    const fd = openSync(this.path, constants.O_RDONLY | constants.O_DIRECT);
    readAtOnce(
      fd,
      Array.from({ length: count }, (_, index) => (count - 1 - index) * bytes),
      bytes,
    );
    closeSync(fd);
  }

  /** Takes the end of the disk away. What is read from there fails, or is zeros: older kernels do not mind. */
  cut(bytes: number): void {
    truncateSync(this.#file, bytes);
  }

  /** Reads the first block. @returns whether that failed */
  readFails(bytes: number): boolean {
    try {
      this.read(1, bytes);
      return false;
    } catch {
      return true;
    }
  }

  [Symbol.dispose](): void {
    execFileSync('losetup', ['--detach', this.path]);
    this.#directory[Symbol.dispose]();
  }
}

function copy(args: readonly string[]): void {
  execFileSync('dd', args, { stdio: 'pipe' });
}

/** Where it is part of the kernel there is nothing to load. */
function loadModule(): void {
  try {
    execFileSync('modprobe', ['loop'], { stdio: 'pipe' });
  } catch {}
}
