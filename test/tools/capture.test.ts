import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Actor } from '../helpers/actor.ts';
import { allowLargeTransfer, largeTransfer } from '../helpers/large-packets.ts';
import { areAddressedHosts } from '../helpers/network-namespace.ts';
import { runTool } from '../helpers/run-tool.ts';
import { familyOf, socketAddress } from '../helpers/socket-address.ts';
import { commOf } from '../helpers/task-fields.ts';
import { watch } from '../helpers/watch.ts';

const [SOCK_STREAM, SOCK_DGRAM] = [1, 2];
const CLIENT = 1053;
const SERVER = 2053;
const OTHER = 3053;
const ETHERNET = 14;
const [SYN, ACK] = [2, 16];
const folder = mkdtempSync(join(tmpdir(), 'kscope-capture-'));
after(() => rmSync(folder, { recursive: true }));

async function bound(actor: Actor, type: number, address: string, port: number): Promise<number> {
  const fd = await actor.mustCall('socket', familyOf(address), type, 0);
  const to = socketAddress({ address, port });
  await actor.mustCall('bind', fd, to, to.length);
  return fd;
}

async function send(actor: Actor, fd: number, data: Buffer, address: string, port: number): Promise<void> {
  const to = socketAddress({ address, port });
  await actor.mustCall('sendto', fd, data, data.length, 0, to, to.length);
}

async function receive(actor: Actor, fd: number, length: number): Promise<void> {
  assert.equal(await actor.mustCall('recvfrom', fd, Buffer.alloc(65_536), 65_536, 0, 0, 0), length);
}

for (const { ip, left: here, right: there, header } of [
  { ip: 4, left: '192.0.2.1', right: '192.0.2.2', header: 28 },
  { ip: 6, left: '2001:db8::1', right: '2001:db8::2', header: 48 },
] as const) {
  test(`each datagram over IPv${ip} is seen at both ends of a cable, with its process`, async (t) => {
    await using left = await Actor.start();
    await using right = await Actor.start();
    if (!(await areAddressedHosts(t, left, right))) {
      return;
    }
    // One socket is there before, one is bound later.
    const answers = await bound(right, SOCK_DGRAM, there, SERVER);
    const file = join(folder, `datagrams-${ip}`);
    const ours = ['--pid-netns', String(left.pid)];
    const theirs = ['--json', '--pid-netns', String(right.pid)];
    const lengths = [0, 1, 100, 1400];
    const commands = {
      left: ['--json', ...ours, '-s', '0', 'udp', 'port', String(SERVER)],
      right: [...theirs, `udp and (dst port ${SERVER} or src port ${SERVER})`],
      server: [...theirs, '-p', String(right.pid), '-s', '1', 'udp'],
      stranger: [...theirs, '-p', String(process.pid)],
      excluded: [...theirs, `port ${SERVER} and not udp or portrange 1-1000`],
      inbound: [
        ...theirs,
        '-i',
        'cable',
        `inbound and src net ${here.replace(/1$/, '0')}/${ip === 4 ? 30 : 126} and greater 500`,
      ],
      otherInterface: [...theirs, '-i', 'lo'],
      text: [...ours, 'udp', 'port', String(SERVER)],
      file: [...ours, '-s', '200', '-w', file, `udp port ${SERVER}`],
    };
    // What has nothing to do with addresses need not be looked at twice.
    const chosen = Object.entries(commands).filter(([name]) => ip === 4 || /^(left|right|inbound|file)$/.test(name));
    const seen = await watch('capture', Object.fromEntries(chosen) as typeof commands, async () => {
      const asks = await bound(left, SOCK_DGRAM, here, CLIENT);
      for (const length of lengths) {
        await send(left, asks, Buffer.alloc(length, 'q'), there, SERVER);
        await receive(right, answers, length);
        await send(right, answers, Buffer.alloc(length, 'r'), here, CLIENT);
        await receive(left, asks, length);
      }
      // Nobody asked for these.
      await send(left, asks, Buffer.alloc(7), there, OTHER);
    });
    const client = { saddr: here, sport: CLIENT, daddr: there, dport: SERVER };
    const server = { saddr: there, sport: SERVER, daddr: here, dport: CLIENT };
    const rows = (actor: Actor, out: typeof client | typeof server) =>
      lengths.flatMap((length) =>
        [client, server].map((ends) => ({
          ...{ pid: actor.pid, comm: commOf(actor.pid), direction: ends === out ? 'OUT' : 'IN', interface: 'cable' },
          ...{ ip, proto: 'UDP', length: ETHERNET + header + length, ethernet: true, ...ends },
        })),
      );
    const known = ({
      pid,
      comm,
      direction,
      interface: name,
      ip,
      proto,
      length,
      ethernet,
      ...more
    }: (typeof seen.left.rows)[number]) => {
      const { saddr, sport, daddr, dport } = more;
      return { pid, comm, direction, interface: name, ip, proto, length, ethernet, saddr, sport, daddr, dport };
    };
    const expected = { left: rows(left, client), right: rows(right, server) };
    assert.deepEqual(seen.left.rows.map(known), expected.left);
    assert.deepEqual(seen.right.rows.map(known), expected.right);
    assert.deepEqual(
      seen.inbound.rows.map(known),
      expected.right.filter(({ direction, length }) => direction === 'IN' && length > 500),
    );
    for (const { length, packet } of seen.left.rows) {
      assert.equal((packet as string).length, 2 * (length as number));
      assert.match(packet as string, /^.{24}(0800|86dd).*?(71|72)*$/);
    }
    if (ip === 4) {
      assert.deepEqual(seen.server.rows.filter(({ dport }) => dport !== OTHER).map(known), expected.right);
      assert.ok(seen.server.rows.every(({ packet }) => /^..$/.test(packet as string)));
      for (const name of ['stranger', 'excluded', 'otherInterface'] as const) {
        assert.deepEqual(seen[name].rows, [], name);
      }
      const [head, ...lines] = seen.text.stdout.trimEnd().split('\n');
      assert.match(head ?? '', /^ +PID COMM +DIR IFACE +PROTO +LEN SADDR:SPORT +> DADDR:DPORT +FLAGS$/);
      assert.equal(lines.length, expected.left.length);
    }
    assert.equal(seen.file.stdout, '');
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const packets = readPackets(readFileSync(file));
    assert.deepEqual(
      packets.map(({ bytes, ...rest }) => ({ ...rest, bytes: bytes.length })),
      expected.left.map(({ direction, length }) => ({
        ...{
          interface: 'cable',
          link: 1,
          flags: direction === 'OUT' ? 2 : 1,
          comment: `${commOf(left.pid)} ${left.pid}`,
        },
        ...{ length, bytes: Math.min(200, length) },
      })),
    );
    assert.deepEqual(
      packets.map(({ bytes }) => bytes.toString('hex')),
      seen.left.rows.map(({ packet }) => (packet as string).slice(0, 400)),
    );
    const reader = spawnSync('tcpdump', ['-nr', file], { encoding: 'utf8' });
    if (reader.error === undefined) {
      const sizes = [...reader.stdout.matchAll(/length (\d+)$/gm)].map(([, size]) => Number(size));
      assert.deepEqual(
        sizes,
        lengths.flatMap((length) => [length, length]),
        reader.stdout + reader.stderr,
      );
    }
  });
}

test('a connection is seen from its handshake on, with what lies in pages, and a large segment as what it is', async (t) => {
  await using left = await Actor.start();
  await using right = await Actor.start();
  if (!(await areAddressedHosts(t, left, right))) {
    return;
  }
  const large = 4000;
  const seen = await watch(
    'capture',
    {
      all: ['--json', '--pid-netns', String(left.pid), '-s', '10000', `tcp port ${SERVER} or arp`],
      client: ['--json', '--pid-netns', String(left.pid), '-p', String(left.pid), `port ${SERVER}`],
      server: ['--json', '--pid-netns', String(right.pid), '-p', String(right.pid), 'tcp'],
    },
    async () => {
      // The first packet to a neighbour waits for its answer, and is sent by nobody then.
      await send(left, await bound(left, SOCK_DGRAM, '192.0.2.1', CLIENT), Buffer.alloc(1), '192.0.2.2', OTHER);
      const listens = await bound(right, SOCK_STREAM, '192.0.2.2', SERVER);
      await right.mustCall('listen', listens, 5);
      const to = socketAddress({ address: '192.0.2.2', port: SERVER });
      const fd = await left.mustCall('socket', 2, SOCK_STREAM, 0);
      await left.mustCall('connect', fd, to, to.length);
      const accepted = await right.mustCall('accept4', listens, 0, 0, 0);
      await left.mustCall('sendto', fd, Buffer.alloc(large, 'l'), large, 0, 0, 0);
      for (let left = large; left > 0; ) {
        left -= await right.mustCall('recvfrom', accepted, Buffer.alloc(large), large, 0, 0, 0);
      }
      await right.mustCall('sendto', accepted, Buffer.from('bye'), 3, 0, 0, 0);
      await receive(left, fd, 3);
    },
  );
  const arp = seen.all.rows.filter(({ proto }) => proto === 'ARP');
  const tcp = seen.all.rows.filter(({ proto }) => proto === 'TCP');
  const [asked] = arp;
  assert.deepEqual(
    { saddr: asked?.saddr, daddr: asked?.daddr, pid: asked?.pid, direction: asked?.direction },
    { saddr: '192.0.2.1', daddr: '192.0.2.2', pid: undefined, direction: 'OUT' },
  );
  assert.deepEqual(
    tcp.slice(0, 3).map(({ flags, direction, pid }) => [flags, direction, pid]),
    [
      [SYN, 'OUT', left.pid],
      [SYN | ACK, 'IN', left.pid],
      [ACK, 'OUT', left.pid],
    ],
  );
  const sent = tcp.filter(({ direction, packet }) => direction === 'OUT' && /(6c){4}$/.test(packet as string));
  const sizes = sent.map(({ length }) => Number(length) - 66);
  assert.equal(
    sizes.reduce((sum, size) => sum + size, 0),
    large,
  );
  // How much the device gets at once is up to the kernel.
  assert.ok(Math.max(...sizes) > 1448, 'more than the cable takes at once, for others to divide');
  for (const { length, packet } of sent) {
    assert.equal(String(packet).length, 2 * Number(length));
    assert.ok(String(packet).endsWith('6c'.repeat(Number(length) - 66)));
  }
  assert.ok(tcp.some(({ direction, packet }) => direction === 'IN' && (packet as string).endsWith('627965')));
  assert.deepEqual(
    seen.client.rows.map(({ direction, flags, length }) => [direction, flags, length]),
    tcp.map(({ direction, flags, length }) => [direction, flags, length]),
  );
  const first = seen.server.rows.slice(0, 2).map(({ flags, direction, pid }) => [flags, direction, pid]);
  assert.deepEqual(first, [
    [SYN, 'IN', right.pid],
    [SYN | ACK, 'OUT', right.pid],
  ]);
});

test('a condition that is wrong is shown, and where', async () => {
  const { code, stderr } = await runTool('capture', ['tcp', 'port', 'http']);
  assert.equal(code, 2);
  assert.match(stderr, /^capture: this is not a port\n {2}tcp port http\n {11}\^~~~\nhint: /);
});

interface ReadPacket {
  readonly interface: string;
  readonly link: number;
  readonly flags: number;
  readonly comment: string | undefined;
  readonly length: number;
  readonly bytes: Buffer;
}

/** The packets of a pcapng file, with the interfaces that they refer to. */
function readPackets(file: Buffer): ReadPacket[] {
  const interfaces: { interface: string; link: number }[] = [];
  const packets: ReadPacket[] = [];
  for (let at = 0; at < file.length; at += file.readUInt32LE(at + 4)) {
    const block = file.subarray(at, at + file.readUInt32LE(at + 4));
    assert.equal(block.readUInt32LE(block.length - 4), block.length);
    const type = block.readUInt32LE(0);
    if (type === 1) {
      const name = options(block, 16).get(2)?.toString() ?? '';
      interfaces.push({ interface: name, link: block.readUInt16LE(8) });
    } else if (type === 6) {
      const captured = block.readUInt32LE(20);
      const found = options(block, 28 + Math.ceil(captured / 4) * 4);
      packets.push({
        ...(interfaces[block.readUInt32LE(8)] ?? { interface: '?', link: 0 }),
        flags: found.get(2)?.readUInt32LE(0) ?? 0,
        comment: found.get(1)?.toString(),
        length: block.readUInt32LE(24),
        bytes: block.subarray(28, 28 + captured),
      });
    }
  }
  return packets;
}

function options(block: Buffer, from: number): Map<number, Buffer> {
  const found = new Map<number, Buffer>();
  for (let at = from; at < block.length - 4 && block.readUInt16LE(at) !== 0; ) {
    const length = block.readUInt16LE(at + 2);
    found.set(block.readUInt16LE(at), block.subarray(at + 4, at + 4 + length));
    at += 4 + Math.ceil(length / 4) * 4;
  }
  return found;
}

test('packets of more than 64 KiB have their whole length', async (t) => {
  await using left = await Actor.start();
  await using right = await Actor.start();
  const transfer = await allowLargeTransfer(t, left, right);
  if (transfer === undefined) {
    return;
  }
  const of = (actor: Actor) => ['--json', '-i', 'cable', '--snaplen', '120', '--pid-netns', String(actor.pid)];
  const seen = await watch('capture', { left: of(left), right: of(right) }, transfer);
  for (const [name, direction] of [
    ['left', 'OUT'],
    ['right', 'IN'],
  ] as const) {
    const packets = seen[name].rows
      .filter((row) => row.direction === direction && row.dport === largeTransfer.port)
      .map(({ length, packet }) => ({ length: Number(length), bytes: Buffer.from(packet as string, 'hex') }));
    let covered = 0;
    const [first] = packets;
    const start = (first?.bytes.readUInt32BE(14 + 40 + 4) ?? 0) + 1;
    const parts = packets.map(({ length, bytes }) => {
      // A header of its own says how large it is, where the kernel needs one.
      const tcp = 14 + 40 + (bytes[14 + 6] === 0 ? 8 : 0);
      const from = (bytes.readUInt32BE(tcp + 4) - start) | 0;
      return { from, to: from + length - tcp - ((bytes[tcp + 12] ?? 0) >> 4) * 4 };
    });
    // Some may be sent again.
    for (const { from, to } of parts.sort((one, other) => one.from - other.from)) {
      assert.ok(from <= covered, `${name}: ${from} > ${covered}`);
      covered = Math.max(covered, to);
    }
    assert.equal(covered, largeTransfer.bytes, name);
    assert.ok(
      packets.some(({ length }) => length > 65_536 + 14),
      name,
    );
  }
});
