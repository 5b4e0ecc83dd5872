import type { BpfObject } from '../bpf/object.ts';
import { directoryId } from '../system/directories.ts';

/** The two kinds of programs that bpf/include/file-io.h makes, for `attach.either`. */
export const fileIoHooks = [
  ['vfs_read__fexit', 'vfs_readv__fexit', 'vfs_write__fexit', 'vfs_writev__fexit'],
  [
    'read__tp',
    'pread64__tp',
    'readv__tp',
    'preadv__tp',
    'preadv2__tp',
    'write__tp',
    'pwrite64__tp',
    'writev__tp',
    'pwritev__tp',
    'pwritev2__tp',
  ],
] as const;

/**
 * Gives a program with bpf/include/directory.h the directories to look for, by their place in the list; between load
 * and attach. @throws KscopeError usage for what is no directory
 */
export function setDirectories(object: BpfObject, paths: readonly string[]): void {
  const directories = object.map('directories');
  for (const [number, path] of paths.entries()) {
    directories.set({ ...directoryId(path), zero: 0 }, number);
  }
}
