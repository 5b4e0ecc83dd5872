import bpf from '../bpf/tcpcong.bpf.ts';
import {
  endpoint,
  familyFilters,
  flag,
  histogram,
  KscopeError,
  microseconds,
  type Option,
  parseInteger,
  top,
  units,
  withDistributions,
} from '../lib/tool.ts';

type State = 'open' | 'disorder' | 'recovery' | 'cwr' | 'loss';

function portRange<const Set extends string>(
  flags: string,
  summary: string,
  set: Set,
): Option<{ readonly first: number; readonly last: number } | undefined, Set> {
  return { flags, summary, set, group: 'filter', parse: parsePortRange };
}

function parsePortRange(given: string): { readonly first: number; readonly last: number } {
  const [first = 0, last = first, ...more] = given.split('-').map((port) => parseInteger(port, 1, 65535));
  if (more.length > 0 || last < first) {
    throw new KscopeError('usage', `'${given}' is neither a port nor a range of ports`);
  }
  return { first, last };
}

const common = {
  summary: 'Show how long TCP connections are in which congestion state.',
  area: 'network',
  activity: 'Tracing the congestion control of TCP connections',
  description: `
Shows, for each connection and interval, how long congestion control was in which of its states, and how often the state changed: open, where all is well; disorder, where segments seem to have come out of order; CWR, where it sends less because it was told to (ECN, a full local queue); recovery, where it sends again what was lost; and loss, after a timeout, where it begins anew. The time in the present state is counted up to the end of the interval, and the field state says which one that is. With --dist there is a distribution for each state instead, of how long it lasted each time that it has ended.

A connection is known from its establishment on, or if it is older, from the first change of its state that is seen. When it is closed its time ends. 16384 connections are remembered, and those that were quiet for longest are forgotten for others.

Before 5.19 the kernel does not tell when the state changes (tcp:tcp_cong_state_set): there it is looked at whenever a segment comes (tcp:tcp_probe) or is sent again (tcp:tcp_retransmit_skb), and a state may be seen one segment late, or not at all when it lasts for less than one. Some congestion controls leave the state open in most cases: BBR is one.`,
  overhead:
    'About 0.3 µs for each change of state of congestion control or of a connection (measured on a 2-core virtual machine), and before 5.19 as much for each segment that comes.',
  options: {
    localPorts: portRange('-L, --localport <PORTS>', 'only this local port, or a range: 8000-8080', 'filter_lports'),
    remotePorts: portRange('-R, --remoteport <PORTS>', 'only this remote port, or a range', 'filter_dports'),
    ...familyFilters,
    microseconds,
    dist: flag('-d, --dist', 'print distributions of how long each state lasts', { group: 'output', set: 'by_dist' }),
  },
  attach: { either: [['cong_state__tp_btf'], ['segment__tp_btf', 'resend__tp_btf']] },
  examples: {
    '': 'all connections, until Ctrl-C',
    '-T -L 443 10': 'those of a web server, each ten seconds, with the time',
    '-d -R 5000-5100 5 3': 'how long the states of some connections last, three times',
  },
  sample: {
    before:
      'Three times, a client gets a file of 3 MB over a link that carries 20 Mbit a second and drops what its queue has no room for:',
    args: '-L 8080',
    output: `
LADDR          RADDR           OPEN_ms DOD_ms RCOV_ms CWR_ms LOS_ms CHGS
192.0.2.2:8080 192.0.2.1:43622   970.3    0.0   268.3   13.3    0.0   19
192.0.2.2:8080 192.0.2.1:51770  1010.1    0.0   236.8   13.3    0.0   17
192.0.2.2:8080 192.0.2.1:51764  1098.6    0.0   139.9   13.3    0.0   13`,
    after:
      'Of some 1.25 seconds, each connection spent an eighth to a fifth in recovery, which sends again what was lost, and none in state loss, in which it would have had to wait for a timer. tcpretrans shows what was sent again, and tcpwin how the window shrank.',
  },
} as const;

/** A column of times whose header says their unit. */
function times(name: string) {
  const text = (time: number, _: unknown, { microseconds }: { readonly microseconds: boolean }) =>
    microseconds ? (time / 1e3).toFixed(0) : (time / 1e6).toFixed(1);
  return {
    header: ({ microseconds }: { readonly microseconds: boolean }) => `${name}_${microseconds ? 'us' : 'ms'}`,
    width: 9,
    text,
  };
}

const tables = top(bpf, {
  ...common,
  map: 'flows',
  meanings: {
    open: 'nanoseconds in the state open',
    disorder: 'nanoseconds in the state disorder',
    recovery: 'nanoseconds in the state recovery',
    cwr: 'nanoseconds in the state cwr',
    loss: 'nanoseconds in the state loss',
    changes: 'changes of the state',
    since: 'when the state began, in nanoseconds since the machine started',
  },
  columns: {
    saddr: { header: 'LADDR', width: 21, text: (address, { lport }) => endpoint(address, lport) },
    daddr: { header: 'RADDR', width: 21, text: (address, { dport }) => endpoint(address, dport) },
    open: times('OPEN'),
    disorder: times('DOD'),
    recovery: times('RCOV'),
    cwr: times('CWR'),
    loss: times('LOS'),
    changes: { header: 'CHGS', width: 5 },
  },
  growing: ({ state, since, ...value }, now) => {
    const field = state.toLowerCase() as State;
    const more = Number(now - since);
    return field in value && more > 0 ? { [field]: value[field] + more } : {};
  },
  // It is of no use to anybody else.
  absent: () => ['since'],
  sort: ['changes', 'open', 'disorder', 'recovery', 'cwr', 'loss'],
});

const distributions = histogram(bpf, {
  ...common,
  map: 'hists',
  unit: ({ microseconds }) => (microseconds ? units.usecs : units.msecs),
  keys: { state: {} },
});

export default withDistributions(tables, distributions);
