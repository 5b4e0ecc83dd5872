import bpf from '../bpf/numasched.bpf.ts';
import { filters, flag, lettered, nodesOfCpus, snoop } from '../lib/tool.ts';

const CPUS_MAX = 4096;

export default snoop(bpf, {
  summary: 'Trace threads that are moved to another NUMA node.',
  area: 'processors',
  activity: 'Tracing moves between NUMA nodes',
  description: `
Prints a line each time that the scheduler moves a thread to a processor of another NUMA node (sched:sched_migrate_task): its memory is far away from then on. The move is seen when it is decided, before the thread runs there; the filters are about the thread that is moved.

There are none on a machine of one node. With --cpus, each processor counts as a node of its own.`,
  overhead: 'About 1 µs for each move between processors (run time of the programs on a busy 2-core virtual machine).',
  options: {
    ...filters,
    comm: lettered(filters.comm, 'c'),
    cpus: flag('--cpus', 'also moves between processors of one node, and show processors instead of nodes'),
  },
  meanings: {
    src_cpu: 'processor that the thread leaves',
    dst_cpu: 'processor that the thread comes to',
    src_nid: 'NUMA node that the thread was on',
    dst_nid: 'NUMA node that it is moved to',
  },
  columns: {
    time: {},
    pid: {},
    tid: {},
    src_nid: { header: 'SRC_NID', width: 7 },
    dst_nid: { header: 'DST_NID', width: 7 },
    comm: {},
  },
  prepare(object, { cpus }) {
    const nodes = cpus ? Array.from({ length: CPUS_MAX }, (_, cpu) => cpu) : nodesOfCpus(CPUS_MAX);
    object.globals.set('node_of_cpu', nodes);
  },
  examples: {
    '': 'trace all moves between nodes',
    '-p 181': 'those of the threads of one process',
    '--cpus -c make': 'moves of make between processors',
  },
  sample: {
    before: 'A shell starts gzip again and again on a machine with one node and two processors:',
    args: '--cpus -c gzip --duration 1',
    output: `
TIME         PID     TID SRC_NID DST_NID COMM
20:54:08    1361    1361       0       1 gzip`,
    after:
      'With --cpus the columns are processors: one gzip ran on 0 and went on at 1, and none of the others moved. On a machine with several nodes, moves between these are what makes memory far away, and are shown without --cpus.',
  },
});
