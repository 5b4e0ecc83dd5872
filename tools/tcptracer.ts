import bpf from '../bpf/tcptracer.bpf.ts';
import { choice, familyFilters, filters, flag, namespaceFilters, snoop } from '../lib/tool.ts';

const letters: Readonly<Record<string, string>> = { CONNECT: 'C', ACCEPT: 'A', CLOSED: 'X' };

export default snoop(bpf, {
  summary: 'Trace TCP connections as they are made, accepted and closed.',
  area: 'network',
  activity: 'Tracing TCP connections',
  description: `
Prints a line for each TCP connection that a process has made (C, when the other side has answered), accepted (A) or closed (X), with the process that did it. A connection is closed when its process ends it in its own direction, by close(2), shutdown(2) or its end; or when it is reset, which is told of the process that made or accepted it. An IPv4 connection over an IPv6 socket is shown as IPv4.

With --failures, attempts to connect that failed are shown as well, with the reason in the field error. Connections that were there before the tracing began are only seen when their process closes them, and those that nobody has accepted yet not at all. Connections accepted through io_uring are not seen to be accepted.`,
  overhead:
    'About 0.8 µs for each change of state and 1.8 µs for each accept(2) (measured on a 2-core virtual machine), where making a connection takes tens.',
  options: {
    ...filters,
    ...familyFilters,
    ...namespaceFilters,
    netns: { ...namespaceFilters.netns, flags: '-N, --netns <INODE>' },
    kind: choice('--only <KIND>', 'only one kind of line', ['connect', 'accept', 'close'], { group: 'filter' }),
    failures: flag('-f, --failures', 'also attempts to connect that failed', { set: 'failed_too' }),
    failuresOnly: flag('--failures-only', 'only attempts to connect that failed', {
      set: 'failed_too',
      hidden: ['--failure-only'],
      group: 'filter',
    }),
    connects: flag('--connect-only', 'only connects', { unlisted: true }),
    accepts: flag('--accept-only', 'only accepts', { unlisted: true }),
    cgroupMap: { ...filters.cgroupMap, hidden: ['-C'] },
    mountNamespaceMap: { ...filters.mountNamespaceMap, hidden: ['-M'] },
  },
  keep: ({ kind, error }, { kind: named, connects, accepts, failuresOnly }) => {
    const only = connects ? 'connect' : accepts ? 'accept' : named;
    return (only === undefined || kind.toLowerCase().startsWith(only)) && (!failuresOnly || error !== undefined);
  },
  columns: {
    time: { flag: '-T, --timestamp' },
    uid: { flag: '-U, --print-uid' },
    kind: { header: 'T', width: 1, text: (kind) => letters[kind] ?? kind },
    pid: {},
    comm: { width: 12 },
    ip: { header: 'IP', width: 2 },
    saddr: {},
    daddr: {},
    lport: { header: 'SPORT' },
    dport: {},
    netns: { flag: '--print-netns' },
    error: { header: 'ERR', when: ['failures', 'failuresOnly'] },
  },
  attach: { optional: ['accept__tp', 'accept4__tp'] },
  examples: {
    '': 'trace all connections',
    '-T -p 181': 'trace those of process 181, with the time',
    '-f --only connect': 'trace all that was tried, with the errors',
  },
  sample: {
    before: 'Two programs are started, one for a server that is there and one for a port where nobody listens:',
    args: '-f --comm curl',
    output: `
T     PID COMM         IP SADDR           DADDR           SPORT DPORT ERR
C   25935 curl          4 127.0.0.1       127.0.0.1       49936  8080 -
X   25935 curl          4 127.0.0.1       127.0.0.1       49936  8080 -
C   25953 curl          4 127.0.0.1       127.0.0.1       34906  8081 ECONNREFUSED`,
    after: 'The first one connected (C) and closed (X); the second one was refused, which only -f shows.',
  },
});
