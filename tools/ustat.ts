import bpf from '../bpf/ustat.bpf.ts';
import {
  accepted,
  atRuntimes,
  choice,
  commandLineOf,
  filters,
  flag,
  languageAliases,
  runtimeOptions,
  top,
} from '../lib/tool.ts';

const languages = ['java', 'node', 'perl', 'php', 'python', 'ruby', 'tcl'] as const;
const { language } = runtimeOptions(languages);
const { pid, ...others } = filters;

const runtimes = atRuntimes(
  {
    java: {
      provider: 'hotspot',
      probes: {
        methods: 'method__return',
        collections: 'gc__begin',
        objects: 'object__alloc',
        classes: 'class__loaded',
        exceptions: ['hotspot_jni:Throw__entry', 'hotspot_jni:ThrowNew__entry'],
        threads: 'thread__start',
      },
    },
    perl: { provider: 'perl', probes: { methods: 'sub__return', classes: 'loaded__file' } },
    php: {
      provider: 'php',
      probes: { methods: 'function__return', classes: 'compile__file__entry', exceptions: 'exception__thrown' },
    },
    python: {
      provider: 'python',
      probes: { methods: 'function__return', collections: 'gc__start', classes: 'import__find__load__start' },
    },
    ruby: {
      provider: 'ruby',
      probes: {
        methods: ['method__return', 'cmethod__return'],
        collections: 'gc__mark__begin',
        objects: ['object__create', 'string__create', 'array__create', 'hash__create'],
        classes: ['require__entry', 'load__entry'],
        exceptions: 'raise',
      },
    },
    tcl: { provider: 'tcl', probes: { methods: 'proc__return', objects: 'obj__create' } },
  },
  { any: true },
);

export default top(bpf, {
  summary: 'Show how much the runtimes of languages do, like top.',
  area: 'programs',
  activity: 'Tracing the runtimes of languages',
  description: `
Shows for each process of Java, Perl, PHP, Python, Ruby and Tcl how many methods returned, and how many garbage collections began, objects were made, classes or files loaded, exceptions thrown and threads started, in each second; JSON has the numbers of the interval. Runtimes that run when the tracing begins are traced, also in processes that are started later.

A runtime says this by statically defined probes (USDT), where it was built with them; tplist shows them. What it has no probe for stays 0. Java: all, but methods and objects only with -XX:+DTraceMethodProbes and -XX:+DTraceAllocProbes when it starts, and of exceptions those of native code. Python: methods, collections, imports. Ruby: all but threads; of methods those in C, and those in Ruby only while a TracePoint is enabled; marking counts as the collection. PHP: methods, files, exceptions, with USE_ZEND_DTRACE=1 in its environment. Perl and Tcl: methods, and files or objects; Debian's have no probes. Node.js has none since version 19.

Before Linux 5.15, this is for one process: that of --pid.`,
  overhead:
    'About 0.6 µs for each method, object and so on, in all processes of the runtimes, where a function of PHP that does nothing takes 0.01 (measured on a busy 2-core virtual machine).',
  options: {
    language,
    process: pid,
    ...others,
    sort: choice(
      '-S, --sort <FIELD>',
      'the column to sort by',
      ['method', 'gc', 'objnew', 'cload', 'excp', 'thread', 'pid'],
      { hidden: ['-s'], group: 'output' },
    ),
    debug: accepted('-d, --debug'),
    noSummary: flag('--no-summary', 'print no line with time and load averages', {
      hidden: ['--nosummary'],
      group: 'output',
    }),
  },
  map: 'activities',
  computed: {
    cmdline: {
      type: 'text_t',
      help: 'command line, or the name of the command where the process has ended',
      value: ({ pid: one, comm }) => commandLineOf(one) ?? comm,
    },
  },
  meanings: {
    methods: 'methods that were called',
    collections: 'garbage collections',
    objects: 'objects that were made',
    classes: 'classes that were loaded',
    exceptions: 'exceptions that were thrown',
    threads: 'threads that were started',
  },
  columns: {
    pid: {},
    cmdline: { width: 30 },
    methods: { header: 'METHOD' },
    collections: { header: 'GC' },
    objects: { header: 'OBJNEW' },
    classes: { header: 'CLOAD' },
    exceptions: { header: 'EXC' },
    threads: { header: 'THR' },
  },
  sort: ['methods', 'collections', 'objects', 'classes', 'exceptions', 'threads', 'pid'],
  sortAliases: {
    method: 'methods',
    gc: 'collections',
    objnew: 'objects',
    cload: 'classes',
    excp: 'exceptions',
    thread: 'threads',
  },
  rows: 20,
  interval: 1,
  screen: true,
  perSecond: true,
  attach: runtimes.attach,
  warnings: runtimes.warnings,
  aliases: languageAliases(languages, 'stat'),
  examples: {
    '': 'all runtimes, each second',
    '-l java -S gc': 'Java, the most collections first',
    '-C 5 3': 'three tables, one every 5 seconds, one after the other',
  },
  sample: {
    before: 'A program in Python collects its garbage:',
    args: '-l python 1 1',
    output: `
20:52:50 loadavg: 9.78 13.57 12.48 8/225 30979
  PID CMDLINE                     METHOD/s GC/s OBJNEW/s CLOAD/s EXC/s THR/s
30314 /usr/bin/python3.11 work.py    15101    3        0       0     0     0`,
    after:
      'In that second 15101 functions were called, and about three collections were done. ugc(8) shows each, and ucalls(8) which functions they were.',
  },
});
