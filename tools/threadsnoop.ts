import bpf from '../bpf/threadsnoop.bpf.ts';
import { atFunctions, cLibrary, failedOnly, filters, snoop, userFunction } from '../lib/tool.ts';

const library = { ...cLibrary, functions: ['pthread_create'], optional: true };

export default snoop(bpf, {
  summary: 'Trace new threads, and the functions that they begin with.',
  area: 'processes',
  activity: 'Tracing new threads',
  description: `
Prints a line for each thread that is added to a process, with the process and the function that the thread begins with. The thread itself is seen where the kernel makes it (task:task_newtask), the function where the program asks the C library for it: at pthread_create(3) in all C libraries that a process uses when the tracing begins, those of containers included, and the system's own. A call of pthread_create that failed has a line with the error, and no thread.

A thread that was made without pthread_create has a line as well, but no function: those of Go and of static binaries, threads that the kernel adds for io_uring, and those of a library in a container that was started after the tool. The names of functions are looked up when the line is printed; for a process that has ended by then they are addresses. Many runtimes begin all of their threads with one function of their own.`,
  overhead:
    '2 to 10 µs for each new thread, most of it two breakpoints, where making one and waiting for its end takes 30 (measured on a busy 2-core virtual machine).',
  options: { ...filters, failed: failedOnly },
  computed: {
    func: {
      type: 'maybe_text_t',
      help: 'the function that the thread begins with',
      value: ({ pid, comm, address }) => (address === undefined ? undefined : userFunction(pid, comm, address)),
    },
  },
  meanings: {
    address: 'address of the function that the thread begins with',
  },
  columns: {
    time: {},
    pid: {},
    comm: {},
    tid: { flag: '-I, --print-tids', summary: 'show the thread ids: of who asked, and of the new thread' },
    new_tid: { header: 'NEWTID', when: 'tid' },
    error: { header: 'ERR' },
    func: {},
  },
  attach: {
    by: {
      create_begins: atFunctions(library),
      create_ends: atFunctions({ ...library, return: true }),
    },
  },
  examples: {
    '': 'trace all new threads',
    '-I -p 181': 'trace the threads of process 181, with their numbers',
    '-x': 'trace threads that could not be made',
  },
  sample: {
    before: 'A program starts three threads:',
    args: '--comm python3',
    output: `
TIME         PID COMM             ERR     FUNC
20:50:43   21966 python3          -       pythread_wrapper
20:50:43   21966 python3          -       pythread_wrapper
20:50:43   21966 python3          -       pythread_wrapper`,
    after:
      'The function is where a thread begins: for programs in C it is their own, but runtimes put one of theirs in between, as Python does here. A program that starts threads all the time would better keep some.',
  },
});
