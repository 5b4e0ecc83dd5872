import bpf from '../bpf/uobjnew.bpf.ts';
import {
  atRuntimes,
  flag,
  integer,
  KscopeError,
  languageAliases,
  libraryFunctions,
  runtimeOptions,
  top,
} from '../lib/tool.ts';

const runtimes = atRuntimes({
  java: { provider: 'hotspot', probes: { java_creates: 'object__alloc' } },
  ruby: {
    provider: 'ruby',
    probes: {
      ruby_creates: 'object__create',
      ruby_creates_string: 'string__create',
      ruby_creates_array: 'array__create',
      ruby_creates_hash: 'hash__create',
    },
  },
  tcl: { provider: 'tcl', probes: { tcl_creates: 'obj__create' } },
  c: { provider: libraryFunctions, probes: { c_allocates: 'malloc', c_allocates_many: 'calloc' } },
});

const { process, ...others } = runtimeOptions(['c', 'java', 'ruby', 'tcl']);

export default top(bpf, {
  summary: 'Count new objects of Java, Ruby, Tcl and C.',
  area: 'programs',
  activity: 'Tracing new objects',
  description: `
Counts the objects that a process makes, or all that run when the tracing begins, by their type, and adds up their bytes where the runtime says how many (otherwise it is 0 in JSON). Of a process without such a runtime, and with --language c, it is the blocks that it asks malloc(3) and calloc(3) of the C library for, by size; that is for one process only.

The runtime has to have statically defined probes (USDT), which a program finds out for itself; tplist shows them. Java's are there, but objects only with -XX:+DTraceAllocProbes when it starts; compiled code may do without an object that the source asks for, and the size that OpenJDK gives is mostly wrong (for what its interpreter and its compiled code make by themselves) and left out. Ruby says the classes of objects and how long strings are, but no other sizes; strings, arrays and hashes that methods in C make are not all seen. Tcl says no types, and only has probes where it was built so, which is not so in Debian. Python, PHP, Perl and Node.js have no probes for this. All processes of a runtime can be traced at once since Linux 5.15.`,
  overhead:
    'A breakpoint for each object: a loop that makes them becomes many times slower. malloc(3) and free(3) take 7 ns by themselves, and 1.4 to 2.3 µs with this (a busy virtual machine with 2 processors).',
  options: {
    process,
    ...others,
    count: integer('-C, --top-count <COUNT>', 'print at most this many rows, those with most objects', {
      group: 'output',
      min: 1,
    }),
    size: integer('-S, --top-size <COUNT>', 'print at most this many rows, those with most bytes', {
      group: 'output',
      min: 1,
    }),
    timestamp: flag('-T, --timestamp', 'print the time with each output', { group: 'output' }),
  },
  map: 'allocations',
  computed: {
    name: {
      type: 'text_t',
      help: 'type, or size of the blocks',
      value: ({ type, size }) => type ?? `block size ${size ?? 0}`,
    },
  },
  meanings: {
    type: 'type of the objects; absent for blocks',
    allocs: 'objects that were made',
  },
  columns: {
    pid: {},
    name: { header: 'NAME/TYPE', width: 40 },
    allocs: { header: '# ALLOCS', width: 10 },
    bytes: { header: '# BYTES', width: 14, text: (bytes) => (bytes === 0 ? '-' : String(bytes)) },
  },
  sort: ['allocs', 'bytes', 'name', 'pid'],
  usualSort: ({ size }) => (size === undefined ? 'allocs' : 'bytes'),
  rowsOf: ({ count, size }) => size ?? count,
  prepare(_, values) {
    if (values.language === 'c' && values.process === undefined) {
      throw new KscopeError('usage', 'blocks of C are counted in a process that is named', {
        hint: 'malloc(3) of all programs at once would slow down the machine',
      });
    }
  },
  attach: runtimes.attach,
  warnings: runtimes.warnings,
  aliases: languageAliases(['c', 'java', 'ruby', 'tcl'], 'objnew'),
  examples: {
    '-l ruby': 'objects of all that runs Ruby, until Ctrl-C',
    '-C 10 181 1': 'the ten commonest types of process 181, each second',
    '-l c -S 5 181': 'the five sizes of its blocks that take most memory',
  },
  sample: {
    before: 'A program in Ruby makes 30 items, and turns 60 numbers into centered texts:',
    args: '-l ruby 32157',
    output: `
  PID NAME/TYPE # ALLOCS # BYTES
32157 String         123    3063
32157 Array           60       -
32157 Item            30       -`,
    after:
      'Each number costs two texts. Of strings Ruby tells how long they are; of arrays and objects it tells no size.',
  },
});
