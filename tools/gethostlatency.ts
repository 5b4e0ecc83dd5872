import bpf from '../bpf/gethostlatency.bpf.ts';
import { atFunctions, atLeastMilliseconds, filters, snoop, text } from '../lib/tool.ts';

const library = { file: /^(libc\.so\.6|libc-2\.\d+\.so|ld-musl-.*\.so\.1|libc\.musl-.*\.so\.1)$/, what: 'C library' };
const byName = ['gethostbyname', 'gethostbyname2'];

export default snoop(bpf, {
  summary: 'Trace how long it takes to look up names of hosts.',
  area: 'network',
  activity: 'Tracing lookups of host names',
  description: `
Prints a line for each call of getaddrinfo(3), gethostbyname(3) and gethostbyname2(3) that has returned, with its time and the name. The field failed is true when there was no answer. Names that are found in /etc/hosts and numbers are lookups as well; a name without text is a null pointer, which asks for this host.

All C libraries are traced that a process uses when the tracing begins, those of containers included, and the system's own. A container with a library of its own that starts later is not seen, and neither are programs without a C library that they share with others: Go resolves names itself, and static binaries bring their functions along.`,
  overhead:
    'About 20 µs for each lookup (measured on a 2-core virtual machine, where a breakpoint is dear), while a lookup that asks a server takes hundreds.',
  options: {
    ...filters,
    file: text('-l, --libc <FILE>', 'only this C library', { group: 'filter', completes: 'file' }),
    minimum: atLeastMilliseconds('[min_ms]', 'lookups that took', 'min_latency'),
  },
  meanings: {
    failed: 'present when the lookup failed',
    truncated: 'present when the name was too long to be kept',
    host: 'name that was looked up',
  },
  columns: {
    time: {},
    pid: {},
    comm: {},
    latency: { header: 'LATms', text: (latency) => (latency / 1e6).toFixed(3) },
    host: {},
  },
  attach: {
    by: {
      lookup_begins: atFunctions({ ...library, functions: ['getaddrinfo', ...byName] }),
      address_lookup_ends: atFunctions({ ...library, functions: ['getaddrinfo'], return: true }),
      name_lookup_ends: atFunctions({ ...library, functions: byName, return: true }),
    },
  },
  examples: {
    '': 'trace all lookups',
    '-p 181 10': 'trace the lookups of process 181 that took 10 ms or more',
  },
  sample: {
    before: 'Three programs ask for names, one of which nobody has:',
    args: '',
    output: `
TIME         PID COMM                LATms HOST
20:49:24   19938 getent              7.424 localhost
20:49:24   19939 curl                5.251 intranet.example
20:49:24   19941 python3             0.133 localhost`,
    after:
      'It took curl 5.3 ms to learn that there is no such host. The name localhost is in a file, and getent needed 7.4 ms for it because it had to load libraries for that first. Where a name takes long each time, udplife -D 53 shows how long the name server takes.',
  },
});
