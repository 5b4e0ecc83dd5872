import bpf from '../bpf/threadsample.bpf.ts';
import { filters, flag, kernelFunction, lockFunctions, snapshot } from '../lib/tool.ts';

const NOWHERE = '0x0';

export default snapshot(bpf, {
  summary: 'Sample the state, call and kernel stack of all threads.',
  area: 'processes',
  activity: 'Sampling threads',
  description: `
Prints a line for each thread that is active: that runs (RUN), waits for a processor (RUNQ), or waits without being interruptible, mostly for a device (DISK). With --all also those that sleep or are stopped, and with --kernel threads of the kernel, of which those without work are IDLE. With an interval the sample is taken again each time: what is there often is what takes the time.

SYSCALL is the system call that a thread is in, and FUNCTION the function of the kernel that waits there: the innermost that is not itself one for waiting or locking. Of a thread that runs both are unknown, since it does not stand still. A thread that waits for a processor may be in no system call. Nothing is hooked: threads do not notice being looked at. The kernel lists one thread after the other, not all at one moment.`,
  overhead:
    'Nothing but the time of each sample: about 3 µs for each thread in the kernel (measured on a busy 2-core virtual machine).',
  options: {
    ...filters,
    all: flag('-a, --all', 'also threads that sleep or are stopped', { set: 'with_sleeping' }),
    kernel: flag('-k, --kernel', 'also threads of the kernel', { set: 'with_kernel' }),
    stacks: flag('-s, --stacks', 'show the kernel stack, the innermost function first', { group: 'column' }),
  },
  rows: (records) => records,
  computed: {
    function: {
      type: 'maybe_text_t',
      help: 'function of the kernel that waits',
      value: ({ address }) => (address === NOWHERE ? undefined : kernelFunction(address)),
    },
    trace: {
      type: 'maybe_text_t',
      help: 'functions of the kernel, the innermost first',
      value: ({ frames }) => named(frames) || undefined,
    },
  },
  columns: {
    tid: {},
    pid: {},
    uid: { flag: '-U, --print-uid', summary: 'show the user id' },
    comm: {},
    state: { width: 6 },
    syscall: { width: 18 },
    function: { width: 24 },
    trace: { header: 'STACK', when: 'stacks' },
  },
  prepare: (object) => object.globals.set('lock_functions', lockFunctions()),
  examples: {
    '': 'the threads that are active now',
    '1 10': 'a sample each second, 10 times',
    '-a -s -p 181': 'where each thread of process 181 is, with its kernel stack',
  },
  sample: {
    before: 'A program has three threads besides its main one: one computes, one sleeps, and one reads from a pipe:',
    args: '-a -p 24304',
    output: `
  TID   PID COMM    STATE SYSCALL         FUNCTION
24304 24304 python3 SLEEP clock_nanosleep hrtimer_nanosleep
24305 24304 python3 RUNQ  -               irqentry_exit_to_user_mode
24306 24304 python3 SLEEP clock_nanosleep hrtimer_nanosleep
24310 24304 python3 SLEEP read            anon_pipe_read`,
    after:
      'Only thread 24305 has something to do, and waits in the queue of a processor to go on with it: without -a it would be the only line. The others say what they wait for by their system call and the function in which they sleep.',
  },
});

function named(frames: readonly string[]): string {
  return frames
    .filter((address) => address !== NOWHERE)
    .map(kernelFunction)
    .join(' < ');
}
