import bpf from '../bpf/openfiles.bpf.ts';
import { accepted, choice, flag, integer, rowFilters, snapshot, text } from '../lib/tool.ts';

const filter = { group: 'filter' } as const;
const types = ['reg', 'dir', 'sock', 'fifo', 'chr', 'blk', 'link', 'anon'] as const;

export default snapshot(bpf, {
  summary: 'List the files that processes have open.',
  area: 'processes',
  activity: 'Listing open files',
  description: `
Prints a line for each file descriptor of each process (of the tool's pid namespace), with the path of its file as the tool itself sees it: a file of another mount namespace has the path from the top of that. What is in no directory has the name that the kernel gave it, or that of its file system. A file that was deleted has "(deleted)" behind its path, and takes room until it is closed. With an interval the list is made again each time.

The kernel lists one process after the other: what is opened or closed meanwhile may be there or not. Mapped files and current directories that no descriptor leads to are not listed. Of a path over 1 kilobyte the beginning is missing.

The numbers of types for --type-mask are 1 for regular files, 2 for sockets, 4 for pipes, 8 for BPF maps, 16 for directories, 32 and 64 for character and block devices, 128 for symbolic links and, doubling from one to the next: BPF links, BPF programs, eventfd, timerfd, signalfd, epoll, perf events, userfaultfd, pidfd, io_uring, fanotify, inotify, and all others. Thus 17 is for files and directories.`,
  overhead:
    'Nothing but the time of each list: about 3 µs for each descriptor in the kernel (measured on a busy 2-core virtual machine).',
  options: {
    ...rowFilters,
    type: choice('-t, --type <TYPE>', 'only files of this type', types, filter),
    typeMask: integer(
      '--type-mask <NUMBER>',
      'only files of these types, by the sum of their numbers in the manual page',
      {
        ...filter,
        max: 2 ** 32 - 1,
        conflicts: ['type'],
      },
    ),
    name: text('-n, --name <TEXT>', 'only files whose path contains TEXT', filter),
    deletedOnly: flag('-x, --deleted', 'only files that were deleted', filter),
    paths: accepted('--paths'),
    size: flag('-s, --size', 'show size and position', { group: 'column' }),
  },
  rows: (records, { pid, uid, comm, type, typeMask, name, deletedOnly }) =>
    records.filter(
      (row) =>
        (pid === undefined || row.pid === pid) &&
        (uid === undefined || row.uid === uid) &&
        (comm === undefined || row.comm === comm) &&
        (type === undefined || typeOf(row) === type) &&
        (typeMask === undefined || ((typeMask >>> kindOf(row)) & 1) === 1) &&
        (name === undefined || row.path.includes(name)) &&
        (!deletedOnly || row.deleted === true),
    ),
  meanings: {
    pos: 'where in the file, in bytes',
    size: 'size of the file in bytes',
    mode: 'kind and permissions of the file, as stat(2) has them',
    inode: 'inode of the file',
  },
  computed: {
    type: { type: 'text_t', help: `type of the file: ${types.join(', ')}`, value: typeOf },
    access: {
      type: 'text_t',
      help: 'r, w or rw: what it is open for',
      value: ({ flags }) => accesses[flags & 3] ?? '-',
    },
  },
  columns: {
    pid: {},
    comm: {},
    uid: {},
    fd: {},
    type: { width: 5 },
    access: { header: 'RW', width: 2 },
    size: { when: 'size', text: String },
    pos: { when: 'size', text: String },
    flags: { flag: '-f, --flags', summary: 'show the flags of open(2)' },
    path: { text: (path, { deleted }) => (deleted ? `${path} (deleted)` : path) },
  },
  examples: {
    '': 'all open files',
    '-p 181 -s': 'those of process 181, with size and position',
    '-x -t reg -s': 'deleted files that still take room',
    '-n /var/log 10': 'who has logs open, every 10 seconds',
  },
  sample: {
    before: 'Which files does tail -f have open?',
    args: '-s -p 9983',
    output: `
  PID COMM UID FD TYPE RW    SIZE     POS PATH
13527 tail   0  0 chr  r        0       0 /dev/null
13527 tail   0  1 chr  w        0       0 /dev/null
13527 tail   0  2 chr  w        0       0 /dev/null
13527 tail   0  3 reg  r  3000000 3000000 /tmp/www/file
13527 tail   0  4 anon r        0       0 inotify`,
    after:
      'It has read the file to its end: POS is SIZE. Now it waits for news of it from inotify, and has not to look again and again. Where POS grows from one look to the next, and how fast, tells how far a program is with a long file.',
  },
});

const accesses = ['r', 'w', 'rw'];
// Of S_IFREG and so on, what is above the permissions.
const formats: Readonly<Record<number, (typeof types)[number]>> = {
  8: 'reg',
  4: 'dir',
  12: 'sock',
  1: 'fifo',
  2: 'chr',
  6: 'blk',
  10: 'link',
};

/** What each bit of a mask of types stands for, and behind that the others. */
const kinds =
  'reg,sock,fifo,bpf-map,dir,chr,blk,link,bpf_link,bpf-prog,[eventfd],[timerfd],[signalfd],[eventpoll],[perf_event],[userfaultfd],[pidfd],[io_uring],[fanotify],inotify'.split(
    ',',
  );

function kindOf(row: { readonly mode: number; readonly path: string }): number {
  const type = typeOf(row);
  const kind = kinds.indexOf(type === 'anon' ? row.path.replace(/^\.\.\.\//, '') : type);
  return kind < 0 ? kinds.length : kind;
}

/** What has no type is of the kernel's own: epoll, eventfd and so on. */
function typeOf({ mode }: { readonly mode: number }): (typeof types)[number] {
  return formats[mode >> 12] ?? 'anon';
}
