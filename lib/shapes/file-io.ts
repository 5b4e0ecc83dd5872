import type { BpfObject } from '../bpf/object.ts';
import { KscopeError } from '../model/errors.ts';
import { escapeText } from '../model/escape.ts';
import { syscallNames } from '../model/syscalls.ts';
import { inKilobytes } from '../model/units.ts';
import { directoryId } from '../system/directories.ts';
import { directoriesLike } from '../system/glob.ts';
import type { Option } from './options.ts';

const functions = ['vfs_read', 'vfs_readv', 'vfs_write', 'vfs_writev'] as const;
const calls = [
  'read',
  'pread64',
  'readv',
  'preadv',
  'preadv2',
  'write',
  'pwrite64',
  'writev',
  'pwritev',
  'pwritev2',
] as const;

/** The two kinds of programs that bpf/include/file-io.h makes, for `attach.either`. */
export const fileIoHooks = [
  functions.map((name) => `${name}__fexit` as const),
  calls.map((name) => `${name}__tp` as const),
] as const;

const begun = calls.map((name) => `${name}_begins__tp` as const);
const ended = calls.map((name) => `${name}_ends__tp` as const);

/** Those that bpf/include/file-op.h makes for functions of the kernel. */
export const fileOpFunctions = [...functions.map((name) => `${name}__fentry` as const), ...fileIoHooks[0]] as const;

/** Those that it makes for system calls that read and write. */
export const fileOpCalls = [...begun, ...ended] as const;

/** Calls and bytes both ways, as the columns of a table. */
export const fileIoColumns = {
  reads: {},
  writes: {},
  rbytes: { header: 'R_Kb', text: inKilobytes },
  wbytes: { header: 'W_Kb', text: inKilobytes },
} as const;

/** What such a table can be sorted by, the bytes both ways among them. */
export const fileIoOrder = {
  sort: ['bytes', 'reads', 'writes', 'rbytes', 'wbytes'],
  sortAliases: { all: 'bytes' },
} as const;

export const bytesMoved = {
  type: 'bytes_t',
  help: 'bytes read and written',
  value: ({ rbytes, wbytes }: { readonly rbytes: number; readonly wbytes: number }) => rbytes + wbytes,
} as const;

/** Whether this architecture has open(2), unlink(2) and the like, for which arm64 has only openat(2) and unlinkat(2). */
export function hasOldCalls(): boolean {
  return syscallNames().includes('open');
}

/** Directories, by patterns as in a shell. */
export function directoryList(flags: string, summary: string): Option<readonly string[] | undefined, never> {
  return { flags, summary, parse: parseDirectories, repeatable: 'commas', group: 'filter', completes: 'directory' };
}

function parseDirectories(given: string): readonly string[] {
  return given.split(',').flatMap((pattern) => {
    const found = directoriesLike(pattern);
    if (found.length === 0) {
      throw new KscopeError('usage', `there is no directory '${escapeText(pattern)}'`);
    }
    return found;
  });
}

/**
 * Gives a program with bpf/include/directory.h the directories to look for, by their place in the list; between load
 * and attach. @throws KscopeError usage for what is no directory
 */
export function setDirectories(object: BpfObject, paths: readonly string[]): void {
  const directories = object.map('directories');
  if (paths.length > directories.maxEntries) {
    throw new KscopeError(
      'usage',
      `${paths.length} directories are too many: ${directories.maxEntries} can be told apart`,
    );
  }
  // One that is named twice is the first.
  for (const [number, path] of [...paths.entries()].reverse()) {
    directories.set({ ...directoryId(path), zero: 0 }, number);
  }
}
