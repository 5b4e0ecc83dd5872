import { readFileSync } from 'node:fs';
import { hasKernelSymbol } from '../bpf/kernel-symbols.ts';
import type { BpfObject } from '../bpf/object.ts';
import { KscopeError } from '../model/errors.ts';
import { escapeText } from '../model/escape.ts';
import { fileOpCalls, hasOldCalls } from './file-io.ts';
import type { Option } from './options.ts';

type Operation = 'read' | 'write' | 'open' | 'lookup' | 'fsync' | 'getattr';
type Functions = Readonly<Record<Exclude<Operation, 'lookup'>, string | readonly string[]>> & {
  /** What may open a file while it is looked up, or create it: then there is no other open. */
  readonly lookup?: string;
};

const fuse: Functions = {
  read: 'fuse_file_read_iter',
  write: 'fuse_file_write_iter',
  open: 'fuse_open',
  lookup: 'fuse_atomic_open',
  fsync: 'fuse_fsync',
  getattr: 'fuse_getattr',
};

/** Functions of each kind of file system; where there are several names, the first that the kernel has is meant. */
const functions: Readonly<Record<string, Functions>> = {
  bcachefs: {
    read: 'bch2_read_iter',
    write: 'bch2_write_iter',
    open: 'bch2_open',
    fsync: 'bch2_fsync',
    getattr: 'bch2_getattr',
  },
  btrfs: {
    read: 'btrfs_file_read_iter',
    write: 'btrfs_file_write_iter',
    open: 'btrfs_file_open',
    fsync: 'btrfs_sync_file',
    getattr: 'btrfs_getattr',
  },
  ext4: {
    read: 'ext4_file_read_iter',
    write: 'ext4_file_write_iter',
    open: 'ext4_file_open',
    fsync: 'ext4_sync_file',
    getattr: 'ext4_file_getattr',
  },
  f2fs: {
    read: 'f2fs_file_read_iter',
    write: 'f2fs_file_write_iter',
    open: 'f2fs_file_open',
    fsync: 'f2fs_sync_file',
    getattr: 'f2fs_getattr',
  },
  fuse,
  nfs: {
    read: 'nfs_file_read',
    write: 'nfs_file_write',
    open: ['nfs4_file_open', 'nfs_file_open'],
    lookup: 'nfs_atomic_open',
    fsync: 'nfs_file_fsync',
    getattr: 'nfs_getattr',
  },
  virtiofs: fuse,
  xfs: {
    read: 'xfs_file_read_iter',
    write: 'xfs_file_write_iter',
    open: 'xfs_file_open',
    fsync: 'xfs_file_fsync',
    getattr: 'xfs_vn_getattr',
  },
  zfs: {
    read: 'zpl_iter_read',
    write: 'zpl_iter_write',
    open: 'zpl_open',
    fsync: 'zpl_fsync',
    getattr: 'zpl_getattr',
  },
};

/** What else is meant by the name of a kind. */
const others: Readonly<Record<string, string>> = { fuse: 'fuseblk', nfs: 'nfs4' };

interface TypeValues {
  readonly type?: string | undefined;
}

/** What kind of file system; its constants are those of bpf/include/file-system.h. */
export const fileSystemType: Option<string | undefined, 'filter_type'> = {
  flags: '-t, --type <TYPE>',
  summary: `kind of file system: ${Object.keys(functions).join(', ')}, or any other that the kernel has`,
  set: 'filter_type',
  parse: parseType,
};

function parseType(given: string): string {
  if (!Object.hasOwn(functions, given)) {
    const known = readFileSync('/proc/filesystems', 'utf8').split(/\s+/);
    if (!known.includes(given) || given === 'nodev' || given.length > 15) {
      throw new KscopeError('usage', `'${escapeText(given)}' is not a kind of file system`, {
        hint: `kinds: ${Object.keys(functions).join(', ')}, and those in /proc/filesystems`,
      });
    }
  }
  return given;
}

/** Names such as ext4dist, by the end that they have in common. */
export function fileSystemAliases(end: string): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(Object.keys(functions).map((type) => [`${type}${end}`, ['--type', type]]));
}

/** Between open and load. @throws KscopeError usage without a type */
export function prepareFileSystem(object: BpfObject, { type }: TypeValues): void {
  if (type === undefined) {
    throw new KscopeError('usage', 'no kind of file system is given', { hint: `${object.name} -t ext4` });
  }
  object.globals.set('filter_other_type', others[type] ?? '');
  object.globals.set('shared_functions', functions[type] === fuse);
}

const kinds = ['fentry', 'fexit', 'kprobe', 'kretprobe'] as const;
const operations = ['read', 'write', 'open', 'fsync'] as const;
const programs = (...of: readonly (typeof kinds)[number][]) =>
  operations.flatMap((operation) => of.map((kind) => `${operation}__${kind}` as const));
const functionPrograms = [programs('fentry', 'fexit'), programs('kprobe', 'kretprobe')] as const;
const lookup = kinds.map((kind) => `lookup__${kind}` as const);

const oldCalls = ['open_begins__tp', 'open_ends__tp', 'creat_begins__tp', 'creat_ends__tp'] as const;
const calls = [
  ...fileOpCalls,
  'openat_begins__tp',
  'openat_ends__tp',
  'openat2_begins__tp',
  'openat2_ends__tp',
  'fsync_begins__tp',
  'fsync_ends__tp',
  'fdatasync_begins__tp',
  'fdatasync_ends__tp',
] as const;

/** How the programs of FILE_SYSTEM_PROGRAMS are attached: to functions that are known and there, or to system calls. */
export const fileSystemHooks = {
  optional: [...oldCalls, ...lookup],
  either: ({ type = '' }: TypeValues) => [
    ...(type in functions ? functionPrograms : []),
    [...calls, ...(hasOldCalls() ? oldCalls : [])],
  ],
  unwanted: ({ type = '' }: TypeValues) => [
    ...(type in functions ? [] : functionPrograms.flat()),
    ...(functions[type]?.lookup === undefined ? lookup : []),
  ],
  targets: ({ type = '' }: TypeValues): Readonly<Partial<Record<FunctionProgram, string>>> =>
    Object.fromEntries(
      Object.entries(functions[type] ?? {}).flatMap(([operation, names]) => {
        const all = [names].flat();
        const target = all.find(hasKernelSymbol) ?? (all[0] as string);
        return kinds.map((kind) => [`${operation}__${kind}`, target]);
      }),
    ),
};

const getattr = kinds.map((kind) => `getattr__${kind}` as const);

/** The same with FILE_SYSTEM_GETATTR, which only functions have. */
export const fileSystemHooksWithGetattr = {
  ...fileSystemHooks,
  optional: [...fileSystemHooks.optional, ...getattr],
  unwanted: (values: TypeValues) => [
    ...fileSystemHooks.unwanted(values),
    ...((values.type ?? '') in functions ? [] : getattr),
  ],
};

type FunctionProgram = `${Operation}__${(typeof kinds)[number]}`;
