import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, fsyncSync, openSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { TemporaryDirectory } from './temporary-directory.ts';

/** A directory whose files are on a disk with a device behind it; undefined on a machine without. */
export function diskDirectory(): string | undefined {
  return ['/mnt/ext4', tmpdir(), '/var/tmp', '/'].find((path) => {
    const number = existsSync(path) ? statSync(path).dev : 0;
    const device = `/sys/dev/block/${major(number)}:${minor(number)}`;
    return existsSync(`${device}/device`) || existsSync(`${device}/../device`);
  });
}

/** A directory of a test's own on such a disk; without one the test is skipped. */
export function placeOnDisk(t: TestContext): TemporaryDirectory | undefined {
  const disk = diskDirectory();
  if (disk === undefined) {
    t.skip('no file system with a disk');
    return undefined;
  }
  return new TemporaryDirectory(disk);
}

function major(device: number): number {
  return Math.floor(device / 256) & 0xfff;
}

function minor(device: number): number {
  return (device & 0xff) | (Math.floor(device / 0x100000) << 8);
}

/** Reads a file of that many blocks from the disk, each with a request of its own. */
export function readBlocks(directory: string, count: number, bytes = 4096): void {
  using place = new TemporaryDirectory(directory);
  const file = join(place.path, 'blocks');
  const fd = openSync(file, 'w');
  writeSync(fd, Buffer.alloc(count * bytes, 1));
  fsyncSync(fd);
  closeSync(fd);
  readDirectly(file, count, bytes);
}

/** Reads past the page cache, with a system call for each block. */
export function readDirectly(file: string, count: number, bytes: number): void {
  execFileSync('dd', [`if=${file}`, 'of=/dev/null', 'iflag=direct', `bs=${bytes}`, `count=${count}`], {
    stdio: 'pipe',
  });
}
