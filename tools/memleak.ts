import bpf from '../bpf/memleak.bpf.ts';
import { accepted, atFunctions, filters, flag, integer, outstanding, pageBytes, text } from '../lib/tool.ts';

const library = /^(libc\.so\.6|libc-2\.\d+\.so|ld-musl-.*\.so\.1|libc\.musl-.*\.so\.1)$/;

/** Allocators of one signature, under the names that they have with a prefix. */
const at = (names: readonly string[], more: { readonly return?: boolean; readonly optional?: boolean } = {}) =>
  atFunctions({
    file: library,
    what: 'C library',
    functions: ({ prefix = '' }: { readonly prefix?: string }) => names.map((name) => `${prefix}${name}`),
    inProcess: true,
    ...more,
  });

const simple = ['malloc', 'valloc', 'pvalloc'];
const aligned = ['memalign', 'aligned_alloc', 'mmap', 'mmap64'];
const others = ['calloc', 'realloc', 'posix_memalign', 'mremap'];

const ofProcesses = [
  'malloc_begins',
  'calloc_begins',
  'realloc_begins',
  'aligned_begins',
  'posix_memalign_begins',
  'mremap_begins',
  'call_ends',
  'free_begins',
] as const;
const ofKernel = [
  'kmalloc__tp',
  'kmem_cache_alloc__tp',
  'kmalloc_node__tp',
  'kmem_cache_alloc_node__tp',
  'kfree__tp',
  'kmem_cache_free__tp',
  'mm_page_alloc__tp',
  'mm_page_free__tp',
] as const;
const ofCpus = ['percpu_alloc__tp', 'percpu_free__tp'] as const;

export default outstanding(bpf, {
  summary: 'Show memory that was allocated and not given back, by stack.',
  area: 'memory',
  activity: 'Tracing outstanding memory allocations',
  description: `
Remembers each allocation until it is given back, and prints every 5 seconds those that are still there, added up by the stack on which they were made, the largest first. What was allocated before the tracing began is not known. What is outstanding need not be lost: what grows from one output to the next may be.

With --pid, or for a command given after --, these are the calls of a process to the C library: malloc, calloc, realloc, posix_memalign, memalign, aligned_alloc, valloc, pvalloc, mmap and mremap, and free and munmap. A call that is made within another one is part of that. A realloc that fails keeps what it was given. With --obj the functions of another library or binary are traced, and with --symbols-prefix functions whose names begin with a word such as je_. Allocators that are compiled into the program and have no symbols are not seen, and neither is memory that a process has given to another one.

Otherwise it is the memory of the kernel: its objects (kmem:kmalloc, kmem:kmem_cache_alloc) and pages (kmem:mm_page_alloc), or with --percpu what it has once for each processor (percpu:percpu_alloc_percpu; the size is that of one).

User stacks are followed by frame pointers: code compiled without them shows short or wrong stacks. The C library is mostly such code, but the stack begins at its caller.`,
  overhead:
    'An allocation and its release meet three breakpoints in the traced process: about 45 µs together on a virtual machine, where breakpoints are dear; other processes do not notice. In the kernel about 2.6 µs for each allocation and 0.3 for each release, on a 2.6 GHz processor: 30 % of a processor while files are read as fast as they can be. --sample-rate leaves out most of that.',
  options: {
    pid: { ...filters.pid, summary: 'only memory of this process; otherwise that of the kernel' },
    commandLine: text('-c, --command <COMMAND>', 'only this command, run from its start; written as in a shell', {
      group: 'filter',
      conflicts: ['pid'],
    }),
    file: text('-O, --obj <FILE>', 'the library or program that has the functions', { completes: 'file' }),
    prefix: text('-S, --symbols-prefix <PREFIX>', 'the names of the functions begin with PREFIX'),
    percpu: flag('-P, --percpu', 'only memory that the kernel has once for each processor', {
      group: 'filter',
      conflicts: ['pid'],
    }),
    sampleRate: integer('-s, --sample-rate <COUNT>', 'only one of this many allocations, at random', {
      group: 'filter',
      set: 'sample_rate',
      min: 1,
    }),
    minSize: integer('-z, --min-size <BYTES>', 'only allocations of at least this size', {
      group: 'filter',
      set: 'min_size',
    }),
    missingFree: accepted('-F, --wa-missing-free'),
    maxSize: integer('-Z, --max-size <BYTES>', 'only allocations of at most this size', {
      group: 'filter',
      set: 'max_size',
    }),
  },
  trace: {
    flag: '-t, --trace',
    summary: 'also print a line for each allocation and each release of what is remembered',
    set: 'trace',
    columns: {
      time: {},
      pid: {},
      tid: {},
      comm: {},
      operation: { width: 5 },
      address: { header: 'ADDR' },
      bytes: { text: String },
    },
  },
  map: 'holds',
  totals: 'totals',
  table: 'stacks',
  prepare(object, values) {
    object.globals.set('keep_totals', (values as { readonly combined?: boolean }).combined === true);
    object.globals.set('page_bytes', pageBytes());
  },
  attach: {
    optional: ['kmalloc_node__tp', 'kmem_cache_alloc_node__tp'],
    unwanted: ({ pid, percpu }) =>
      pid !== undefined ? [...ofKernel, ...ofCpus] : [...ofProcesses, ...(percpu ? ofKernel : ofCpus)],
    by: {
      malloc_begins: at(simple),
      calloc_begins: at(['calloc'], { optional: true }),
      realloc_begins: at(['realloc'], { optional: true }),
      aligned_begins: at(aligned, { optional: true }),
      posix_memalign_begins: at(['posix_memalign'], { optional: true }),
      mremap_begins: at(['mremap'], { optional: true }),
      call_ends: at([...simple, ...aligned, ...others], { return: true }),
      free_begins: at(['free', 'munmap']),
    },
  },
  examples: {
    '': 'what the kernel holds, every 5 seconds',
    '-p 181': 'what a process holds',
    '-p 181 -o 60000 60': 'what it holds for a minute and longer, each minute',
    '--combined-only 10 6': 'what the kernel holds, at less cost, a minute long',
  },
  sample: {
    before: 'A program handles 200 requests of 4096 bytes, and forgets to free one in ten:',
    args: '-p 19438 -o 0 1 1',
    output: `
20:39:48
   BYTES    COUNT      AGE     PID
   81920       20    3.33s   19438
    read_request
    handle
    main
    [libc.so.6+0x2724a]`,
    after:
      '20 blocks that were allocated in read_request, called by handle, are still held, the oldest of them for 3.3 seconds. A leak is what grows from one output to the next: -o leaves out what is young.',
  },
});
