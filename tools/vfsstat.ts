import bpf from '../bpf/vfsstat.bpf.ts';
import { fileIoHooks, filters, hasOldCalls, top } from '../lib/tool.ts';

const functions = [
  'vfs_read',
  'vfs_readv',
  'vfs_write',
  'vfs_writev',
  'vfs_open',
  'vfs_create',
  'vfs_unlink',
  'vfs_mkdir',
  // What vfs_rmdir calls: compilers put that function itself into its callers.
  'security_inode_rmdir',
] as const;
// Beside the functions, too: compilers put that of fsync(2) into its callers.
const syncs = ['fsync__tp', 'fdatasync__tp'] as const;
const others = ['openat', 'openat2', 'mknodat', 'unlinkat', 'mkdirat'] as const;
const old = (['open', 'creat', 'mknod', 'unlink', 'mkdir', 'rmdir'] as const).map((name) => `${name}__tp` as const);

export default top(bpf, {
  summary: 'Count the main calls of the virtual file system.',
  area: 'files',
  activity: 'Counting calls of the virtual file system',
  description: `
Prints, every second, how many reads, writes, fsyncs, opens, creations and removals of files, and makings and removals of directories there were per second. JSON has the counts of the interval instead, and how long it was.

Counted are calls of the functions vfs_read and vfs_readv, vfs_write and vfs_writev, vfs_open, vfs_create, vfs_unlink, vfs_mkdir and vfs_rmdir, whoever makes them and whatever becomes of them (fentry, or else kprobes). Where neither is possible, counted are the system calls that lead to them: reads and writes of any descriptor that is open, and of all others those that succeed; then what io_uring and the kernel itself do is not seen, nor are files that are opened to be executed.

A removal of a directory is seen where vfs_rmdir asks the security modules. An fsync is an fsync(2) or fdatasync(2) that succeeds: their function is often part of its callers. A creation is an open that made the file, which never calls vfs_create, or a mknod(2) of a regular file. sendfile(2), splice(2), copy_file_range(2), asynchronous I/O and memory mappings are no reads and writes here.`,
  overhead:
    'About 0.3 µs for each call that is counted (measured on a 2-core virtual machine with the hooks on system calls, where a pread(2) of 64 bytes took 0.3 µs).',
  options: { ...filters },
  map: 'totals',
  perSecond: true,
  idle: { reads: 0, writes: 0, fsyncs: 0, opens: 0, creates: 0, unlinks: 0, mkdirs: 0, rmdirs: 0 },
  interval: 1,
  sort: ['reads'],
  meanings: {
    reads: 'calls that read',
    writes: 'calls that write',
    fsyncs: 'calls that synchronize',
    opens: 'calls that open',
    creates: 'files that were to be made',
    unlinks: 'files that were to be removed',
    mkdirs: 'directories that were to be made',
    rmdirs: 'directories that were to be removed',
  },
  columns: {
    reads: { header: 'READ' },
    writes: { header: 'WRITE' },
    fsyncs: { header: 'FSYNC' },
    opens: { header: 'OPEN' },
    creates: { header: 'CREATE' },
    unlinks: { header: 'UNLINK' },
    mkdirs: { header: 'MKDIR' },
    rmdirs: { header: 'RMDIR' },
  },
  attach: {
    optional: old,
    either: () => [
      [...functions.map((name) => `${name}__fentry` as const), ...syncs],
      [...functions.map((name) => `${name}__kprobe` as const), ...syncs],
      [...fileIoHooks[1], ...syncs, ...others.map((name) => `${name}__tp` as const), ...(hasOldCalls() ? old : [])],
    ],
  },
  examples: {
    '': 'calls per second, each second',
    '-T 5 12': 'every 5 seconds for a minute, with the time',
    '-p 181': 'those of process 181',
  },
  sample: {
    before: 'On a machine that compiles and tests:',
    args: '2 1',
    output: `
READ/s WRITE/s FSYNC/s OPEN/s CREATE/s UNLINK/s MKDIR/s RMDIR/s
  2300     464       1    318        2        4       1       1`,
    after:
      'Five reads for a write, and seven for an open: many small ones. filetop shows which files they are of, fileslower which of them take long.',
  },
});
