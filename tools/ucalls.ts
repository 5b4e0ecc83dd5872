import bpf from '../bpf/ucalls.bpf.ts';
import {
  atMethods,
  flag,
  integer,
  languageAliases,
  methodName,
  methodNotes,
  methodOptions,
  milliseconds,
  timeColumn,
  top,
} from '../lib/tool.ts';

const { process, ...others } = methodOptions;
const runtimes = atMethods(({ latency }: { latency?: boolean }) => latency === true);

export default top(bpf, {
  summary: 'Count calls of methods, and of system calls beside them.',
  area: 'programs',
  activity: 'Tracing calls of methods',
  description: `
Counts the calls of methods of a process, or of all that run when the tracing begins, by class and method; of Python it is the file, of Perl the package. A call is counted when it returns. With --latency the time that it took is summed up as well, with all that it called; a method that calls itself takes the time of the outermost call. A call that was under way when the tracing began has no time. With --syscalls, system calls are counted beside, and without methods with --language none.
${methodNotes}

Of a class the first 127 bytes are kept, of a method 63.`,
  overhead:
    'About 1 µs for each call, and 2.7 with --latency, where a function of PHP that does nothing takes 0.01 (measured on a busy 2-core virtual machine).',
  options: {
    process,
    ...others,
    latency: flag('-L, --latency', 'also sum up the time, and sort by it', { set: 'measure' }),
    syscalls: flag('-S, --syscalls', 'also count system calls'),
    milliseconds,
    rows: integer('-T, --top <COUNT>', 'print at most this many rows; usually all', {
      group: 'output',
      min: 1,
      hidden: ['--rows'],
    }),
    timestamp: flag('--timestamp', 'print the time with each output', { group: 'output' }),
  },
  map: 'calls',
  computed: {
    name: {
      type: 'text_t',
      help: 'class and method, or system call',
      value: (row) => row.syscall ?? methodName(row),
    },
  },
  meanings: {
    calls: 'calls',
    class: 'class of the method',
    method: 'method without its class',
  },
  columns: {
    pid: {},
    name: { header: 'METHOD', width: 40 },
    calls: { header: '# CALLS', width: 10 },
    total: { ...timeColumn, when: 'latency' },
  },
  sort: ['calls', 'total', 'name', 'pid'],
  usualSort: ({ latency }) => (latency ? 'total' : 'calls'),
  absent: ({ latency }) => (latency ? [] : ['total']),
  attach: {
    ...runtimes.attach,
    unwanted: (values) => [
      ...runtimes.attach.unwanted(values),
      ...(values.syscalls && values.latency ? [] : (['sys_enter__tp_btf'] as const)),
      ...(values.syscalls ? [] : (['sys_exit__tp_btf'] as const)),
    ],
  },
  warnings: runtimes.warnings,
  aliases: languageAliases(['java', 'perl', 'php', 'python', 'ruby', 'tcl'], 'calls'),
  examples: {
    '-l python': 'functions of all that runs Python, until Ctrl-C',
    '-T 10 181 1': 'the ten commonest methods of process 181, each second',
    '-L -m 181': 'the time that they take, in milliseconds',
    '-S -l none 181': 'its system calls only',
  },
  sample: {
    before: 'A shop in PHP adds up three prices, ten times:',
    args: '-L -l php 32049',
    output: `
  PID METHOD     # CALLS TIME(us)
32049 Shop.total      10 10164.08
32049 Shop.price      30 10073.39`,
    after: 'Of the 10.2 milliseconds in total() 10.1 were spent in the price() that it calls: there is where to look.',
  },
});
