import koffi from 'koffi';
import { type Argument, NativeArguments } from './native-arguments.ts';

/** Numbers of system calls on x64 and arm64; a missing second one means that arm64 does not have the call. */
const numbers = {
  accept4: [288, 242],
  bind: [49, 200],
  bpf: [321, 280],
  chdir: [80, 49],
  chroot: [161, 51],
  clock_nanosleep: [230, 115],
  close: [3, 57],
  connect: [42, 203],
  creat: [85],
  execve: [59, 221],
  execveat: [322, 281],
  exit: [60, 93],
  exit_group: [231, 94],
  fadvise64: [221, 223],
  fanotify_init: [300, 262],
  fanotify_mark: [301, 263],
  fdatasync: [75, 83],
  fsconfig: [431, 431],
  fsmount: [432, 432],
  fsopen: [430, 430],
  fstat: [5, 80],
  fstatfs: [138, 44],
  fsync: [74, 82],
  futex: [202, 98],
  futex_wait: [455, 455],
  futex_waitv: [449, 449],
  getsockname: [51, 204],
  getsockopt: [55, 209],
  gettid: [186, 178],
  inotify_add_watch: [254, 27],
  inotify_init1: [294, 26],
  io_destroy: [207, 1],
  io_getevents: [208, 4],
  io_setup: [206, 0],
  io_submit: [209, 2],
  ioctl: [16, 29],
  kill: [62, 129],
  link: [86],
  linkat: [265, 37],
  listen: [50, 201],
  lseek: [8, 62],
  lstat: [6],
  madvise: [28, 233],
  mbind: [237, 235],
  mknodat: [259, 33],
  mkdirat: [258, 34],
  mmap: [9, 222],
  mount: [165, 40],
  move_mount: [429, 429],
  move_pages: [279, 239],
  msync: [26, 227],
  munmap: [11, 215],
  nanosleep: [35, 101],
  newfstatat: [262, 79],
  open: [2],
  openat: [257, 56],
  openat2: [437, 437],
  pidfd_getfd: [438, 438],
  pidfd_open: [434, 434],
  pidfd_send_signal: [424, 424],
  pipe2: [293, 59],
  prctl: [157, 167],
  pread64: [17, 67],
  preadv: [295, 69],
  preadv2: [327, 286],
  process_vm_readv: [310, 270],
  ptrace: [101, 117],
  pwrite64: [18, 68],
  pwritev: [296, 70],
  pwritev2: [328, 287],
  read: [0, 63],
  readlinkat: [267, 78],
  readv: [19, 65],
  recvfrom: [45, 207],
  recvmmsg: [299, 243],
  recvmsg: [47, 212],
  rename: [82],
  renameat: [264, 38],
  renameat2: [316, 276],
  rmdir: [84],
  rt_sigqueueinfo: [129, 138],
  rt_tgsigqueueinfo: [297, 240],
  sched_getaffinity: [204, 123],
  sched_setaffinity: [203, 122],
  seccomp: [317, 277],
  setpriority: [141, 140],
  sendfile: [40, 71],
  sendmmsg: [307, 269],
  sendmsg: [46, 211],
  sendto: [44, 206],
  setfsgid: [123, 152],
  setfsuid: [122, 151],
  setgid: [106, 144],
  setregid: [114, 143],
  setresgid: [119, 149],
  setresuid: [117, 147],
  setreuid: [113, 145],
  setsockopt: [54, 208],
  settimeofday: [164, 170],
  shmat: [30, 196],
  shmctl: [31, 195],
  shmdt: [67, 197],
  shmget: [29, 194],
  setuid: [105, 146],
  socket: [41, 198],
  socketpair: [53, 199],
  splice: [275, 76],
  stat: [4],
  statfs: [137, 43],
  statx: [332, 291],
  symlink: [88],
  symlinkat: [266, 36],
  sync: [162, 81],
  sync_file_range: [277, 84],
  syncfs: [306, 267],
  tgkill: [234, 131],
  tkill: [200, 130],
  umount2: [166, 39],
  unlink: [87],
  unlinkat: [263, 35],
  unshare: [272, 97],
  wait4: [61, 260],
  write: [1, 64],
  writev: [20, 66],
} as const satisfies Readonly<Record<string, readonly [number, number?]>>;

export type SyscallName = keyof typeof numbers;

const native = koffi
  .load(null)
  .func('long syscall(long number, intptr_t a, intptr_t b, intptr_t c, intptr_t d, intptr_t e, intptr_t f)');

/** Whether this architecture has the system call at all. */
export function hasSyscall(name: SyscallName): boolean {
  return numberOf(name) !== undefined;
}

/** Makes a system call in this very thread, and no other one. @returns its result, or the negative errno */
export function syscall(name: SyscallName, ...args: readonly Argument[]): number {
  const number = numberOf(name);
  if (number === undefined) {
    throw new Error(`${process.arch} has no system call ${name}`);
  }
  using given = new NativeArguments(args);
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = given.numbers;
  const result = Number(native(number, a, b, c, d, e, f));
  return result === -1 ? -koffi.errno() : result;
}

/** The same, and throws when the call fails. */
export function mustSyscall(name: SyscallName, ...args: readonly Argument[]): number {
  const result = syscall(name, ...args);
  if (result < 0) {
    throw new Error(`${name}: ${errorName(-result)}`);
  }
  return result;
}

/** 'ENOENT' for 2. */
export function errorName(errno: number): string {
  return Object.entries(koffi.os.errno).find(([, number]) => number === errno)?.[0] ?? String(errno);
}

/** Number of a system call here; undefined where there is none. */
export function numberOf(name: SyscallName): number | undefined {
  return numbers[name][process.arch === 'arm64' ? 1 : 0];
}
