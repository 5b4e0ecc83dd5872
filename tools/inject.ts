import bpf from '../bpf/inject.bpf.ts';
import {
  accepted,
  filters,
  flag,
  integer,
  KscopeError,
  kernelFunctionExtent,
  type Option,
  parseError,
  replaceableResult,
  snoop,
  text,
} from '../lib/tool.ts';

/** Names for what is asked whether memory and disks shall fail. */
const modes: Readonly<Record<string, readonly [string, string]>> = {
  kmalloc: ['should_failslab', 'ENOMEM'],
  alloc_page: ['should_fail_alloc_page', 'ENOMEM'],
  bio: ['should_fail_bio', 'EIO'],
};

interface Fault {
  readonly name: string;
  readonly error: number;
}

function parseFault(given: string): Fault {
  const [named = '', ...rest] = given.split('=');
  const [name, usual] = modes[named] ?? [named, named.startsWith('security_') ? 'EACCES' : 'EIO'];
  return { name, error: parseError(rest.length > 0 ? rest.join('=') : usual) };
}

const fault: Option<Fault | undefined, never> = {
  flags: '<function>',
  summary: 'function of the kernel, and with =ERROR (EIO, ENOSPC ...) how it fails; or kmalloc, alloc_page or bio',
  parse: parseFault,
};

const probability: Option<number | undefined, 'chance'> = {
  flags: '-P, --probability <SHARE>',
  summary: 'how likely each call is to fail, from 0 to 1; usually 1',
  set: 'chance',
  parse: (given) => {
    const value = /^(\d+(\.\d*)?|\.\d+)$/.test(given) ? Number(given) : Number.NaN;
    if (!(value <= 1)) {
      throw new KscopeError('usage', `'${given}' is not a number from 0 to 1`);
    }
    return value;
  },
  encode: (value) => BigInt(Math.round(value * 2 ** 32)),
};

export default snoop(bpf, {
  summary: 'Have functions of the kernel fail, to see what programs make of it.',
  area: 'processes',
  activity: 'Having calls fail',
  description: `
Makes calls of a function of the kernel fail for chosen processes, and prints a line for each that did: to find out what a program does when a file cannot be opened, a socket cannot be bound or a disk is full. The function is not called, its caller gets the error instead (fmod_ret). At the end follows how many failed, by process.

This changes what programs do. So it wants to be told whose calls shall fail: by a filter, or a command behind --, which is one process without its children (--cgroup has all). Without, it does not start, unless --all is given: then any process can fail, whatever it is doing, but never this one. When inject ends, however that is, so do the failures: nothing is left in the kernel.

The kernel permits that for two kinds of functions. Those that ask the security modules, security_NAME, are behind all that a program may be refused: security_file_open, security_inode_mkdir, security_socket_connect, security_task_alloc (fork); lsmsnoop shows which a program calls. What they return is usually handed to the program as it is, so that any error can be had, also ones that no security module has. Few return something else than an error, and some are called in interrupts, where the current process is any. The others are in /sys/kernel/debug/error_injection/list of kernels with CONFIG_FUNCTION_ERROR_INJECTION, which distributions leave out: with it, and with CONFIG_FAILSLAB, CONFIG_FAIL_PAGE_ALLOC or CONFIG_FAIL_MAKE_REQUEST, kmalloc stands for should_failslab, alloc_page for should_fail_alloc_page and bio for should_fail_bio, each with its error. Functions without a result cannot fail.

--under is for calls on the way of another function only: one that is in the kernel stack, by its name in /proc/kallsyms. What the compiler has merged into its callers, or left by a jump, is not there: such are many __x64_sys_NAME. Predicates about arguments are not supported.`,
  overhead:
    'For each call of the function 0.4 µs where it is made by others, 0.8 µs where it may fail, and with --under 19 µs there for the stack (run time of the program in an emulated guest with Linux 6.1, some times slower than a machine: mkdir(2) and rmdir(2) take 55 µs together without it).',
  options: {
    fault,
    includes: accepted('-I, --include <HEADER>'),
    ...filters,
    all: flag('-a, --all', 'calls of any process; otherwise a filter must be given'),
    probability,
    most: integer('-c, --count <COUNT>', 'let at most this many calls fail', { min: 1, max: 100000 }),
    under: text('--under <FUNCTION>', 'only calls below this function of the kernel', { group: 'filter' }),
  },
  computed: {
    function: {
      type: 'text_t',
      help: 'the function that was not called',
      value: (_, values) => values.fault?.name ?? '',
    },
  },
  columns: {
    time: {},
    uid: { flag: '-U, --print-uid' },
    pid: {},
    comm: {},
    syscall: { width: 16 },
    function: { width: 24 },
    error: { header: 'ERR' },
  },
  count: { by: ['pid', 'comm', 'function', 'error'], header: 'FAILED' },
  attach: {
    targets: ({ fault }) => (fault === undefined ? {} : { replace__fmod_ret: fault.name }),
  },
  prepare: (object, { fault, most, under, all, pid, tid, uid, comm, cgroup, cgroupMap, mountNamespaceMap }) => {
    if (!all && !uid && [pid, tid, comm, cgroup, cgroupMap, mountNamespaceMap].every((one) => one === undefined)) {
      throw new KscopeError('usage', 'no filter says whose calls shall fail', {
        hint: 'give a process (-p), a name (--comm), a cgroup (--cgroup), a command (-- COMMAND), or --all',
      });
    }
    if (fault !== undefined) {
      object.globals.set('instead', replaceableResult(fault.name) === 'true' ? 1 : -fault.error);
    }
    if (most !== undefined) {
      object.globals.set('limited', true);
      object.map('permits').maxEntries = most;
    }
    if (under !== undefined) {
      const [start, end] = kernelFunctionExtent(under);
      object.globals.set('under_start', start);
      object.globals.set('under_end', end);
    }
  },
  loaded: (object, { most = 0 }) => {
    for (let permit = 0; permit < most; permit++) {
      object.map('permits').push(0);
    }
  },
  examples: {
    'security_inode_mkdir=ENOSPC --comm backup': 'no directory can be made by what is called backup',
    'security_file_open=EMFILE -p 181 -c 3': 'the next three files that process 181 opens',
    'security_socket_connect=ETIMEDOUT -P 0.1 --cgroup /sys/fs/cgroup/app': 'one connection of ten, in a container',
    'security_task_alloc=EAGAIN -u 1000': 'a user who can start neither processes nor threads',
    'kmalloc -p 181 --under vfs_write -c 1': 'memory for a write, where the kernel can do that',
  },
  sample: {
    before:
      'Two calls of mkdir(2) are to fail as if the disk were full; three directories are made, one after the other:',
    args: 'security_inode_mkdir=ENOSPC --comm mkdir -c 2',
    output: `
TIME         PID COMM             SYSCALL          FUNCTION                 ERR
21:29:17     272 mkdir            mkdir            security_inode_mkdir     ENOSPC
21:29:18     273 mkdir            mkdir            security_inode_mkdir     ENOSPC

PID COMM  FUNCTION             ERR    FAILED
272 mkdir security_inode_mkdir ENOSPC      1
273 mkdir security_inode_mkdir ENOSPC      1`,
    after:
      'Two mkdir(1) said "No space left on device", and the third made its directory. So would any program be told whose name is mkdir, and no other. What is to be looked at is what the program does then: whether it says so, tries again, or leaves half of its work behind.',
  },
});
