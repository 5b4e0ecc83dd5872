import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { test } from 'node:test';
import { Actor } from '../helpers/actor.ts';
import { type DnsRecord, dnsQuery, dnsResponse } from '../helpers/dns.ts';
import { addAddress, addSilentNeighbour, areConnectedHosts, sendPacket } from '../helpers/network-namespace.ts';
import type { JsonMessage } from '../helpers/run-tool.ts';
import { familyOf, ipBytes, readSocketAddress, socketAddress } from '../helpers/socket-address.ts';
import { commOf } from '../helpers/task-fields.ts';
import { waysToSpeak } from '../helpers/tcp-conversation.ts';
import { watch } from '../helpers/watch.ts';

const SOCK_DGRAM = 2;
const [A, NS, AAAA, HTTPS] = [1, 2, 28, 65];
const TRUNCATED = 0x200;
const NXDOMAIN = 3;
/** How long the server thinks about its first answer, in milliseconds. */
const THINKING = 20;

interface Asked {
  readonly name: string;
  readonly type: number;
  readonly flags?: number;
  /** Without them there is no answer. */
  readonly records?: readonly DnsRecord[];
  readonly shown: { readonly name?: string; readonly qtype?: string; readonly rcode?: string; readonly tc?: true };
}

const many = Array.from({ length: 40 }, (_, i) => ({ address: `192.0.2.${i}` }));
const asked: readonly Asked[] = [
  {
    ...{ name: 'www.example.org', type: A, records: [{ alias: 'cdn.example.net' }, { address: '192.0.2.7' }] },
    shown: { name: 'www.example.org', qtype: 'A', rcode: 'NOERROR' },
  },
  {
    ...{ name: 'www.example.org', type: AAAA, records: [{ address: '2001:db8::7' }, { address: '2001:db8::8' }] },
    shown: { name: 'www.example.org', qtype: 'AAAA', rcode: 'NOERROR' },
  },
  {
    ...{ name: 'none.example', type: A, flags: NXDOMAIN, records: [] },
    shown: { name: 'none.example', qtype: 'A', rcode: 'NXDOMAIN' },
  },
  {
    ...{ name: 'a\x1b[2J\n.b\\', type: HTTPS, flags: TRUNCATED, records: [] },
    shown: { name: 'a\\x1b[2J\\n.b\\\\', qtype: 'HTTPS', rcode: 'NOERROR', tc: true },
  },
  { name: '', type: NS, records: many, shown: { name: '.', qtype: 'NS', rcode: 'NOERROR' } },
  { name: 'lost.example', type: A, shown: { name: 'lost.example', qtype: 'A' } },
];

/** What a test knows of a row. */
function known({ pid, comm, ip, saddr, sport, daddr, dport, qr, id, ...more }: JsonMessage) {
  const { tc, rd, ra, answers, unanswered, truncated, name, qtype, rcode, ip_addresses } = more;
  const ends = { pid, comm, ip, saddr, sport, daddr, dport };
  return { ...ends, qr, id, tc, rd, ra, answers, unanswered, truncated, name, qtype, rcode, ip_addresses };
}

for (const way of waysToSpeak) {
  test(`each query over ${way.name}, and each response, is one row of the process that asked`, async () => {
    const server = createSocket(way.bind === '127.0.0.1' ? 'udp4' : 'udp6').bind(0, way.bind);
    await once(server, 'listening');
    const { port } = server.address();
    await using actor = await Actor.start();
    const held: bigint[] = [];
    server.on('message', (query, { address, port: from }) => {
      const came = process.hrtime.bigint();
      const { flags = 0, records } = asked[query.readUInt16BE(0)] ?? {};
      if (records === undefined || query.length < 12) {
        return;
      }
      const answer = () => {
        held.push(process.hrtime.bigint() - came);
        server.send(dnsResponse(query, flags, records), from, address);
      };
      setTimeout(answer, held.length === 0 ? THINKING : 0);
    });
    const of = ['--json', '-P', String(port)];
    const took: bigint[] = [];
    const seen = await watch(
      'dnssnoop',
      {
        all: of,
        chosen: [
          ...['--json', '-P', `1,${port}`, way.ip === 4 ? '-4' : '-6', '--pid-netns', String(actor.pid)],
          ...['-p', String(actor.pid), '-u', '0', '--comm', commOf(actor.pid)],
        ],
        server: [...of, '-p', String(process.pid)],
        otherFamily: [...of, way.ip === 4 ? '-6' : '-4'],
        text: ['-P', String(port)],
        wide: ['-w', '-T', '-P', String(port)],
      },
      async () => {
        const to = socketAddress({ address: way.dial, port });
        const fd = await actor.mustCall('socket', familyOf(way.dial), SOCK_DGRAM, 0);
        for (const [id, { name, type, records }] of asked.entries()) {
          const query = dnsQuery(id, name, type);
          const start = process.hrtime.bigint();
          const results = await actor.perform([
            { name: 'sendto', args: [fd, query, query.length, 0, to, to.length] },
            ...(records === undefined
              ? []
              : [{ name: 'recvfrom' as const, args: [fd, Buffer.alloc(4096), 4096, 0, 0, 0] }]),
          ]);
          took.push(process.hrtime.bigint() - start);
          assert.ok(results.every(({ result }) => result > 0));
        }
        // What is too short to be a message.
        await actor.mustCall('sendto', fd, Buffer.alloc(11), 11, 0, to, to.length);
      },
    );
    server.close();
    const from = Number(seen.all.rows[0]?.sport);
    const [client, there] = [
      { address: way.shown, port: from },
      { address: way.shown, port },
    ];
    const row = (qr: 'Q' | 'R', id: number, more: object) => {
      const { name, qtype } = asked[id]?.shown ?? {};
      const [source, destination] = qr === 'Q' ? [client, there] : [there, client];
      return known({
        ...{ type: 'event', pid: actor.pid, comm: commOf(actor.pid), ip: way.ip, qr, id, rd: true, name, qtype },
        ...{ saddr: source.address, sport: source.port, daddr: destination.address, dport: destination.port },
        ...more,
      });
    };
    const expected = asked.flatMap(({ records, shown: { rcode, tc } }, id) => {
      const ip_addresses = (records ?? []).flatMap((record) => ('address' in record ? [record.address] : []));
      const response = { rcode, tc, ra: true, answers: records?.length, ip_addresses };
      const query = row('Q', id, { answers: 0, ip_addresses: [] });
      return records === undefined ? [query] : [query, row('R', id, response)];
    });
    const unanswered = asked.flatMap(({ records }, id) =>
      records === undefined
        ? [row('Q', id, { answers: 0, ip_addresses: [], unanswered: true, rcode: 'NO ANSWER' })]
        : [],
    );
    for (const name of ['all', 'chosen'] as const) {
      assert.deepEqual(seen[name].rows.map(known), [...expected, ...unanswered], name);
    }
    for (const name of ['server', 'otherFamily'] as const) {
      assert.deepEqual(seen[name].rows, [], name);
    }
    for (const { qr, id, latency, unanswered } of seen.all.rows) {
      if (unanswered === true) {
        assert.ok(Number(latency) > 0);
      } else if (qr === 'Q') {
        assert.equal(latency, undefined);
      } else {
        const [least, most] = [Number(held[Number(id)]), Number(took[Number(id)])];
        assert.ok(least <= Number(latency) && Number(latency) <= most, `${least} <= ${latency} <= ${most}`);
      }
    }
    assert.ok(Number(seen.all.rows[1]?.latency) >= (THINKING - 1) * 1e6);
    const [header = '', ...lines] = seen.text.stdout.trimEnd().split('\n');
    assert.equal(header.trim().replace(/ +/g, ' '), 'PID COMM NAMESERVER QR QTYPE NAME RCODE LAT(ms) ADDRESSES');
    assert.equal(lines.length, expected.length + unanswered.length);
    assert.match(lines[1] ?? '', / R +A +www\.example\.org +NOERROR +\d+\.\d{3} 192\.0\.2\.7 *$/);
    assert.match(lines[6] ?? '', /a\\x1b\[2J\\n\.b\\\\ /);
    assert.match(lines.at(-1) ?? '', / Q +A +lost\.example +NO ANSWER +\d+\.\d{3} *$/);
    assert.match(seen.wide.stdout, /^TIME +PID +COMM +SOURCE +DESTINATION +PROT +ID +QR /);
    assert.ok(seen.all.rows.every(({ transport }) => transport === 'UDP'));
  });
}

const MSG_WAITALL = 0x100;
const SOCK_STREAM = 1;
const [SOL_TCP, TCP_NODELAY] = [6, 1];

/** A message as TCP carries it. */
function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length, 0);
  return Buffer.concat([length, message]);
}

/** A name server over TCP that leaves it to the test when and how to answer. */
async function serveTcp(bind: string, asked: (query: Buffer, socket: Socket) => void): Promise<Server> {
  const server = createServer((socket) => {
    let bytes = Buffer.alloc(0);
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('data', (data) => {
      bytes = Buffer.concat([bytes, data]);
      while (bytes.length >= 2 && bytes.length >= 2 + bytes.readUInt16BE(0)) {
        const end = 2 + bytes.readUInt16BE(0);
        if (end >= 14) {
          asked(bytes.subarray(2, end), socket);
        }
        bytes = bytes.subarray(end);
      }
    });
  });
  server.listen(0, bind);
  await once(server, 'listening');
  return server;
}

for (const way of waysToSpeak) {
  test(`queries over TCP (${way.name}) are rows wherever they begin and end, and so are those without an answer`, async (t) => {
    const names = ['whole', 'split', 'first', 'second', 'long', 'drops', 'late', 'lost', 'before'];
    const [LONG, DROPS, LATE, LOST, BEFORE] = [4, 5, 6, 7, 8];
    const queries = names.map((name, id) => dnsQuery(id, `${name}.example`, id === 3 ? AAAA : A));
    const long = Array.from({ length: 400 }, (_, i) => ({ address: `192.0.${2 + (i >> 8)}.${i & 255}` }));
    const recordsOf = (id: number) => (id === LONG ? long : [{ address: id === 3 ? '2001:db8::7' : '192.0.2.7' }]);
    const held: Buffer[] = [];
    let late = () => {};
    const server = await serveTcp(way.bind, (query, socket) => {
      const id = query.readUInt16BE(0);
      const response = framed(dnsResponse(query, 0, recordsOf(id)));
      if (id === 2) {
        held.push(response);
      } else if (id === 3) {
        socket.write(Buffer.concat([response, ...held]));
      } else if (id === DROPS) {
        const parts = Array.from({ length: Math.ceil(response.length / 7) }, (_, i) =>
          response.subarray(7 * i, 7 * i + 7),
        );
        const next = () => {
          const part = parts.shift();
          if (part !== undefined) {
            socket.write(part, next);
          }
        };
        next();
      } else if (id === LATE) {
        late = () => socket.write(response);
      } else if (id !== LOST) {
        socket.write(response);
      }
    });
    t.after(() => server.close());
    const { port } = server.address() as AddressInfo;
    await using actor = await Actor.start();
    const connect = async () => {
      const to = socketAddress({ address: way.dial, port });
      const fd = await actor.mustCall('socket', familyOf(way.dial), SOCK_STREAM, 0);
      await actor.mustCall('connect', fd, to, to.length);
      await actor.mustCall('setsockopt', fd, SOL_TCP, TCP_NODELAY, Buffer.from(Uint32Array.of(1).buffer), 4);
      return fd;
    };
    const send = (fd: number, bytes: Buffer) => actor.mustCall('sendto', fd, bytes, bytes.length, 0, 0, 0);
    const receive = async (fd: number, ...ids: readonly number[]) => {
      const lengths = ids.map((id) => framed(dnsResponse(queries[id] as Buffer, 0, recordsOf(id))).length);
      const all = lengths.reduce((sum, length) => sum + length, 0);
      assert.equal(await actor.mustCall('recvfrom', fd, Buffer.alloc(all), all, MSG_WAITALL, 0, 0), all);
    };
    const of = ['--json', '-P', String(port), '--timeout'];
    // Longer than any test.
    const patient = '600';
    const before = await connect();
    const seen = await watch(
      'dnssnoop',
      {
        all: [...of, patient],
        chosen: [
          ...['--json', '-P', `1,${port}`, way.ip === 4 ? '-4' : '-6', '--pid-netns', String(actor.pid)],
          ...['-p', String(actor.pid), '-u', '0', '--comm', commOf(actor.pid), '--timeout', patient],
        ],
        impatient: [...of, '0.2'],
        server: [...of, patient, '-p', String(process.pid)],
        otherFamily: [...of, patient, way.ip === 4 ? '-6' : '-4'],
        wide: ['-w', '-P', String(port)],
      },
      async ({ impatient }) => {
        const fd = await connect();
        const frame = (id: number) => framed(queries[id] as Buffer);
        await send(fd, frame(0));
        await receive(fd, 0);
        for (const part of [frame(1).subarray(0, 2), frame(1).subarray(2, 13), frame(1).subarray(13)]) {
          await send(fd, part);
        }
        await receive(fd, 1);
        await send(fd, Buffer.concat([frame(2), frame(3)]));
        await receive(fd, 2, 3);
        for (const id of [LONG, DROPS]) {
          await send(fd, frame(id));
          await receive(fd, id);
        }
        await send(before, frame(BEFORE));
        await receive(before, BEFORE);
        // What only pretends to be a message.
        for (const bytes of [
          Buffer.from('0005010203040506', 'hex'),
          Buffer.alloc(100, 0xff),
          Buffer.from('00', 'hex'),
        ]) {
          await send(await connect(), bytes);
        }
        await send(fd, Buffer.concat([frame(LATE), frame(LOST)]));
        await impatient.row(({ unanswered, id }) => unanswered === true && id === LOST, 'the end of patience');
        late();
        await receive(fd, LATE);
      },
    );
    const line = ({ pid, transport, qr, id, name, rcode, latency, answers, truncated }: JsonMessage) =>
      [pid === actor.pid, transport, qr, id, name, rcode, latency !== undefined, answers, truncated].join(' ');
    const row = (qr: 'Q' | 'R', id: number, missed = false) => {
      const answers = qr === 'Q' ? 0 : recordsOf(id).length;
      const rcode = missed ? 'NO ANSWER' : qr === 'R' ? 'NOERROR' : undefined;
      const truncated = qr === 'R' && id === LONG ? true : undefined;
      return [true, 'TCP', qr, id, `${names[id]}.example`, rcode, missed || qr === 'R', answers, truncated].join(' ');
    };
    const first = [
      ...[row('Q', 0), row('R', 0), row('Q', 1), row('R', 1), row('Q', 2), row('Q', 3), row('R', 3), row('R', 2)],
      ...[LONG, DROPS, BEFORE].flatMap((id) => [row('Q', id), row('R', id)]),
      ...[row('Q', LATE), row('Q', LOST)],
    ];
    for (const name of ['all', 'chosen'] as const) {
      assert.deepEqual(seen[name].rows.map(line), [...first, row('R', LATE), row('Q', LOST, true)], name);
    }
    // Others may have to wait as well, on a busy machine.
    const awaited = seen.impatient.rows.filter(({ id }) => id === LATE || id === LOST);
    assert.deepEqual(awaited.map(line), [
      ...[row('Q', LATE), row('Q', LOST), row('Q', LATE, true), row('Q', LOST, true), row('R', LATE)],
    ]);
    for (const name of ['server', 'otherFamily'] as const) {
      assert.deepEqual(seen[name].rows, [], name);
    }
    for (const { id, latency } of awaited.slice(2)) {
      assert.ok(Number(latency) >= 0.2e9, `${id} ${latency}`);
    }
    const [query, response] = seen.all.rows;
    const ends = ({ ip, saddr, sport, daddr, dport }: JsonMessage) => [ip, saddr, sport, daddr, dport];
    const from = query?.sport;
    assert.deepEqual(ends(query as JsonMessage), [way.ip, way.shown, from, way.shown, port]);
    assert.deepEqual(ends(response as JsonMessage), [way.ip, way.shown, port, way.shown, from]);
    assert.deepEqual([response?.ra, response?.ip_addresses], [true, ['192.0.2.7']]);
    const kept = seen.all.rows.find(({ id, qr }) => id === LONG && qr === 'R');
    const whole = Math.floor((4096 - (queries[LONG] as Buffer).length) / 16);
    assert.deepEqual(
      kept?.ip_addresses,
      long.slice(0, whole).map(({ address }) => address),
    );
    assert.match(seen.wide.stdout, / TCP +0 Q +A +whole\.example +- +- *\n/);
  });
}

/** A query in a datagram of IPv4. */
function packetOf(source: string, sourcePort: number, destination: string, query: Buffer): Buffer {
  const header = Buffer.alloc(28);
  header.writeUInt8(0x45, 0);
  header.writeUInt16BE(header.length + query.length, 2);
  header.writeUInt8(64, 8);
  header.writeUInt8(17, 9);
  ipBytes(source).copy(header, 12);
  ipBytes(destination).copy(header, 16);
  let sum = 0;
  for (let at = 0; at < 20; at += 2) {
    sum += header.readUInt16BE(at);
  }
  header.writeUInt16BE(~((sum & 0xffff) + (sum >> 16)) & 0xffff, 10);
  header.writeUInt16BE(sourcePort, 20);
  header.writeUInt16BE(53, 22);
  header.writeUInt16BE(8 + query.length, 24);
  return Buffer.concat([header, query]);
}

test('between two namespaces a message is one row, and a server has those of others', async (t) => {
  const IP_MULTICAST_IF = 32;
  const [here, there, elsewhere, group] = ['192.0.2.1', '192.0.2.2', '192.0.2.9', '224.0.0.251'];
  await using client = await Actor.start();
  await using server = await Actor.start();
  if (!(await areConnectedHosts(t, client, server))) {
    return;
  }
  await addAddress(client, here, 24);
  await addAddress(server, there, 24);
  await addSilentNeighbour(server, elsewhere);
  const socketOf = async (actor: Actor, address: string, port: number) => {
    const fd = await actor.mustCall('socket', 2, SOCK_DGRAM, 0);
    await actor.mustCall('bind', fd, socketAddress({ address, port }), 16);
    return fd;
  };
  const asks = await socketOf(client, here, 1053);
  const answers = await socketOf(server, there, 53);
  const send = (actor: Actor, fd: number, message: Buffer, address: string, port: number) =>
    actor.mustCall('sendto', fd, message, message.length, 0, socketAddress({ address, port }), 16);
  const receive = async (actor: Actor, fd: number) => {
    const from = Buffer.alloc(16);
    const length = Buffer.from(Uint32Array.of(16).buffer);
    const { result, args } = await actor.ask(0, 'recvfrom', fd, Buffer.alloc(512), 512, 0, from, length);
    return {
      message: Buffer.from(args[1] as Uint8Array).subarray(0, result),
      from: readSocketAddress(args[4] as Uint8Array),
    };
  };
  const query = dnsQuery(7, 'a.example', A);
  const response = dnsResponse(query, 0, [{ address: elsewhere }]);
  const seen = await watch(
    'dnssnoop',
    {
      client: ['--json', '--pid-netns', String(client.pid)],
      server: ['--json', '--pid-netns', String(server.pid)],
      process: ['--json', '-p', String(server.pid)],
    },
    async () => {
      // The second time it is the same query, sent again, and answered twice.
      for (const times of [1, 2]) {
        await send(client, asks, query, there, 53);
        const { message } = await receive(server, answers);
        assert.deepEqual(message, query);
        for (let i = 0; i < times; i++) {
          await send(server, answers, response, here, 1053);
          await receive(client, asks);
        }
      }
      // An answer that nobody has asked for, and a question to whom it may concern.
      await send(server, answers, dnsResponse(dnsQuery(8, 'b.example', A), 0, []), here, 1053);
      await receive(client, asks);
      await client.mustCall('setsockopt', asks, 0, IP_MULTICAST_IF, ipBytes(here), 4);
      await send(client, asks, dnsQuery(0, 'printer.local', A), group, 5353);
      await sendPacket(client, packetOf(elsewhere, 1054, there, dnsQuery(9, 'c.example', A)));
      const { message, from } = await receive(server, answers);
      await send(server, answers, dnsResponse(message, 0, []), from.address, from.port);
      await sendPacket(client, packetOf(elsewhere, 1054, there, dnsQuery(10, 'd.example', A)));
      await receive(server, answers);
    },
  );
  const shown = ({ rows }: { readonly rows: readonly JsonMessage[] }) =>
    rows.map(({ pid, qr, saddr, daddr, name, latency, rcode }) =>
      [pid ?? '-', qr, saddr, daddr, name, latency === undefined ? '' : 'after', rcode ?? ''].join(' ').trim(),
    );
  const queried = `${client.pid} Q ${here} ${there} a.example`;
  const responded = `${client.pid} R ${there} ${here} a.example after NOERROR`;
  assert.deepEqual(shown(seen.client), [
    ...[queried, responded, queried, responded, responded],
    `${client.pid} Q ${here} ${group} printer.local`,
  ]);
  const ofServer = [
    `${server.pid} R ${there} ${here} b.example  NOERROR`,
    `${server.pid} R ${there} ${elsewhere} c.example after NOERROR`,
  ];
  assert.deepEqual(shown(seen.server), [
    ofServer[0],
    `- Q ${elsewhere} ${there} c.example`,
    ofServer[1],
    `- Q ${elsewhere} ${there} d.example`,
    `- Q ${elsewhere} ${there} d.example after NO ANSWER`,
  ]);
  assert.deepEqual(shown(seen.process), ofServer);
});
