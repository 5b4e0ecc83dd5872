import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { probeFeature } from '../../lib/index.ts';
import { Actor } from '../helpers/actor.ts';
import { Crowd } from '../helpers/crowd.ts';
import { dnsAnswer } from '../helpers/dns.ts';
import { addAddress, addSilentNeighbour, areConnectedHosts } from '../helpers/network-namespace.ts';
import { startBpftrace, startPeer } from '../helpers/peer.ts';
import { type JsonMessage, runTool, startTool, type ToolResult } from '../helpers/run-tool.ts';
import { familyOf, socketAddress } from '../helpers/socket-address.ts';
import { errorName, syscall } from '../helpers/syscall.ts';
import { taskFields } from '../helpers/task-fields.ts';
import {
  ClosedPort,
  type Connected,
  type Connecting,
  closeAll,
  connectAll,
  hasIpv6,
  TcpServer,
} from '../helpers/tcp.ts';
import { timeless, watch } from '../helpers/watch.ts';

const AF_UNSPEC = 0;
const IPPROTO_MPTCP = 262;
const MSG_FASTOPEN = 0x20000000;
const PR_SET_NAME = 15;

// Where there is no IPv6, IPv4 has to do for everything.
const ipv6 = hasIpv6();
const localhost6 = ipv6 ? '::1' : '127.0.0.1';

/** Leaves out what needs a socket of IPv6 where there is none. */
function possible(all: readonly Connecting[]): Connecting[] {
  return all.filter(({ address }) => ipv6 || !address.includes(':'));
}

/** Whether the hook that was chosen knows the local port without being asked for it. */
function knowsPorts({ messages }: ToolResult): boolean {
  const hooks = messages.find(({ type }) => type === 'ready')?.hooks as readonly { program: string }[];
  return !hooks.some(({ program }) => program.startsWith('sock_state'));
}

function mapped(address: string): string {
  return `::ffff:${address}`;
}

/** What a row must say about one connection of the first thread of an actor. */
function rowFor(actor: Actor, to: Connecting, { local }: Connected, lport: boolean) {
  const plain = to.address.replace(/^::ffff:/, '');
  // A bound port is known whatever the hook.
  return {
    ...taskFields(actor.pid),
    ip: plain.includes(':') ? 6 : 4,
    // A socket that was refused forgets the address that the kernel chose, which is that of the other side here.
    saddr: local.address === '0.0.0.0' || local.address === '::' ? plain : local.address,
    ...((lport || to.from !== undefined) && { lport: local.port }),
    daddr: plain,
    dport: to.port,
  };
}

test('each connection that is begun is one row, with the addresses and ports of the socket', async (t) => {
  await using v4 = await TcpServer.start('127.0.0.1');
  await using v6 = await TcpServer.start(localhost6);
  using closed4 = new ClosedPort('127.0.0.1');
  using closed6 = new ClosedPort(localhost6);
  await using actor = await Actor.start();
  const begun = possible([
    v4.endpoint,
    v6.endpoint,
    { ...v4.endpoint, address: mapped('127.0.0.1') },
    { ...v4.endpoint, nonBlocking: true },
    { ...v6.endpoint, nonBlocking: true },
    { ...v4.endpoint, address: mapped('127.0.0.1'), nonBlocking: true },
    { ...v4.endpoint, from: { address: '127.0.0.77', port: 0 } },
    { ...v4.endpoint, from: { address: '0.0.0.0', port: 0 } },
    { ...v6.endpoint, from: { address: localhost6, port: 0 } },
    closed4.endpoint,
    closed6.endpoint,
    { ...closed4.endpoint, address: mapped('127.0.0.1') },
    { ...closed4.endpoint, nonBlocking: true },
    { ...closed4.endpoint, from: { address: '127.0.0.77', port: 0 } },
  ]);
  // Not every kernel is built with it.
  const mptcp = syscall('socket', 2, 1, IPPROTO_MPTCP);
  if (mptcp >= 0) {
    syscall('close', mptcp);
    begun.push({ ...v4.endpoint, protocol: IPPROTO_MPTCP }, { ...v6.endpoint, protocol: IPPROTO_MPTCP });
  } else {
    t.diagnostic(`MPTCP is not there: ${errorName(-mptcp)}`);
  }
  const own = ['-p', String(actor.pid), '--json'];
  const ports = [v6, closed4].map((target) => target.endpoint.port);
  let made: Connected[] = [];
  let fast = 0;
  const seen = await watch(
    'tcpconnect',
    {
      plain: own,
      lport: [...own, '-L'],
      port: [...own, '-P', String(ports[0])],
      ports: [...own, '--port', ports.join()],
      repeated: [...own, '-P', String(ports[0]), '-P', String(ports[1])],
      v4: [...own, '-4'],
      v6: [...own, '-6'],
      longV4: [...own, '--ipv4', '-P', String(ports[0])],
      longV6: [...own, '--ipv6', '-L'],
    },
    async () => {
      made = await connectAll(actor, begun);
      // What begins no TCP connection.
      const udp = await actor.mustCall('socket', 2, 2, 0);
      const unix = await actor.mustCall('socket', 1, 1, 0);
      const tcp = await actor.mustCall('socket', 2, 1, 0);
      const address = socketAddress(v4.endpoint);
      const broadcast = socketAddress({ address: '255.255.255.255', port: v4.endpoint.port });
      assert.equal(await actor.call('connect', udp, address, address.length), 0);
      assert.ok((await actor.call('connect', unix, Buffer.from('\x01\0/none\0'), 8)) < 0);
      assert.ok((await actor.call('connect', tcp, broadcast, broadcast.length)) < 0);
      assert.ok((await actor.call('connect', tcp, address, 4)) < 0);
      assert.equal(
        errorName(-(await actor.call('connect', made[0]?.fd as number, address, address.length))),
        'EISCONN',
      );
      // A socket that is used again, and a connection that begins with data.
      const none = Buffer.alloc(16);
      none.writeUInt16LE(AF_UNSPEC);
      assert.equal(await actor.call('connect', made[0]?.fd as number, none, none.length), 0);
      assert.equal(await actor.call('connect', made[0]?.fd as number, address, address.length), 0);
      fast = await actor.call('sendto', tcp, Buffer.from('x'), 1, MSG_FASTOPEN, address, address.length);
      await closeAll(actor, made);
    },
  );
  const results = made.map(({ result }) => (result === 0 ? '' : errorName(-result)));
  assert.deepEqual(
    results,
    begun.map(({ port, nonBlocking }) =>
      nonBlocking
        ? 'EINPROGRESS'
        : [closed4, closed6].some(({ endpoint }) => endpoint.port === port)
          ? 'ECONNREFUSED'
          : '',
    ),
  );
  const rows = (lport: boolean, wanted: (to: Connecting) => boolean = () => true) =>
    begun.flatMap((to, i) => (wanted(to) ? [rowFor(actor, to, made[i] as Connected, lport)] : []));
  const shown = ({ rows }: ToolResult, count: number) => timeless(rows).slice(0, count);
  const all = begun.length;
  const known = knowsPorts(seen.plain);
  assert.deepEqual(shown(seen.plain, all), rows(known));
  const again = timeless(seen.plain.rows).slice(all) as Record<string, unknown>[];
  assert.deepEqual(
    again.map(({ pid, saddr, daddr, dport }) => ({ pid, saddr, daddr, dport })),
    Array(fast === 1 ? 2 : 1).fill({ pid: actor.pid, saddr: '127.0.0.1', daddr: '127.0.0.1', dport: v4.endpoint.port }),
  );
  // The rows of connections that wait for their answer come later than the others.
  const found = timeless(seen.lport.rows) as { lport?: number }[];
  for (const row of rows(true)) {
    const at = found.findIndex((one) => isDeepStrictEqual(one, row));
    assert.ok(at >= 0, `${JSON.stringify(row)} is not among ${JSON.stringify(found)}`);
    found.splice(at, 1);
  }
  assert.equal(found.length, again.length);
  assert.ok(found.every(({ lport = 0 }) => lport > 0));
  const [six, closed] = ports;
  assert.deepEqual(
    timeless(seen.port.rows),
    rows(known, ({ port }) => port === six),
  );
  assert.deepEqual(
    timeless(seen.ports.rows),
    rows(known, ({ port }) => port === six || port === closed),
  );
  assert.deepEqual(timeless(seen.repeated.rows), timeless(seen.ports.rows));
  const isV6 = ({ address }: Connecting) => address.replace(/^::ffff:/, '').includes(':');
  assert.deepEqual(
    shown(seen.v4, rows(known, (to) => !isV6(to)).length),
    rows(known, (to) => !isV6(to)),
  );
  assert.equal(seen.v4.rows.length + seen.v6.rows.length, seen.plain.rows.length);
  assert.deepEqual(timeless(seen.v6.rows), rows(known, isV6));
  assert.deepEqual(
    timeless(seen.longV4.rows),
    rows(known, (to) => to.port === six && !isV6(to)),
  );
  assert.equal(seen.longV6.rows.length, seen.v6.rows.length);
});

test('text has the columns that were asked for', async () => {
  await using v4 = await TcpServer.start('127.0.0.1');
  await using v6 = await TcpServer.start(localhost6);
  await using actor = await Actor.start();
  await actor.mustCall('prctl', PR_SET_NAME, 'a\tb');
  const own = ['-p', String(actor.pid)];
  const to: Connecting[] = [
    { ...v4.endpoint, from: { address: '127.0.0.1', port: 0 } },
    { ...v6.endpoint, from: { address: localhost6, port: 0 } },
  ];
  let made: Connected[] = [];
  const seen = await watch(
    'tcpconnect',
    {
      plain: own,
      lport: [...own, '-L'],
      wide: [...own, '-T', '-U', '--lport'],
      long: [...own, '--timestamp', '--print-uid', '-s'],
      fields: [...own, '--fields', 'dport,daddr,lport,ip'],
    },
    async () => {
      made = await connectAll(actor, to);
      // The other side has answered when its end is read.
      for (const { fd } of made) {
        await actor.call('read', fd, new Uint8Array(1), 1);
      }
    },
  );
  const shown = (text: string) => text.split('\n').map((line) => line.trim().split(/ +/).join(' '));
  const [a, b] = made.map(({ local }) => local.port);
  const [c, d] = to.map(({ port }) => port);
  const { pid } = actor;
  const ip = ipv6 ? 6 : 4;
  assert.deepEqual(shown(seen.plain.stdout), [
    'PID COMM IP SADDR DADDR DPORT',
    `${pid} a\\tb 4 127.0.0.1 127.0.0.1 ${c}`,
    `${pid} a\\tb ${ip} ${localhost6} ${localhost6} ${d}`,
    '',
  ]);
  assert.deepEqual(shown(seen.lport.stdout), [
    'PID COMM IP SADDR LPORT DADDR DPORT',
    `${pid} a\\tb 4 127.0.0.1 ${a} 127.0.0.1 ${c}`,
    `${pid} a\\tb ${ip} ${localhost6} ${b} ${localhost6} ${d}`,
    '',
  ]);
  const time = /^\d\d:\d\d:\d\d /gm;
  for (const { stdout } of [seen.wide, seen.long]) {
    assert.equal(stdout.match(time)?.length, 2);
    assert.deepEqual(shown(stdout.replace(time, '')), [
      'TIME UID PID COMM IP SADDR LPORT DADDR DPORT',
      `0 ${pid} a\\tb 4 127.0.0.1 ${a} 127.0.0.1 ${c}`,
      `0 ${pid} a\\tb ${ip} ${localhost6} ${b} ${localhost6} ${d}`,
      '',
    ]);
  }
  assert.deepEqual(shown(seen.fields.stdout), [
    'DPORT DADDR LPORT IP',
    `${c} 127.0.0.1 ${a} 4`,
    `${d} ${localhost6} ${b} ${ip}`,
    '',
  ]);
});

test('500 connections are 500 rows, and their counts are exact', async () => {
  await using v4 = await TcpServer.start('127.0.0.1');
  await using other = await TcpServer.start('127.0.0.1');
  await using v6 = await TcpServer.start(localhost6);
  await using actor = await Actor.start();
  const repeat = (count: number, target: Connecting) => Array<Connecting>(count).fill(target);
  const to = possible([
    ...repeat(300, v4.endpoint),
    ...repeat(120, v6.endpoint),
    ...repeat(50, other.endpoint),
    ...repeat(30, ipv6 ? { ...v4.endpoint, address: mapped('127.0.0.1') } : v4.endpoint),
  ]);
  assert.equal(to.length, 500);
  const own = ['-p', String(actor.pid)];
  let made: Connected[] = [];
  const times = { before: 0, after: 0 };
  const seen = await watch(
    'tcpconnect',
    {
      all: [...own, '--json', '-L'],
      count: [...own, '--json', '-c'],
      countText: [...own, '--count'],
      countPorts: [...own, '--json', '-c', '-L'],
      countFiltered: [...own, '-c', '-6', '--json'],
      nothing: ['-p', String(process.pid), '-c'],
    },
    async () => {
      times.before = Date.now();
      made = await connectAll(actor, to);
      times.after = Date.now();
      await closeAll(actor, made);
    },
  );
  const key = ({ saddr, lport, daddr, dport }: Record<string, unknown>) => [saddr, lport, daddr, dport].join();
  const expected = to.map((target, i) => key(rowFor(actor, target, made[i] as Connected, true)));
  assert.deepEqual(seen.all.rows.map(key).sort(), expected.sort());
  for (const { time } of seen.all.rows) {
    const at = Date.parse(String(time));
    assert.ok(at >= times.before - 5 && at <= times.after + 6, `${time}`);
  }
  const tables = (result: ToolResult) => result.messages.filter(({ type }) => type === 'table');
  const [table, ...more] = tables(seen.count);
  assert.deepEqual(more, []);
  const line = (daddr: string, dport: number, count: number) => ({ saddr: daddr, daddr, dport, count });
  const counts = [
    line('127.0.0.1', v4.endpoint.port, 330),
    line(localhost6, v6.endpoint.port, 120),
    line('127.0.0.1', other.endpoint.port, 50),
  ];
  assert.equal(table?.type, 'table');
  assert.deepEqual(table?.rows, counts);
  const [ports] = tables(seen.countPorts);
  assert.deepEqual(
    ((ports?.rows ?? []) as Record<string, unknown>[]).map((row) => [key(row), row.count]).sort(),
    expected.map((one) => [one, 1]).sort(),
  );
  assert.deepEqual(tables(seen.countFiltered)[0]?.rows, ipv6 ? [counts[1]] : []);
  assert.deepEqual(
    seen.countText.stdout.split('\n').map((text) => text.trim().split(/ +/).join(' ')),
    [
      'SADDR DADDR DPORT CONNECTS',
      ...counts.map(({ saddr, daddr, dport, count }) => [saddr, daddr, dport, count].join(' ')),
      '',
    ],
  );
  assert.match(seen.nothing.stdout, /^SADDR +DADDR +DPORT +CONNECTS\n$/);
});

test('rows are those of the process, thread, user, command, cgroup and mount namespace asked for', async () => {
  await using server = await TcpServer.start('127.0.0.1');
  await using crowd = await Crowd.start();
  const { user, group, cgroups, namespaces, actors } = crowd;
  const { plain } = actors;

  const own = ['--json', '-P', String(server.endpoint.port)];
  const seen = await watch(
    'tcpconnect',
    {
      all: own,
      pid: [...own, '--pid', String(plain.pid)],
      tid: [...own, '--tid', String(plain.tids[1])],
      uid: [...own, '-u', String(user.uid)],
      userName: [...own, '--uid', user.name],
      comm: [...own, '--comm', 'a-known-name'],
      cgroup: [...own, '--cgroup', group.path],
      cgroupMap: [...own, '--cgroupmap', cgroups.path],
      mountNamespaces: [...own, '--mntnsmap', namespaces.path],
    },
    async () => {
      for (const actor of Object.values(actors)) {
        await closeAll(actor, await connectAll(actor, [server.endpoint]));
      }
      await closeAll(plain, await connectAll(plain, [server.endpoint], 1));
    },
  );
  const names = ({ rows }: { readonly rows: readonly JsonMessage[] }) =>
    rows.map(({ pid, tid }) => {
      const name = Object.entries(actors).find(([, actor]) => actor.pid === pid)?.[0];
      return tid === pid ? name : `${name}'s thread`;
    });
  assert.deepEqual(names(seen.all), [...Object.keys(actors), "plain's thread"]);
  assert.deepEqual(names(seen.pid), ['plain', "plain's thread"]);
  assert.deepEqual(names(seen.tid), ["plain's thread"]);
  assert.equal(seen.tid.rows[0]?.tid, plain.tids[1]);
  assert.deepEqual(names(seen.uid), ['foreign']);
  assert.equal(seen.uid.rows[0]?.uid, user.uid);
  assert.deepEqual(names(seen.userName), ['foreign']);
  assert.deepEqual(names(seen.comm), ['named']);
  assert.equal(seen.comm.rows[0]?.comm, 'a-known-name');
  assert.deepEqual(names(seen.cgroup), ['grouped', 'nested']);
  assert.equal(seen.cgroup.rows[0]?.cgroup, group.id);
  assert.deepEqual(names(seen.cgroupMap), ['grouped']);
  assert.deepEqual(names(seen.mountNamespaces), ['spaced']);
});

test('connections between hosts are seen, and those that nobody answers at once', async (t) => {
  await using left = await Actor.start();
  await using right = await Actor.start();
  if (!(await areConnectedHosts(t, left, right))) {
    return;
  }
  for (const [actor, host] of [
    [left, 1],
    [right, 2],
  ] as const) {
    await addAddress(actor, `10.123.0.${host}`, 24);
    if (ipv6) {
      await addAddress(actor, `fd00::${host}`, 64);
    }
  }
  const port = 8080;
  const listening: Connecting[] = [
    { address: '10.123.0.2', port },
    { address: 'fd00::2', port },
  ];
  for (const { address } of possible(listening)) {
    const local = socketAddress({ address, port });
    const listener = await right.mustCall('socket', familyOf(address), 1, 0);
    await right.mustCall('bind', listener, local, local.length);
    await right.mustCall('listen', listener, 16);
  }
  const answered = possible([
    ...listening,
    { address: mapped('10.123.0.2'), port },
    { address: '10.123.0.2', port, from: { address: '10.123.0.1', port: 4321 } },
  ]);
  const unanswered = possible([
    { address: '10.123.0.99', port, nonBlocking: true },
    { address: 'fd00::99', port, nonBlocking: true },
    { address: '10.123.0.98', port, nonBlocking: true, from: { address: '10.123.0.1', port: 4322 } },
  ]);
  for (const { address } of unanswered) {
    await addSilentNeighbour(left, address);
  }
  const unreachable = possible([
    { address: '10.124.0.1', port },
    { address: 'fd01::1', port },
  ]);
  const own = ['--json', '-p', String(left.pid)];
  let made: Connected[] = [];
  let waiting: Connected[] = [];
  await using unfinished = startTool('tcpconnect', [...own, '-L']);
  await using uncounted = startTool('tcpconnect', [...own, '-L', '-c']);
  await Promise.all([unfinished.ready(), uncounted.ready()]);
  let before: ToolResult | undefined;
  let counted: ToolResult | undefined;
  const seen = await watch('tcpconnect', { plain: own, lport: [...own, '-L'] }, async ({ plain }) => {
    made = await connectAll(left, answered);
    for (const { result } of await connectAll(left, unreachable)) {
      assert.equal(errorName(-result), 'ENETUNREACH');
    }
    waiting = await connectAll(left, unanswered);
    for (const [i, { address }] of unanswered.entries()) {
      await plain.row(({ daddr }) => daddr === address, `the connection to ${address}`);
      // It is still under way when it is shown.
      const to = socketAddress(unanswered[i] as Connecting);
      const again = await left.call('connect', waiting[i]?.fd as number, to, to.length);
      assert.equal(errorName(-again), 'EALREADY');
    }
    before = await unfinished.end();
    counted = await uncounted.end();
    await closeAll(left, [...made, ...waiting]);
  });
  const known = knowsPorts(seen.plain);
  const rows = (lport: (to: Connecting) => boolean) =>
    [...answered, ...unanswered].map((to, i) => rowFor(left, to, [...made, ...waiting][i] as Connected, lport(to)));
  const sorted = (list: readonly object[]) => list.map((row) => JSON.stringify(Object.entries(row).sort())).sort();
  assert.deepEqual(
    timeless(seen.plain.rows),
    rows(() => known),
  );
  // A port that is found out later is shown later, and one that is not known by the end never.
  assert.deepEqual(sorted(timeless(seen.lport.rows)), sorted(rows(() => true)));
  assert.ok(before !== undefined && counted !== undefined);
  const atOnce = knowsPorts(before);
  const byEnd = sorted(rows((to) => atOnce || answered.includes(to)));
  assert.deepEqual(sorted(timeless(before.rows)), byEnd);
  const table = counted.messages.find(({ type }) => type === 'table');
  assert.equal((table?.rows as object[] | undefined)?.length, byEnd.length);
});

test('the hook that knows the local port is used where that is asked for and the kernel has it', async () => {
  const kind = probeFeature('kprobe').supported ? 'kprobe' : probeFeature('fexit').supported ? 'fexit' : 'sock_state';
  const seen = await watch('tcpconnect', { plain: ['--json'], lport: ['--json', '-L'] }, () => {});
  const programs = ({ messages }: ToolResult) => {
    const hooks = (messages[0]?.hooks ?? []) as readonly { readonly program: string }[];
    return hooks.map(({ program }) => program.replace(/^tcp_v/, ''));
  };
  assert.deepEqual(programs(seen.plain), ['sock_state__tp_btf']);
  assert.deepEqual(
    programs(seen.lport).sort(),
    {
      fexit: ['4_connect__fexit', '6_connect__fexit'],
      kprobe: ['4_connect__kprobe', '4_connect__kretprobe', '6_connect__kprobe', '6_connect__kretprobe'],
      sock_state: ['sock_state__tp_btf'],
    }[kind],
  );
});

test('the same connections as the tcpconnect of libbpf-tools', async (t) => {
  await using v4 = await TcpServer.start('127.0.0.1');
  await using v6 = await TcpServer.start(localhost6);
  using closed = new ClosedPort('127.0.0.1');
  await using actor = await Actor.start();
  await using peer = await startPeer(t, 'tcpconnect', ['-s', '-p', String(actor.pid)]);
  if (peer === undefined) {
    return;
  }
  const to = possible([
    v4.endpoint,
    v6.endpoint,
    closed.endpoint,
    { ...v4.endpoint, nonBlocking: true },
    { ...v4.endpoint, address: mapped('127.0.0.1') },
    { ...v6.endpoint, nonBlocking: true },
  ]);
  const { all } = await watch('tcpconnect', { all: ['--json', '-L', '-p', String(actor.pid)] }, async () => {
    const made = await connectAll(actor, to);
    await closeAll(actor, made);
  });
  const lines = () => [...peer.stdout.matchAll(/^(\d+) +(\S+) +([46]) +(\S+) +(\S+) +(\d+) +(\d+)$/gm)];
  await peer.until(() => lines().length >= to.length, 'as many connections');
  const ours = all.rows.map(({ pid, comm, ip, saddr, daddr, lport, dport }) =>
    [pid, comm, ip, saddr, daddr, lport, dport].join(' '),
  );
  assert.equal(ours.length, to.length);
  assert.deepEqual(
    ours.sort(),
    lines()
      .map((match) => match.slice(1).join(' '))
      .sort(),
  );
});

test('the same connections as the tcpconnect of bpftrace', async (t) => {
  await using server = await TcpServer.start('127.0.0.1');
  await using actor = await Actor.start();
  await using peer = await startBpftrace(
    t,
    `tracepoint:sock:inet_sock_set_state /args->protocol == 6 && args->newstate == 2 && pid == ${actor.pid}/
    { printf("%d %s %s %s %d\\n", pid, comm, ntop(args->saddr), ntop(args->daddr), args->dport); }`,
  );
  if (peer === undefined) {
    return;
  }
  const to = Array<Connecting>(20).fill(server.endpoint);
  const { all } = await watch('tcpconnect', { all: ['--json', '-p', String(actor.pid)] }, async () => {
    await closeAll(actor, await connectAll(actor, to));
  });
  const theirs = () => peer.stdout.split('\n').filter((line) => line.startsWith(`${actor.pid} `));
  await peer.until(() => theirs().length >= to.length, 'as many connections');
  assert.deepEqual(
    all.rows.map(({ pid, comm, saddr, daddr, dport }) => [pid, comm, saddr, daddr, dport].join(' ')),
    theirs(),
  );
});

test('more ports than it takes are refused', async () => {
  const ports = Array.from({ length: 65 }, (_, i) => i + 1).join();
  const { code, stdout, stderr } = await runTool('tcpconnect', ['-P', ports]);
  assert.equal(code, 2, stderr);
  assert.equal(stdout, '');
  assert.match(stderr, /^tcpconnect: .+\n(hint: .+\n)+$/);
});

test('with -d each line has the name that a name server last gave the address for', async () => {
  // An address of this host that nobody else uses.
  const own = (last: number) => `127.${(process.pid >> 8) & 0xff}.${process.pid & 0xff}.${last}`;
  const [named, renamed, unnamed] = [own(21), own(22), own(23)];
  const server = createSocket('udp4').bind(53, own(53));
  await once(server, 'listening');
  const client = createSocket('udp4').bind(0, own(1));
  await once(client, 'listening');
  await using actor = await Actor.start();
  const answers = [
    dnsAnswer('old.example.org', [{ address: renamed }]),
    dnsAnswer('www.example.org', [{ alias: 'cdn.example.net' }, { address: named }, { address: '::1' }]),
    dnsAnswer('new\x1b.example.org', [{ address: renamed }]),
    Buffer.from('no answer at all'),
  ];
  const seen = await watch(
    'tcpconnect',
    {
      with: ['--json', '-d', '-p', String(actor.pid)],
      without: ['--json', '-p', String(actor.pid)],
      text: ['-d', '-p', String(actor.pid)],
    },
    async () => {
      for (const answer of answers) {
        const arrived = once(client, 'message');
        server.send(answer, client.address().port, own(1));
        await arrived;
      }
      const port = 1;
      const targets = [named, mapped(renamed), '::1', unnamed].map((address) => ({ address, port }));
      await closeAll(actor, await connectAll(actor, possible(targets)));
    },
  );
  for (const socket of [server, client]) {
    socket.close();
  }
  const expected = [
    { daddr: named, query: 'www.example.org' },
    ...(ipv6 ? [{ daddr: renamed, query: 'new\\x1b.example.org' }] : []),
    ...(ipv6 ? [{ daddr: '::1', query: 'www.example.org' }] : []),
    { daddr: unnamed, query: undefined },
  ];
  assert.deepEqual(
    seen.with.rows.map(({ daddr, query }) => ({ daddr, query })),
    expected,
  );
  assert.ok(
    seen.without.rows.length === expected.length && seen.without.rows.every(({ query }) => query === undefined),
  );
  const [header, ...lines] = seen.text.stdout.trimEnd().split('\n');
  assert.match(header ?? '', / DPORT +QUERY *$/);
  assert.deepEqual(
    lines.map((line) => line.trim().split(/ +/).at(-1)),
    expected.map(({ query }) => query ?? '-'),
  );
});
