import { readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { KscopeError } from '../model/errors.ts';

/** Mount points of cgroup v2, from /proc/self/mounts of the root given. */
export function cgroupMounts(root = '/'): string[] {
  return readFileSync(join(root, 'proc/self/mounts'), 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, , type]) => type === 'cgroup2')
    .map(([, place = '']) =>
      place.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8))),
    );
}

/**
 * The directory of a cgroup v2 that a user named: an absolute path of a directory, or a path below the mount point as
 * in /proc/PID/cgroup. @throws KscopeError usage
 */
export function cgroupDirectory(named: string): string {
  const mounts = cgroupMounts();
  if (mounts.length === 0) {
    throw new KscopeError('unsupported', 'cgroup v2 is not mounted', {
      hint: 'mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified',
    });
  }
  const candidates = [resolve(named), ...mounts.map((mount) => join(mount, named))];
  const found = candidates.find(
    (directory) => mounts.some((mount) => isBelow(directory, mount)) && isDirectory(directory),
  );
  if (found === undefined) {
    throw new KscopeError('usage', `'${named}' is not a cgroup v2 directory`, {
      hint: `look below ${mounts.join(', ')}`,
    });
  }
  return found;
}

function isBelow(directory: string, mount: string): boolean {
  return directory === mount || directory.startsWith(mount === '/' ? '/' : `${mount}/`);
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
