import bpf from '../bpf/wakeuptime.bpf.ts';
import { blockTimeOptions, filters, flag, stacks } from '../lib/tool.ts';

export default stacks(bpf, {
  summary: 'Show who wakes sleeping threads, and how long they slept.',
  area: 'processors',
  activity: 'Tracing the time until wakeups',
  description: `
Measures the time from the moment at which a thread goes to sleep (sched:sched_switch) to the moment at which another one wakes it (sched:sched_waking), and adds it up by the kernel stack of the waker, its name and the name of the one that slept. The filters are about the one that sleeps.

A wakeup by an interrupt, such as that of a timer or a disk, has the name of whatever was interrupted: its stack tells. A thread that is preempted needs no wakeup and is not counted; nor is one that sleeps until the end of the run.`,
  overhead:
    'About 0.3 µs each time that a thread leaves its processor and 3 µs for each wakeup (run time of the programs on a busy 2-core virtual machine).',
  options: {
    ...filters,
    userThreads: flag('--user-threads-only', 'only threads of user processes', {
      set: 'user_threads',
      group: 'filter',
      hidden: ['--useronly'],
    }),
    ...blockTimeOptions,
  },
  map: 'times',
  meanings: { target: 'command name of what was woken' },
  table: 'stacks',
  kernel: 'kernel',
  tip: 'target',
  weight: 'time',
  unit: 'usecs',
  scale: 1000,
  examples: {
    '': 'add up until Ctrl-C',
    '-p 181 5': 'who wakes the threads of process 181, for 5 seconds',
    '-f --user-threads-only 10': 'a line for each waker, for other programs',
  },
  sample: {
    before: 'The program perl writes a byte to a pipe every 10 milliseconds, which cat reads:',
    args: '--comm cat --duration 2',
    output: `
    target: cat
    try_to_wake_up
    autoremove_wake_function
    __wake_up_common
    __wake_up_sync_key
    anon_pipe_write
    vfs_write
    ksys_write
    do_syscall_64
    entry_SYSCALL_64_after_hwframe
    -                perl (806)
        1927744`,
    after:
      'cat waited 1.93 of two seconds until perl woke it by writing to the pipe. It was always perl, in one place: if cat is slow, perl is why. offwaketime shows in addition what cat waited in.',
  },
});
