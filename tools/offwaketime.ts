import bpf from '../bpf/offwaketime.bpf.ts';
import { offCpuOptions, stacks } from '../lib/tool.ts';

export default stacks(bpf, {
  summary: 'Show where threads wait, how long, and who ends it.',
  area: 'processors',
  activity: 'Tracing the time off the processors and wakeups',
  description: `
Measures the time from each moment at which a thread leaves its processor to the moment at which it is back (sched:sched_switch), and adds it up by the stack with which it left and the kernel stack of the one that woke it (sched:sched_waking). Both are one stack here: the waker's frames come behind those of the sleeper and '--', the innermost first, and behind them its name, so that a flame graph has the waker on top of the one that waits.

A wakeup by an interrupt, such as that of a timer or a disk, has the name of whatever was interrupted: its stack tells. Where a thread was not woken, as after it was preempted, there are only its own frames. A wait counts when it ends: a thread that waits until the end of the run, or that began to before its start, is not seen. The filters are about the one that waits.`,
  overhead:
    'About 4.5 µs each time that a thread leaves its processor and 3 µs for each wakeup (measured on a busy 2-core virtual machine), most of it for the stacks; filters make it less.',
  options: offCpuOptions,
  map: 'times',
  meanings: { waker: 'command name of what woke it' },
  table: 'stacks',
  kernel: 'kernel',
  user: 'user',
  waker: 'waker_kernel',
  tip: 'waker',
  process: 'pid',
  weight: 'time',
  unit: 'usecs',
  scale: 1000,
  examples: {
    '': 'add up until Ctrl-C',
    '-p 181 5': 'where the threads of process 181 wait, and for whom, for 5 seconds',
    '--flame waits.svg -m 1000 30': 'a flame graph of the waits of a millisecond and more',
  },
  sample: {
    before: 'The program perl writes a byte to a pipe every 10 milliseconds, which cat reads:',
    args: '--comm cat --duration 2',
    output: `
    waker: perl
    entry_SYSCALL_64_after_hwframe
    do_syscall_64
    ksys_write
    vfs_write
    anon_pipe_write
    try_to_wake_up
    --
    schedule
    anon_pipe_read
    vfs_read
    ksys_read
    do_syscall_64
    entry_SYSCALL_64_after_hwframe
    __read
    -                cat (867, 867, 866)
        1993755`,
    after:
      'From below: cat waited 1.99 seconds in a read(2) from a pipe, and it was perl, writing to the pipe, that ended the waits. Some lines are left out here. What perl does meanwhile is the next question: offcputime --comm perl.',
  },
});
