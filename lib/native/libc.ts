import { koffi } from './koffi.ts';
import { bind, type Memory, type Pointer } from './library.ts';

export interface Libc {
  mmap(address: null, length: number, protection: number, flags: number, fd: number, offset: number): bigint;
  munmap(address: bigint, length: number): number;
  close(fd: number): number;
  open(path: string, flags: number, mode: number): number;
  ioctl(fd: number, request: number | bigint, argument: number | bigint): number;
  /** perf_event_open(2) has no wrapper in libc. */
  syscall(number: number, a: Memory, b: number, c: number, d: number, e: number): number;
  clock_gettime(clock: number, time: Uint8Array): number;
  vsnprintf(text: Uint8Array, size: number, format: bigint, args: bigint): number;
  strerror(error: number): string;
  mount(source: string | null, target: string, type: string | null, flags: number, data: null): number;
  unshare(flags: number): number;
  getpagesize(): number;
  sysinfo(info: Uint8Array): number;
  poll(descriptors: Uint8Array, count: number, timeout: number): number;
  _exit(status: number): void;
}

// musl and glibc both answer to their own name inside the process, whose libc is already loaded.
export const libc = bind<Libc>(() => koffi().load(null), {
  mmap: 'intptr_t mmap(void *address, size_t length, int protection, int flags, int fd, int64_t offset)',
  munmap: 'int munmap(intptr_t address, size_t length)',
  close: 'int close(int fd)',
  open: 'int open(const char *path, int flags, uint32_t mode)',
  ioctl: 'int ioctl(int fd, ulong request, intptr_t argument)',
  syscall: 'long syscall(long number, void *a, long b, long c, long d, long e)',
  clock_gettime: 'int clock_gettime(int clock, void *time)',
  vsnprintf: 'int vsnprintf(void *text, size_t size, void *format, void *args)',
  strerror: 'const char *strerror(int error)',
  mount: 'int mount(const char *source, const char *target, const char *type, ulong flags, void *data)',
  unshare: 'int unshare(int flags)',
  getpagesize: 'int getpagesize()',
  sysinfo: 'int sysinfo(void *info)',
  poll: 'int poll(void *descriptors, ulong count, int timeout)',
  _exit: 'void _exit(int status)',
});

/** What the kernel hands out at once. */
export function pageBytes(): number {
  return libc.getpagesize();
}

/** errno of the last native call of this thread. */
export function errno(): number {
  return koffi().errno();
}

/** 'No such file or directory (ENOENT)' for 2; negative results of libbpf may be given as they are. */
export function errorText(error: number): string {
  const number = Math.abs(error);
  const name = Object.keys(koffi().os.errno).find((key) => koffi().os.errno[key] === number);
  const text = number === 524 ? 'Operation is not supported' : libc.strerror(number);
  return `${text} (${number === 524 ? 'ENOTSUPP' : (name ?? number)})`;
}

export type { Pointer };
