import bpf from '../bpf/mountsnoop.bpf.ts';
import { errorName, failedOnly, filters, flag, snoop } from '../lib/tool.ts';

export default snoop(bpf, {
  summary: 'Trace what is mounted, unmounted and moved.',
  area: 'files',
  activity: 'Tracing mount(2), umount(2) and their successors',
  description: `
Prints a line for each mount(2), umount2(2), fsopen(2), fsconfig(2), fsmount(2), move_mount(2), open_tree(2), fspick(2), mount_setattr(2) and pivot_root(2) when it returns, as a program would call it, with its result. Flags are those of the call, by name. MNT_NS is the mount namespace of the process, by its inode. Strings are as they were given: relative ones are so to the current directory, or to that of a descriptor.

Data that is not text is shown up to its first zero byte. What the kernel mounts by itself (automatic mounts) is not seen.`,
  overhead:
    'About 2 to 4 µs for each call (run time of the programs on a busy 2-core virtual machine), a fraction of what it takes.',
  options: {
    ...filters,
    failed: failedOnly,
    parent: flag('-P, --parent-process', 'show the parent process', { hidden: ['--parent_process'], group: 'column' }),
    detailed: flag('-d, --detailed', 'show the time that the call took', { group: 'column' }),
  },
  meanings: {
    ppid: 'process id of the parent',
    pcomm: 'command name of the parent',
    names: 'texts as they were given to the call',
    ret: 'what the call returned',
    flags: 'flags of the call, in bits',
    cmd: 'command of fsconfig(2), or attributes of fsmount(2)',
  },
  computed: {
    call: { type: 'text_t', help: 'the call and its result, as C', value: callOf },
  },
  columns: {
    time: { flag: '-T, --timestamp' },
    comm: {},
    pid: {},
    tid: {},
    ppid: { when: 'parent' },
    pcomm: { when: 'parent' },
    mnt_ns: { width: 10 },
    latency: { when: 'detailed', header: 'LAT' },
    call: {},
  },
  attach: {
    optional: [
      'mount__tp',
      'mount_enter__tp',
      'umount__tp',
      'umount_enter__tp',
      'fsopen__tp',
      'fsopen_enter__tp',
      'fsconfig__tp',
      'fsconfig_enter__tp',
      'fsmount__tp',
      'fsmount_enter__tp',
      'move_mount__tp',
      'move_mount_enter__tp',
      'open_tree__tp',
      'open_tree_enter__tp',
      'fspick__tp',
      'fspick_enter__tp',
      'mount_setattr__tp',
      'mount_setattr_enter__tp',
      'pivot_root__tp',
      'pivot_root_enter__tp',
    ],
  },
  examples: {
    '': 'trace all',
    '-T -d': 'with the time, and how long it took',
    '-x': 'calls that failed',
    '-P --cgroup /system.slice': 'those of services, with the parent process',
  },
  sample: {
    before: 'A file system is mounted, and another one where there is no place:',
    args: '--comm mount --fields comm,mnt_ns,call',
    output: `
COMM                 MNT_NS CALL
mount            4026532178 mount("none", "/mnt", "tmpfs", 0, "size=1M") = 0
mount            4026532178 mount("none", "/no/such/place", "tmpfs", 0, "") = -ENOENT`,
    after:
      'Both were in the mount namespace 4026532178: compare with readlink /proc/self/ns/mnt to see whether that is the one of the host.',
  },
});

interface Call {
  readonly syscall: string | undefined;
  readonly names: readonly string[];
  readonly flags: number;
  readonly cmd: number;
  readonly fd: number | undefined;
  readonly ret: bigint;
  readonly error: number | undefined;
}

const mountFlags = bits(
  'MS_RDONLY MS_NOSUID MS_NODEV MS_NOEXEC MS_SYNCHRONOUS MS_REMOUNT MS_MANDLOCK MS_DIRSYNC MS_NOSYMFOLLOW - MS_NOATIME MS_NODIRATIME MS_BIND MS_MOVE MS_REC MS_SILENT MS_POSIXACL MS_UNBINDABLE MS_PRIVATE MS_SLAVE MS_SHARED MS_RELATIME MS_KERNMOUNT MS_I_VERSION MS_STRICTATIME MS_LAZYTIME',
);
const unmountFlags = bits('MNT_FORCE MNT_DETACH MNT_EXPIRE UMOUNT_NOFOLLOW');
const moveFlags = bits(
  'MOVE_MOUNT_F_SYMLINKS MOVE_MOUNT_F_AUTOMOUNTS MOVE_MOUNT_F_EMPTY_PATH - MOVE_MOUNT_T_SYMLINKS MOVE_MOUNT_T_AUTOMOUNTS MOVE_MOUNT_T_EMPTY_PATH - MOVE_MOUNT_SET_GROUP MOVE_MOUNT_BENEATH',
);
const commands = (
  'FSCONFIG_SET_FLAG FSCONFIG_SET_STRING FSCONFIG_SET_BINARY FSCONFIG_SET_PATH FSCONFIG_SET_PATH_EMPTY ' +
  'FSCONFIG_SET_FD FSCONFIG_CMD_CREATE FSCONFIG_CMD_RECONFIGURE FSCONFIG_CMD_CREATE_EXCL'
).split(' ');

function callOf(call: Call): string {
  const name = call.syscall ?? 'syscall';
  const result = call.error === undefined ? String(call.ret) : `-${errorName(call.error) ?? call.error}`;
  return `${name}(${argumentsOf(name.replace(/ .*/, ''), call).join(', ')}) = ${result}`;
}

function argumentsOf(name: string, { names, flags, cmd, fd: descriptor }: Call): readonly (string | number)[] {
  const [first = '', second = '', third = '', fourth = ''] = names.map((text) => `"${text}"`);
  const fd = descriptor ?? 'AT_FDCWD';
  switch (name) {
    case 'mount':
      return [first, second, third, flagNames(mountFlags, flags), fourth];
    case 'umount2':
    case 'umount':
      return [first, flagNames(unmountFlags, flags)];
    case 'fsopen':
      return [first, hex(flags)];
    case 'fsconfig':
      return [fd, commands[cmd] ?? cmd, first, ...(second === '' ? [] : [second])];
    case 'fsmount':
      return [fd, hex(flags), hex(cmd)];
    case 'move_mount':
      return [fd, first, second, flagNames(moveFlags, flags)];
    case 'pivot_root':
      return [first, second];
    default:
      return [fd, first, hex(flags)];
  }
}

function bits(names: string): readonly (readonly [bit: number, name: string])[] {
  return names.split(' ').map((name, i) => [2 ** i, name] as const);
}

function flagNames(names: readonly (readonly [number, string])[], flags: number): string {
  const found = names.filter(([bit, name]) => name !== '-' && (flags & bit) !== 0);
  const rest = found.reduce((left, [bit]) => left & ~bit, flags);
  return [...found.map(([, name]) => name), ...(rest === 0 && found.length > 0 ? [] : [hex(rest)])].join('|');
}

function hex(value: number): string {
  return value === 0 ? '0' : `0x${(value >>> 0).toString(16)}`;
}
