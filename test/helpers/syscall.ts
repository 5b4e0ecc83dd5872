import koffi from 'koffi';

/** Numbers of system calls on x64 and arm64; a missing second one means that arm64 does not have the call. */
const numbers = {
  accept4: [288, 242],
  bind: [49, 200],
  bpf: [321, 280],
  chroot: [161, 51],
  chdir: [80, 49],
  close: [3, 57],
  connect: [42, 203],
  creat: [85],
  execve: [59, 221],
  execveat: [322, 281],
  exit: [60, 93],
  exit_group: [231, 94],
  getsockname: [51, 204],
  gettid: [186, 178],
  listen: [50, 201],
  mkdirat: [258, 34],
  mount: [165, 40],
  open: [2],
  openat: [257, 56],
  openat2: [437, 437],
  prctl: [157, 167],
  read: [0, 63],
  recvfrom: [45, 207],
  sendto: [44, 206],
  setresuid: [117, 147],
  setsockopt: [54, 208],
  socket: [41, 198],
  umount2: [166, 39],
  unlinkat: [263, 35],
  unshare: [272, 97],
  wait4: [61, 260],
} as const satisfies Readonly<Record<string, readonly [number, number?]>>;

export type SyscallName = keyof typeof numbers;

/** A number, a C string, memory to read or write, or a list of C strings that ends with NULL. */
export type Argument = number | bigint | string | Uint8Array | readonly (string | Uint8Array)[];

const native = koffi
  .load(null)
  .func('long syscall(long number, intptr_t a, intptr_t b, intptr_t c, intptr_t d, intptr_t e, intptr_t f)');

/** Memory of the call that is under way, which nothing else may hold on to. */
let held: Uint8Array[] = [];

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
  held = [];
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = args.map(asNumber);
  const result = Number(native(number, a, b, c, d, e, f));
  held = [];
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

/** Address of memory that a structure given to a system call points to; valid while the caller holds the memory. */
export function pointerTo(memory: Uint8Array): bigint {
  return koffi.address(memory);
}

/** 'ENOENT' for 2. */
export function errorName(errno: number): string {
  return Object.entries(koffi.os.errno).find(([, number]) => number === errno)?.[0] ?? String(errno);
}

function numberOf(name: SyscallName): number | undefined {
  return numbers[name][process.arch === 'arm64' ? 1 : 0];
}

function asNumber(argument: Argument): number | bigint {
  if (typeof argument === 'number' || typeof argument === 'bigint') {
    return argument;
  }
  if (typeof argument === 'string') {
    return addressOf(Buffer.from(`${argument}\0`));
  }
  if (argument instanceof Uint8Array) {
    return addressOf(argument);
  }
  const pointers = argument.map((one) => addressOf(Buffer.concat([Buffer.from(one as string), Buffer.of(0)])));
  return addressOf(new Uint8Array(BigUint64Array.from([...pointers, 0n]).buffer));
}

function addressOf(memory: Uint8Array): bigint {
  held.push(memory);
  return pointerTo(memory);
}
