import bpf from '../bpf/tplist.bpf.ts';
import {
  commonOptions,
  flag,
  listing,
  listTracepoints,
  listUsdtProbes,
  nameMatcher,
  rowFilters,
  text,
} from '../lib/tool.ts';

export default listing(bpf, {
  summary: 'List tracepoints of the kernel, and USDT probes of programs.',
  area: 'probes',
  activity: 'Listing what can be traced',
  description: `
Lists the tracepoints of the running kernel, or with --lib or --pid the statically defined probes (USDT) of a library or program, or of everything that a process has mapped, libraries of containers included. A pattern chooses among them, with * for any letters and ? for one: it is compared with the category and the name of a tracepoint, or the provider and the name of a probe, as sched:sched_switch.

With --verbose the fields of a tracepoint follow: they are what a program that is attached to it can read. Of a probe it shows how many places in the file have it, where its arguments are at the first of them, and the counter (semaphore) by which the program is told that somebody looks, as an offset in the file: what leads to such a probe costs the program nothing before.

What is listed here can be counted by funccount and stackcount, as t:sched:sched_switch and u:/usr/bin/python3.11:gc__done.`,
  overhead:
    'Nothing runs in the kernel. Listing takes 0.06 ms of processor time for each tracepoint (2,306 of them, measured on a busy 2-core virtual machine).',
  options: {
    pattern: text('[pattern]', "only probes that match: 'sched:*'"),
    library: text('-l, --lib <FILE>', 'only probes of this library or program, by its path or name', {
      group: 'filter',
      completes: 'file',
    }),
    pid: { ...rowFilters.pid, summary: 'only probes of what this process has mapped' },
    regexp: flag('-r, --regexp', 'the pattern is a regular expression, not one with * and ?'),
    verbose: { ...commonOptions.verbose, group: 'column', summary: 'also show fields, arguments and places' },
  },
  rows({ pattern, library, pid, regexp, verbose }) {
    const matches = nameMatcher(pattern ?? '*', regexp && pattern !== undefined);
    return library === undefined && pid === undefined
      ? listTracepoints(matches, verbose)
      : listUsdtProbes(matches, { library, pid });
  },
  readBy: 'root',
  fields: {
    kind: { type: 'text_t', help: 'tracepoint, or usdt' },
    file: { type: 'maybe_text_t', help: 'file that has the probe' },
    event: { type: 'text_t', help: 'category and name, or provider and name' },
    locations: { type: 'maybe_count_t', help: 'places in the file' },
    semaphore: { type: 'maybe_text_t', help: 'offset in the file of the counter of those who look' },
    format: { type: 'maybe_text_t', help: 'fields, or arguments at the first place' },
  },
  columns: {
    file: { when: ['library', 'pid'] },
    event: { width: 24 },
    format: {
      when: 'verbose',
      text: (format, { kind, locations, semaphore }) => details({ format, kind, locations, semaphore }),
    },
  },
  examples: {
    "'sched:sched_*'": 'tracepoints of the scheduler',
    '-v block:block_rq_issue': 'the fields of a tracepoint',
    '-l /usr/bin/python3.11 -v': 'probes of a program, and their arguments',
    "-p 181 '*:gc*'": 'probes of a process whose names begin with gc',
  },
  sample: {
    before: 'What an interpreter of Python offers:',
    args: '-l /usr/bin/python3.11',
    output: `
FILE                EVENT
/usr/bin/python3.11 python:audit
/usr/bin/python3.11 python:function__entry
/usr/bin/python3.11 python:function__return
/usr/bin/python3.11 python:gc__done
/usr/bin/python3.11 python:gc__start
/usr/bin/python3.11 python:import__find__load__done
/usr/bin/python3.11 python:import__find__load__start
/usr/bin/python3.11 python:line`,
    after:
      'These are statically defined probes: u:/usr/bin/python3.11:gc__done is a place for trace(8), with the arguments that -v shows.',
  },
});

/** Of a probe more is to be told than its arguments. */
function details({ format, kind, locations, semaphore }: Readonly<Record<string, unknown>>): string {
  const counter = semaphore === undefined ? '' : `, semaphore ${semaphore}`;
  return kind === 'usdt' ? `${locations} place${locations === 1 ? '' : 's'}${counter}: ${format}` : String(format);
}
