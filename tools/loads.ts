import bpf from '../bpf/loads.bpf.ts';
import { exactLoads, filters, snapshot } from '../lib/tool.ts';

export default snapshot(bpf, {
  summary: 'Print the load averages, and how many tasks make the load now.',
  area: 'processors',
  activity: 'Reading load averages',
  description: `
Prints every second the load averages of 1, 5 and 15 minutes as exactly as the kernel keeps them, with three decimals, and what the load is at this moment: the threads that run or wait for a processor (RUNNING), and those that wait for something else in a way that counts as load and that signals do not end, such as disks (BLOCKED; state D of ps(1)). A load of many blocked threads does not want more processors. THREADS is how many there are in all.

The averages are those of the whole machine; RUNNING, BLOCKED and THREADS are those of the threads that the filters select, counted by an iterator over all tasks. The tool itself, which runs whenever it looks, is not counted. The kernel updates the averages every 5 seconds. Which threads they are, and where they wait, is what threadsample shows.`,
  overhead:
    'Nothing but the time of each output: 0.13 µs for each thread of the machine (run time of the program on a busy 2-core virtual machine).',
  options: filters,
  interval: 1,
  rows(records) {
    const [load1, load5, load15] = exactLoads();
    return records.map((row) => ({ ...row, load1, load5, load15 }));
  },
  meanings: {
    load1: 'load average of one minute',
    load5: 'load average of five minutes',
    load15: 'load average of fifteen minutes',
    running: 'threads that run or wait for a processor',
    blocked: 'threads in a wait that counts for the load',
    threads: 'threads that there are',
  },
  columns: {
    load1: {},
    load5: {},
    load15: {},
    running: {},
    blocked: {},
    threads: {},
  },
  examples: {
    '': 'the load, every second',
    '-T 5 12': 'the load every 5 seconds for a minute, with the time',
    '--cgroup /system.slice 1': 'what the services of the machine have to do with it',
  },
  sample: {
    before: 'On a machine with two processors, builds and virtual machines keep more tasks busy than it has room for:',
    args: '1 4',
    output: `
 LOAD1  LOAD5 LOAD15 RUNNING BLOCKED THREADS
10.102 13.826 12.540       6       2     170

 LOAD1  LOAD5 LOAD15 RUNNING BLOCKED THREADS
10.014 13.745 12.521       8       0     180

 LOAD1  LOAD5 LOAD15 RUNNING BLOCKED THREADS
10.014 13.745 12.521       9       0     206

 LOAD1  LOAD5 LOAD15 RUNNING BLOCKED THREADS
10.014 13.745 12.521      10       0     190`,
    after:
      'The averages are made every five seconds, so they stay as they are in between; the counts are of the moment. About ten tasks want two processors, and few are blocked: it is processors that are wanted, not disks. runqlat tells how long they wait.',
  },
});
