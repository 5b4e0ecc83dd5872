import bpf from '../bpf/offcputime.bpf.ts';
import { filters, flag, integer, stacks } from '../lib/tool.ts';

export default stacks(bpf, {
  summary: 'Show where threads wait, and how long.',
  activity: 'Tracing the time off the processors',
  description: `
Measures the time from each moment at which a thread leaves its processor to the moment at which it is back, and adds it up by the stack with which it left: sleeping, waiting for a lock, for input or output, or for its turn after it was preempted. All threads wait at the same time, so the sum may be many times the duration.

A wait counts when it ends: a thread that waits until the end of the run, or that began to before its start, is not seen.`,
  overhead: `About 5 microseconds each time that a thread leaves its processor, most of it for the two stacks; filters make it less.`,
  options: {
    ...filters,
    userThreads: flag('--user-threads-only', 'only threads of user processes', {
      set: 'user_threads',
      conflicts: ['kernelThreads'],
    }),
    kernelThreads: flag('-k, --kernel-threads-only', 'only threads of the kernel', { set: 'kernel_threads' }),
    user: flag('-U, --user-stacks-only', 'only user stacks', {
      set: 'user_only',
      hidden: ['--user'],
      conflicts: ['kernel'],
    }),
    kernel: flag('-K, --kernel-stacks-only', 'only kernel stacks', { set: 'kernel_only', hidden: ['--kernel'] }),
    least: integer('-m, --min-block-time <USECS>', 'only waits of at least so many microseconds; usually 1', {
      set: 'min_block',
    }),
    most: integer('-M, --max-block-time <USECS>', 'only waits of at most so many microseconds', { set: 'max_block' }),
    state: integer(
      '--state <MASK>',
      'only threads left in one of these states: 1 sleeps, 2 waits for a device, 0 runs',
      {
        set: 'state_mask',
        max: 1023,
      },
    ),
  },
  map: 'times',
  table: 'stacks',
  kernel: 'kernel',
  user: 'user',
  process: 'pid',
  weight: 'time',
  unit: 'usecs',
  scale: 1000,
  examples: {
    '': 'add up until Ctrl-C',
    '-p 181 5': 'where the threads of process 181 wait, for 5 seconds',
    '-f -K --state 2 10': 'a line for each kernel stack that waits for a device',
    '-m 10000 --flame waits.svg 30': 'a flame graph of the waits of 10 milliseconds and more',
  },
});
