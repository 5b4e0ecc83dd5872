import bpf from '../bpf/shmsnoop.bpf.ts';
import { durationOption, failedOnly, filters, nameContains, snoop } from '../lib/tool.ts';

export default snoop(bpf, {
  summary: 'Trace the system calls for System V shared memory.',
  area: 'processes',
  activity: 'Tracing shmget(2), shmat(2), shmdt(2) and shmctl(2)',
  description: `
Prints a line for each shmget(2), shmat(2), shmdt(2) and shmctl(2) when it returns, with its arguments and its result: an identifier, or an address for shmat(2). Shared memory of POSIX (shm_open(3)), of memfd_create(2) and of mappings is not seen.`,
  overhead: 'About 1 to 2 µs for each call (run time of the programs on a busy 2-core virtual machine).',
  options: { ...filters, name: nameContains, failed: failedOnly, duration: durationOption },
  keep: ({ comm }, { name }) => name === undefined || comm.includes(name),
  meanings: {
    ret: 'what the call returned',
    arg1: 'first argument of the call',
    arg2: 'second argument of the call',
    arg3: 'third argument of the call, if it has one',
  },
  computed: { request: { type: 'text_t', help: 'what the call asked for: arguments by name', value: argumentsOf } },
  columns: {
    time: { flag: '-T, --timestamp' },
    pid: {},
    tid: { when: 'tid' },
    comm: {},
    syscall: { header: 'SYS', width: 6 },
    ret: {
      width: 14,
      text: (ret, { syscall, error }) => (error === undefined && syscall === 'shmat' ? hex(ret) : String(ret)),
    },
    error: { header: 'ERR' },
    request: { header: 'ARGs' },
  },
  examples: { '': 'trace all', '-x': 'calls that failed', '-T -p 181': 'those of process 181, with the time' },
  sample: {
    before: 'A program makes a segment of shared memory, uses it and removes it, and then tries to attach to it again:',
    args: '',
    output: `
    PID COMM             SYS               RET ERR     ARGs
  21691 python3          shmget          65548 -       key: 0x1234, size: 1048576, shmflg: 01600
  21691 python3          shmat  0x7f4c23857000 -       shmid: 65548, shmaddr: 0x0, shmflg: 0x0
  21691 python3          shmdt               0 -       shmaddr: 0x7f4c23857000
  21691 python3          shmctl              0 -       shmid: 65548, cmd: IPC_RMID, buf: 0x0
  21691 python3          shmat             -22 EINVAL  shmid: 65548, shmaddr: 0x0, shmflg: 0x0`,
    after:
      'shmget returns the id of the segment, and shmat where it lies. After IPC_RMID, and when nobody is attached, the id is no longer valid: EINVAL. A segment whose IPC_RMID never comes stays until the machine is restarted.',
  },
});

interface Call {
  readonly syscall: string | undefined;
  readonly arg1: bigint;
  readonly arg2: bigint;
  readonly arg3: bigint;
}

const IPC_64 = 0x100;
const commands: Readonly<Record<number, string>> = {
  0: 'IPC_RMID',
  1: 'IPC_SET',
  2: 'IPC_STAT',
  3: 'IPC_INFO',
  11: 'SHM_LOCK',
  12: 'SHM_UNLOCK',
  13: 'SHM_STAT',
  14: 'SHM_INFO',
  15: 'SHM_STAT_ANY',
};

function argumentsOf({ syscall, arg1, arg2, arg3 }: Call): string {
  switch (syscall) {
    case 'shmget':
      return `key: ${hex(low(arg1))}, size: ${arg2}, shmflg: 0${low(arg3).toString(8)}`;
    case 'shmat':
      return `shmid: ${Number(low(arg1))}, shmaddr: ${hex(arg2)}, shmflg: ${hex(low(arg3))}`;
    case 'shmdt':
      return `shmaddr: ${hex(arg1)}`;
    default: {
      const command = Number(low(arg2)) & ~IPC_64;
      return `shmid: ${Number(low(arg1))}, cmd: ${commands[command] ?? command}, buf: ${hex(arg3)}`;
    }
  }
}

function low(value: bigint): bigint {
  return BigInt.asUintN(32, value);
}

function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}
