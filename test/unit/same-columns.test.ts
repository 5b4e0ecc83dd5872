import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from '../../lib/cli/registry.ts';
import type { ToolColumn } from '../../lib/shapes/definition.ts';
import { told } from '../helpers/told.ts';

interface Use {
  readonly tool: string;
  readonly column: ToolColumn;
}

/** Columns by the name of their field. */
const columns = new Map<string, Use[]>();
for (const [tool, definition] of await new Registry().loadAll()) {
  for (const column of definition.columns()) {
    columns.set(column.name, [...(columns.get(column.name) ?? []), { tool, column }]);
  }
}

/** What a column is, whether or not it may be absent. */
function typeOf({ type }: ToolColumn): string {
  return type.name.replace(/^maybe_/, '').replace(/^enum .*/, 'enum');
}

test('a column is on the same side in all tools', () => {
  // What a function returns is a number, and what becomes of a signal a word.
  const both = new Set(['result']);
  const wrong = [...columns].filter(
    ([name, uses]) => !both.has(name) && told(uses, ({ column: { align } }) => align).length > 1,
  );
  assert.deepEqual(wrong, []);
});

/**
 * Headings that are not the usual ones of their fields: those of the tool's namesake in bcc, libbpf-tools, bpftrace or
 * Inspektor Gadget, which people know; what a number is counted in, where it has no unit beside it, is said by them.
 */
const otherHeadings: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  bindsnoop: { error: 'RC' },
  biopattern: { bytes: 'KBYTES' },
  biosnoop: { operation: 'T', request: 'FLAGS' },
  biotop: { average: 'AVGms', bytes: 'Kbytes', operation: 'D' },
  bpfstats: { id: 'PROGID' },
  cachestat: { ratio: 'HITRATIO' },
  cachetop: { comm: 'CMD', ratio: 'READ_HIT%' },
  capture: { daddr: '> DADDR:DPORT', saddr: 'SADDR:SPORT' },
  dbslower: { latency: 'MS' },
  dcsnoop: { name: 'FILE' },
  dcstat: { misses: 'MISS' },
  exitsnoop: { comm: 'PCOMM', status: 'EXIT_CODE' },
  filelife: { path: 'FILE' },
  fileslower: { file: 'FILENAME', operation: 'D' },
  filetop: { type: 'T' },
  fsnotify: { latency: 'LAT(us)' },
  fsslower: { file: 'FILENAME', operation: 'T' },
  funcinterval: { func: 'Function' },
  funclatency: { func: 'Function' },
  funcslower: { result: 'RVAL' },
  gethostlatency: { latency: 'LATms' },
  klockstat: { average: 'AVG WAIT', total: 'TOTAL WAIT' },
  kvmexit: { reason: 'KVM_EXIT_REASON' },
  linksnoop: { path: 'LINK' },
  llcstat: { comm: 'NAME', misses: 'MISS' },
  mountsnoop: { latency: 'LAT' },
  qdisclat: { interface: 'INTERFACE', kind: 'qdisc' },
  runqslower: { latency: 'LAT(us)' },
  seccompsnoop: { action: 'CODE' },
  setuids: { request: 'ARGS' },
  shmsnoop: { request: 'ARGs', syscall: 'SYS' },
  skbdrop: { daddr: '> DADDR:DPORT', saddr: 'SADDR:SPORT' },
  skbtrace: { daddr: '> DADDR:DPORT', saddr: 'SADDR:SPORT' },
  softirqslower: { latency: 'LAT(us)' },
  sofdsnoop: { path: 'NAME' },
  solisten: { error: 'RET', ip: 'PROTO' },
  sslsniff: { function: 'FUNC', size: 'LEN' },
  syncsnoop: { syscall: 'CALL' },
  syscount: { total: 'TIME' },
  tcpaccept: { backlog: 'BL' },
  tcpconnect: { daddr: 'DADDR', dport: 'DPORT', saddr: 'SADDR' },
  tcpconnlat: { daddr: 'DADDR', dport: 'DPORT', saddr: 'SADDR' },
  tcpdrop: { daddr: '> DADDR:DPORT', saddr: 'SADDR:SPORT' },
  tcppktlat: { latency: 'MS' },
  tcpretrans: { kind: 'T' },
  tcpsubnet: { rx: 'RX', tx: 'TX' },
  tcptracer: { daddr: 'DADDR', dport: 'DPORT', kind: 'T', lport: 'SPORT', saddr: 'SADDR' },
  ucalls: { name: 'METHOD', total: 'TIME(us)' },
  uflow: { name: 'METHOD' },
  ugc: { latency: 'TIME(us)' },
  uobjnew: { allocs: '# ALLOCS', bytes: '# BYTES', name: 'NAME/TYPE' },
  ustat: { threads: 'THR' },
  uthreads: { tid: 'ID' },
  vfsstat: { reads: 'READ', writes: 'WRITE' },
  virtiostat: { device: 'Device' },
  writeback: { latency: 'ms' },
  // No namesake: what they show is not what others show under the usual heading.
  cputhrottle: { path: 'CGROUP' },
  memleak: { age: 'AGE' },
  sockets: { daddr: 'RADDR:RPORT', saddr: 'LADDR:LPORT' },
  traceloop: { duration: 'DURATION' },
};

test('a column has the same heading in all tools, but for those that are known by another one', () => {
  const usually = new Map<string, string | undefined>();
  const found = [...columns].flatMap(([name, uses]) => {
    const headings = told(uses, ({ column: { header } }) => header);
    // Of several that are as usual, the field's own name.
    const most = headings.filter(([, tools]) => tools.length === headings[0]?.[1].length).map(([header]) => header);
    const usual = most.includes(name.toUpperCase()) ? name.toUpperCase() : most.sort()[0];
    usually.set(name, usual);
    return headings.flatMap(([header, tools]) =>
      header === usual ? [] : tools.map((tool) => ({ tool, name, header })),
    );
  });
  assert.deepEqual(
    found
      .filter(({ tool, name, header }) => otherHeadings[tool]?.[name] !== header)
      .map((one) => ({ ...one, usually: usually.get(one.name) })),
    [],
    "give the column the usual 'header', or say in otherHeadings where this one is known from",
  );
  assert.deepEqual(
    Object.entries(otherHeadings).flatMap(([tool, of]) =>
      Object.keys(of).filter((name) => !found.some((one) => one.tool === tool && one.name === name)),
    ),
    [],
    'these have the usual heading',
  );
});

/** Fields whose texts come from a set of the tool's own, and are as wide as that asks for. */
const ownTexts = new Set(['call', 'event', 'kind', 'name', 'path', 'reason', 'ret', 'syscall']);
/** Beside two addresses, there is less space for a command. */
const besideAddresses = new Set(columns.get('saddr')?.map(({ tool }) => tool));
/** Where the port is written behind the address, as in what their namesakes print. */
const withPort = new Set(['tcpcong', 'tcptop', 'udptop']);

test('a column of one heading and type has one width in all tools', () => {
  const wrong = [...columns].flatMap(([name, uses]) => {
    if (ownTexts.has(name)) {
      return [];
    }
    const widths = new Map<string, Set<number>>();
    for (const { tool, column } of uses) {
      const where = [
        ...(name === 'comm' && besideAddresses.has(tool) ? ['beside addresses'] : []),
        ...(/addr$/.test(name) && withPort.has(tool) ? ['with the port'] : []),
      ];
      const kind = [name, column.header, typeOf(column), ...where].join(' ');
      // Names of an enum are as wide as the longest of them.
      widths.set(kind, new Set([...(typeOf(column) === 'enum' ? [] : (widths.get(kind) ?? [])), column.width]));
    }
    return [...widths].filter(([, found]) => found.size > 1);
  });
  assert.deepEqual(wrong, []);
});

/** What amounts are of, by their type. */
const amounts: Readonly<Record<string, string>> = {
  ...{ ns_t: 'time', us_t: 'time', bytes_t: 'bytes', percent_t: 'a share', cpu_t: 'a processor' },
  ...{ count_t: 'a number', u16: 'a number', u32: 'a number', u64: 'a number', double: 'a number' },
};

/** Fields that are an amount of something else in these tools. */
const otherAmounts: Readonly<Record<string, readonly string[]>> = {
  // Instructions or entries: what BPF has are no bytes.
  size: ['bpflist', 'bpfload'],
  // In the unit of the distribution, which is a field beside it.
  total: ['hardirqs', 'softirqs'],
};

test('a field is an amount of the same in all tools', () => {
  const wrong = [...columns].flatMap(([name, uses]) => {
    const others = otherAmounts[name] ?? [];
    const found = told(
      uses.filter(({ tool, column }) => !others.includes(tool) && amounts[typeOf(column)] !== undefined),
      ({ column }) => amounts[typeOf(column)],
    );
    return found.length > 1 ? [[name, ...found]] : [];
  });
  assert.deepEqual(wrong, []);
});
