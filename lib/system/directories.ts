import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { KscopeError } from '../model/errors.ts';
import { escapeText } from '../model/escape.ts';

/** How the kernel itself tells directories apart. */
export interface DirectoryId {
  readonly inode: bigint;
  /** Of the file system, as /proc/self/mountinfo has it, and not as stat(2) does, which invents some: '8:1'. */
  readonly dev: string;
}

/** @throws KscopeError usage for what is no directory, or cannot be opened */
export function directoryId(path: string): DirectoryId {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (cause) {
    // A shortage of descriptors is no fault of whoever named it.
    const { code } = cause as NodeJS.ErrnoException;
    const whose = code === 'EMFILE' || code === 'ENFILE' ? 'failed' : 'usage';
    throw new KscopeError(whose, `'${escapeText(path)}' is not a directory that can be opened`, { cause });
  }
  try {
    const mount = /^mnt_id:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1];
    const line = readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .find((one) => one.startsWith(`${mount} `));
    const dev = line?.split(' ')[2];
    if (dev === undefined) {
      throw new KscopeError('usage', `'${escapeText(path)}' is on no mounted file system`);
    }
    return { inode: fstatSync(fd, { bigint: true }).ino, dev };
  } finally {
    closeSync(fd);
  }
}
