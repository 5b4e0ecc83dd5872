import bpf from '../bpf/offcputime.bpf.ts';
import { offCpuOptions, stacks } from '../lib/tool.ts';

export default stacks(bpf, {
  summary: 'Show where threads wait, and how long.',
  area: 'processors',
  activity: 'Tracing the time off the processors',
  description: `
Measures the time from each moment at which a thread leaves its processor to the moment at which it is back (sched:sched_switch), and adds it up by the stack with which it left: sleeping, waiting for a lock, for input or output, or for its turn after it was preempted. All threads wait at the same time, so the sum may be many times the duration.

A wait counts when it ends: a thread that waits until the end of the run, or that began to before its start, is not seen.`,
  overhead:
    'About 4 µs each time that a thread leaves its processor, most of it for the two stacks (run time of the programs on a busy 2-core virtual machine); filters make it less.',
  options: {
    ...offCpuOptions,
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
  sample: {
    before: 'cat reads from a pipe what another program writes:',
    args: '--comm cat -K --duration 2',
    output: `
    __schedule
    schedule
    anon_pipe_read
    vfs_read
    ksys_read
    do_syscall_64
    entry_SYSCALL_64_after_hwframe
    -                cat (929, 929)
        1922621`,
    after:
      'Of the two seconds, cat did not run for 1.92, all of it in a read from a pipe that was empty. That is no time to save in cat: who fills the pipe is told by wakeuptime and offwaketime.',
  },
});
