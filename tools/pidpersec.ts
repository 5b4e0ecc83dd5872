import bpf from '../bpf/pidpersec.bpf.ts';
import { filters, top } from '../lib/tool.ts';

export default top(bpf, {
  summary: 'Count new processes and threads.',
  area: 'processes',
  activity: 'Tracing new processes',
  description: `
Prints, every second, how many processes and how many threads were made (sched:sched_process_fork). Those that could not be made are not counted; the kernel's own threads are processes here. Filters are about who makes them.`,
  overhead: 'About 0.5 µs for each new process or thread (run time of the programs on a busy 2-core virtual machine).',
  options: { ...filters },
  map: 'counts',
  meanings: {
    processes: 'processes that were made',
    threads: 'threads that were made',
  },
  columns: { processes: { width: 9 }, threads: {} },
  sort: ['processes'],
  interval: 1,
  idle: { processes: 0, threads: 0 },
  examples: {
    '': 'each second',
    '-T 10 6': 'every 10 seconds for a minute, with the time',
    '-u www-data': 'those that a user makes',
  },
  sample: {
    before: 'A script runs 200 programs, one after the other, as user nobody:',
    args: '-u nobody 1 3',
    output: `
PROCESSES THREADS
      201       0

PROCESSES THREADS
        0       0

PROCESSES THREADS
        0       0`,
    after:
      'All of them were made in the first second; the one more is a part of the script itself, $(seq 200). So many short processes cost more than what they do: execsnoop shows which programs they run, and who starts them.',
  },
});
