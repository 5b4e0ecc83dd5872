import bpf from '../bpf/traceloop.bpf.ts';
import {
  type BpfObject,
  errorName,
  filters,
  integer,
  KscopeError,
  lacksStructure,
  list,
  SyscallArguments,
  snoop,
  syscallNumbers,
} from '../lib/tool.ts';

const usual = 64;
const most = 256;
const NUMBERS = 1024;

/** A structure of 5.15, for an instruction of 5.12. */
const isOld = lacksStructure('bpf_trace_run_ctx');

let calls: SyscallArguments | undefined;

/** What the program knows of each system call by its number. */
function tell(object: BpfObject, wanted: readonly string[] | undefined): void {
  calls ??= new SyscallArguments();
  const declared = calls;
  const known = object.map<number, { wanted: boolean; first: number; second: number }>('known');
  for (const name of new Set([...declared.names(), ...(wanted ?? [])])) {
    const texts = (declared.of(name) ?? []).flatMap(({ text }, index) => (text ? [index + 1] : []));
    const [number = NUMBERS] = syscallNumbers(name);
    if (number < NUMBERS) {
      known.set(number, { wanted: wanted?.includes(name) === true, first: texts[0] ?? 0, second: texts[1] ?? 0 });
    }
  }
}

export default snoop(bpf, {
  summary: 'Keep the last system calls of each process until somebody asks.',
  area: 'processes',
  activity: 'Recording system calls',
  description: `
A flight recorder: the kernel keeps the last system calls of each process, 64 unless --last says otherwise, and forgets older ones. Nothing is printed until somebody asks: with SIGUSR1, all that is kept is printed and forgotten (pkill -USR1 traceloop); at the end, what is left; and when a signal ends a process, such as a fault or the killer of processes when memory is short, its calls are printed by themselves. So it can run for as long as it takes until what is looked for happens, and says what was done just before.

A call without RET has not returned: the process is in it, or has ended in it, as in exit_group(2); RET from -516 to -512 is one that a signal interrupted. Arguments have their names as the kernel declares them, those that are text their first 63 bytes, of two texts at most; all numbers are in the field args. A text that changes while the call is made may be shown as it was before. Before Linux 5.15, of two calls that threads of a process begin at the same moment one may be missing. The 32768 calls that were made last are kept of all processes together, and those of processes that have ended until others need the room: with many processes, each has fewer than its 64.`,
  overhead:
    'About 1 µs for each system call that is kept (measured on a busy 2-core virtual machine), and 10 MB of memory.',
  options: {
    ...filters,
    last: integer(
      '-n, --last <COUNT>',
      `number of calls that are kept of each process; usually ${usual}, up to ${most}`,
      {
        set: 'last',
        min: 1,
        max: most,
      },
    ),
    syscalls: list('-s, --syscalls <NAMES>', 'only these system calls', parseCall, {
      group: 'filter',
      hidden: ['--syscall-filters'],
    }),
  },
  waiting: 'calls',
  waitingOrder: 'number',
  shownOn: 'SIGUSR1',
  attach: {
    either: () => {
      const plans = [['sys_enter__tp_btf'], ['sys_enter_shared__tp_btf']] as const;
      return isOld() === undefined ? plans : plans.toReversed();
    },
  },
  prepare(object, { syscalls }) {
    object.globals.set('only_known', syscalls !== undefined);
  },
  loaded(object, { syscalls }) {
    tell(object, syscalls);
  },
  meanings: {
    text: 'first argument that is a text',
    text2: 'second argument that is a text',
    number: 'place of the call among those of the process',
    ret: 'what the call returned',
  },
  computed: {
    parameters: {
      type: 'text_t',
      help: 'arguments of the call, by their names',
      value({ syscall, args, text, text2 }) {
        const texts = [text, text2];
        const declared = calls?.of(syscall ?? '') ?? args.map((_, i) => ({ name: `arg${i + 1}`, text: false }));
        return declared
          .map(({ name, text: isText }, index) => {
            const given = isText ? texts.shift() : undefined;
            return `${name}=${given === undefined ? numberOf(BigInt(args[index] ?? 0)) : `"${given}"`}`;
          })
          .join(', ');
      },
    },
  },
  columns: {
    time: {},
    cpu: {},
    pid: {},
    tid: { flag: '-I, --print-tids' },
    comm: {},
    syscall: { width: 16 },
    duration: { flag: '-L, --latency', summary: 'show how long the calls took' },
    ret: {
      width: 10,
      text: (ret, { unfinished, error }) =>
        unfinished ? '...' : ((error === undefined ? undefined : errorName(error)) ?? numberOf(ret)),
    },
    parameters: {},
  },
  examples: {
    '': 'keep what all processes do, and print it at the end or at SIGUSR1',
    '-n 200 -p 181': 'the last 200 calls of process 181, when it is killed or on demand',
    '-s openat,connect --cgroup /system.slice': 'only these calls, of services',
  },
  sample: {
    before: 'A shell writes a line to a file and ends:',
    args: '-n 10 --fields pid,syscall,ret,parameters -- sh -c "echo hello > /tmp/greeting; exit"',
    output: `
    PID SYSCALL                 RET PARAMETERS
  10173 openat                    3 dfd=-100, filename="/tmp/greeting", flags=577, mode=438
  10173 fcntl                    10 fd=1, cmd=0, arg=10
  10173 close                     0 fd=1
  10173 fcntl                     0 fd=10, cmd=2, arg=1
  10173 dup2                      1 oldfd=3, newfd=1
  10173 close                     0 fd=3
  10173 write                     6 fd=1, buf=0x55afa2c3abe0, count=6
  10173 dup2                      1 oldfd=10, newfd=1
  10173 close                     0 fd=10
  10173 exit_group              ... error_code=0`,
    after:
      'These are the last calls of the shell, which ends in the one that never returns. It opens the file, puts it in the place of its standard output, writes six bytes, and puts the old one back: how > works. Of a program that crashed, the last lines are what it did before.',
  },
});

function parseCall(name: string): string {
  if (syscallNumbers(name).length === 0) {
    throw new KscopeError('usage', `'${name}' is not a system call of this architecture`);
  }
  return name;
}

/** Small numbers as they are, as descriptors and sizes mostly are; addresses and flags as the machine has them. */
function numberOf(value: bigint): string {
  const signed = BigInt.asIntN(value < 2n ** 32n ? 32 : 64, value);
  return signed > -4096n && signed < 65536n ? String(signed) : `0x${BigInt.asUintN(64, value).toString(16)}`;
}
