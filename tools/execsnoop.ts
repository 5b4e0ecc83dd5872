import bpf from '../bpf/execsnoop.bpf.ts';
import { filters, flag, integer, pattern, snoop } from '../lib/tool.ts';

export default snoop(bpf, {
  summary: 'Trace new programs: execve(2) and execveat(2).',
  area: 'processes',
  description: `
Prints a line for each program that a process starts to run, with its arguments as the new program has them. With --failed also the attempts that failed, with the arguments as they were given.

A script is shown as the kernel runs it: the interpreter first. Processes that fork without exec are not seen. Arguments are read up to 16 KiB; what is cut ends in '...' and is marked truncated.`,
  overhead:
    'About 1.5 µs for each program that is started (measured on a 2-core virtual machine), where starting one takes hundreds: not measurable in practice.',
  options: {
    ...filters,
    cgroup: { ...filters.cgroup, hidden: ['-c'] },
    failed: flag('-x, --failed', 'also calls that failed', {
      set: 'include_failed',
      hidden: ['--fails', '--ignore-failed=false'],
    }),
    ppid: integer('-P, --ppid <PID>', 'only children of this process', { set: 'filter_ppid', min: 1, group: 'filter' }),
    name: pattern('-n, --name <REGEX>', 'only commands whose name matches REGEX', { group: 'filter' }),
    line: pattern('-l, --line <REGEX>', 'only commands of which an argument matches REGEX', { group: 'filter' }),
    paths: flag('--paths', 'show the working directory and the file that runs', { set: 'with_paths', group: 'column' }),
    quote: flag('-q, --quote', 'put every argument in quotes', { group: 'output' }),
    maxArguments: integer('--max-args <COUNT>', 'print at most this many arguments', { group: 'output', min: 1 }),
  },
  keep: ({ comm, args }, { name, line }) =>
    (name === undefined || name.test(comm)) && (line === undefined || args.some((argument) => line.test(argument))),
  meanings: {
    ppid: 'process id of the parent',
    pcomm: 'command name of the parent',
    cwd: 'working directory, where it is told',
    exepath: 'file of the program, where it is told',
    args: 'arguments that the program was given, its name among them',
  },
  columns: {
    time: { flag: '-T, --timestamp' },
    uid: { flag: '-U, --print-uid' },
    comm: {},
    pid: {},
    pcomm: { flag: '-M, --print-pcomm', summary: "show the parent's command" },
    ppid: {},
    cpu: { flag: '-C, --print-cpu' },
    error: { header: 'ERR' },
    cwd: { when: 'paths', width: 20 },
    exepath: { when: 'paths', width: 20 },
    args: {
      text: (args, { truncated }, { quote, maxArguments = args.length }) => {
        const shown = args
          .slice(0, maxArguments)
          .map((argument) => (quote ? `"${argument.replaceAll('"', '\\"')}"` : argument));
        return [...shown, ...(truncated || maxArguments < args.length ? ['...'] : [])].join(' ');
      },
    },
  },
  attach: {
    optional: ['execveat__tp'],
    unwanted: ({ failed }) => (failed ? [] : ['execve__tp', 'execveat__tp']),
  },
  examples: {
    '': 'trace every program that is started',
    '-x': 'with the attempts that failed',
    '-T -U -q': 'with time and user, and every argument in quotes',
    "-n '^(sh|bash)$' -l deploy": 'trace shells that have deploy in an argument',
    '-P 181': 'trace what process 181 starts',
  },
  sample: {
    before: 'A shell script runs two programs in a pipe:',
    args: '',
    output: `
COMM                 PID    PPID ERR     ARGS
sh                 20188   20187 -       sh -c ls /nonexist 2>/dev/null | wc -l; true
ls                 20189   20188 -       ls /nonexist
wc                 20190   20188 -       wc -l`,
    after:
      'Parents tell who started whom: ls and wc are both children of the shell 20188. The command true is part of the shell and no program, so it has no line. That ls failed is not seen here, since it started well: exitsnoop -x shows it.',
  },
});
