import bpf from '../bpf/slabratetop.bpf.ts';
import { filters, top } from '../lib/tool.ts';

export default top(bpf, {
  summary: 'Show from which caches the kernel takes memory most.',
  area: 'memory',
  activity: 'Tracing allocations of kernel objects',
  description: `
Prints, every second, how many objects were allocated from each slab cache, and how many bytes these take (with what the cache adds to each). Seen is kmem:kmem_cache_alloc, for any node and list; before 6.1, where it does not tell the cache, the functions kmem_cache_alloc() and kmem_cache_alloc_node().

kmalloc() and objects that are allocated in bulk are not counted, nor what is freed. The kernel merges caches of equal objects: the name is then that of the first of them (see /sys/kernel/slab). What an interrupt allocates counts for the process that it interrupts.`,
  overhead: 'About 0.12 µs for each allocation (run time of the programs on a busy 2-core virtual machine).',
  options: { ...filters },
  map: 'caches',
  meanings: {
    cache: 'slab cache',
    allocs: 'allocations',
  },
  columns: { cache: { width: 32 }, allocs: {}, bytes: { text: String } },
  sort: ['allocs', 'bytes', 'cache'],
  sortAliases: { count: 'allocs', size: 'bytes', name: 'cache' },
  screen: true,
  interval: 1,
  rows: 20,
  attach: { either: [['alloc__tp'], ['alloc__tp_btf'], ['alloc__kprobe', 'alloc_node__kprobe']] },
  examples: {
    '': 'the 20 busiest caches, every second',
    '-C -s bytes 5 3': 'those with the most bytes, every 5 seconds, three times',
    '-p 181': 'what the kernel allocates for process 181',
  },
  sample: {
    before: 'On a machine that compiles and tests:',
    args: '-C -r 5 30 1',
    output: `
17:20:36 loadavg: 24.76 23.32 20.26 14/449 3676
CACHE          ALLOCS    BYTES
names_cache     19986 81862656
maple_node      12302  3149312
vm_area_struct  10416  1999872
lsm_file_cache   9048   217152
filp             9048  1737216`,
    after:
      'names_cache has a room of 4096 bytes for each path that a system call is given, and filp an object for each file that is opened: 9048. This is what was taken, not what is held: most is given back at once.',
  },
});
