import bpf from '../bpf/uthreads.bpf.ts';
import {
  atFunctions,
  atRuntimes,
  cLibrary,
  languageAliases,
  runtimeOptions,
  snoop,
  userFunction,
} from '../lib/tool.ts';

const runtimes = atRuntimes(
  { java: { provider: 'hotspot', probes: { java_starts: 'thread__start', java_stops: 'thread__stop' } } },
  { optional: true },
);

const library = { ...cLibrary, functions: ['pthread_create'], optional: true };

const atCreate = (details: { return?: boolean }) => {
  const attach = atFunctions({ ...library, ...details, inProcess: true });
  return (program: Parameters<typeof attach>[0], { process }: { process?: number | undefined }) =>
    attach(program, { pid: process });
};

export default snoop(bpf, {
  summary: 'Trace threads that begin and end, in C and in Java.',
  area: 'processes',
  activity: 'Tracing threads',
  description: `
Prints a line for each thread that is added to a process, and for each that ends. The type says who tells it: pthread is a new thread where the kernel makes it (task:task_newtask), with the function that it begins with, which the program gave pthread_create(3); a call of that which failed has a line with the error. end is a thread's end in the kernel (sched:sched_process_exit). start and stop are what Java says of its own threads, with their names, and in JSON with its number for them; in a thread of Java they come between the two of the kernel. --language c and none leave these out.

The C library's own probe for this (libpthread:pthread_start) is not used: that of Debian has none. Threads that were made without pthread_create have no function. The names of functions are looked up when the line is printed; for a process that has ended by then they are addresses. Before Linux 5.15, what Java says is only seen of a process that is named.`,
  overhead:
    '2 to 10 µs for each new thread, most of it breakpoints, where making one and waiting for its end takes 30 (measured on a busy 2-core virtual machine).',
  options: runtimeOptions(['c', 'java', 'none']),
  computed: {
    description: {
      type: 'maybe_text_t',
      help: 'name of the thread, or the function that it begins with',
      value: ({ pid, comm, name, address: begin }) =>
        name ?? (begin === undefined ? undefined : userFunction(pid, comm, begin)),
    },
  },
  meanings: {
    runtime_id: 'number that the runtime gave the thread',
    address: 'address of the function that the thread begins with',
    name: 'name of the thread',
  },
  columns: {
    time: {},
    pid: {},
    tid: { header: 'ID' },
    kind: { header: 'TYPE', width: 7 },
    error: { header: 'ERR' },
    description: {},
  },
  attach: {
    ...runtimes.attach,
    by: {
      ...runtimes.attach.by,
      create_begins: atCreate({}),
      create_ends: atCreate({ return: true }),
    },
  },
  aliases: languageAliases(['c', 'java'], 'threads'),
  examples: {
    '': 'threads of all processes',
    '-l java 181': 'threads of process 181, with what Java says of them',
    '-l none 181': 'without what Java says',
  },
  sample: {
    before: 'A program in Java starts two threads, and waits for each:',
    args: '-l java 32280',
    output: `
TIME         PID      ID TYPE    ERR     DESCRIPTION
20:53:22   32280   32429 pthread -       thread_native_entry(Thread*)
20:53:22   32280   32429 start   -       order-1
20:53:22   32280   32429 stop    -       order-1
20:53:22   32280   32430 pthread -       thread_native_entry(Thread*)
20:53:22   32280   32429 end     -       -
20:53:22   32280   32430 start   -       order-2
20:53:22   32280   32430 stop    -       order-2
20:53:22   32280   32430 end     -       -`,
    after:
      'pthread and end are the thread to the system, start and stop to Java, which knows its name. The first one was still ending when the second began.',
  },
});
