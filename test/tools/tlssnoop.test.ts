import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type ConnectionOptions, connect } from 'node:tls';
import { pointerTo } from '../helpers/native-arguments.ts';
import { damage, randomNumbers } from '../helpers/random.ts';
import { RawTcp } from '../helpers/raw-tcp.ts';
import { mustSyscall, syscall } from '../helpers/syscall.ts';
import { waysToSpeak } from '../helpers/tcp-conversation.ts';
import { timeless, watch } from '../helpers/watch.ts';

const { pid } = process;
const comm = readFileSync('/proc/self/comm', 'utf8').trim();
const caller = { pid, tid: pid, uid: process.getuid?.(), comm };
const SOCK_DGRAM = 2;
const AF_UNIX = 1;
const KEY_SHARE = 51;
const ENCRYPTED_CLIENT_HELLO = 0xfe0d;

const short = (value: number) => Buffer.of(value >> 8, value & 0xff);
const sized = (bytes: Uint8Array) => Buffer.concat([short(bytes.length), bytes]);
const sizedByte = (bytes: Uint8Array) => Buffer.concat([Buffer.of(bytes.length), bytes]);
const extension = (type: number, body: Uint8Array) => Buffer.concat([short(type), sized(body)]);
const named = (name: string) => extension(0, sized(Buffer.concat([Buffer.of(0), sized(Buffer.from(name))])));
const speaking = (...names: string[]) =>
  extension(16, sized(Buffer.concat(names.map((name) => sizedByte(Buffer.from(name))))));
const offering = (...versions: number[]) => extension(43, sizedByte(Buffer.concat(versions.map(short))));

/** The first message of a client. */
function clientHello(extensions: readonly Uint8Array[], { session = 32, ciphers = 6 } = {}): Buffer {
  const body = Buffer.concat([
    ...[short(0x303), Buffer.alloc(32, 7), sizedByte(Buffer.alloc(session)), sized(Buffer.alloc(ciphers, 1))],
    ...[Buffer.of(1, 0), ...(extensions.length === 0 ? [] : [sized(Buffer.concat(extensions))])],
  ]);
  return Buffer.concat([Buffer.of(22, 3, 1), sized(Buffer.concat([Buffer.of(1, 0), sized(body)]))]);
}

function vector(pieces: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(
    BigUint64Array.from(pieces.flatMap((piece) => [pointerTo(piece), BigInt(piece.length)])).buffer,
  );
}

const shown = (rows: readonly Readonly<Record<string, unknown>>[]) =>
  rows.map(({ name, alpn, version }) => [name, alpn, version]);

test('each handshake tells the server that it asks for', async () => {
  const listeners = waysToSpeak.map((way) => RawTcp.listen(way));
  const longest = `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.example.org`;
  const cases: readonly ConnectionOptions[] = [
    { servername: 'one.example.org', ALPNProtocols: ['h2', 'http/1.1'] },
    { servername: longest, maxVersion: 'TLSv1.2' },
    { servername: '' },
  ];
  const ports = listeners.map(({ port }) => port);
  const list = ports.join(',');
  const locals: (number | undefined)[] = [];
  const seen = await watch(
    'tlssnoop',
    {
      all: ['--json', '-D', list],
      ipv4: ['--json', '-D', list, '-p', String(pid), '-4', '-n', 'one.ex'],
      ipv6: ['--json', '-D', list, '-6'],
      others: ['--json', '-D', list, '-p', '1'],
      elsewhere: ['--json', '-L', list],
      text: ['-D', String(ports[1])],
    },
    async () => {
      for (const [i, { dial: host }] of waysToSpeak.entries()) {
        for (const one of cases) {
          const client = connect({ host, port: ports[i] ?? 0, rejectUnauthorized: false, ...one });
          const closed = new Promise((resolve) => client.on('error', () => {}).on('close', resolve));
          await new Promise((resolve) => client.on('connect', resolve));
          locals.push(client.localPort);
          const server = listeners[i]?.accept();
          server?.receive(100);
          server?.[Symbol.dispose]();
          await closed;
        }
      }
    },
  );
  for (const listener of listeners) {
    listener[Symbol.dispose]();
  }
  const rows = waysToSpeak.flatMap(({ ip, shown: address }, i): Readonly<Record<string, unknown>>[] => {
    const common = { ...caller, ip, saddr: address, daddr: address, dport: ports[i] };
    return [
      { ...common, lport: locals[3 * i], version: 'TLS_1_3', alpn: 'h2,http/1.1', name: 'one.example.org' },
      { ...common, lport: locals[3 * i + 1], version: 'TLS_1_2', name: longest },
      { ...common, lport: locals[3 * i + 2], version: 'TLS_1_3' },
    ];
  });
  assert.deepEqual(timeless(seen.all.rows), rows);
  assert.deepEqual(
    timeless(seen.ipv4.rows),
    rows.filter(({ ip, alpn }) => ip === 4 && alpn !== undefined),
  );
  assert.deepEqual(
    timeless(seen.ipv6.rows),
    rows.filter(({ ip }) => ip === 6),
  );
  assert.deepEqual([...seen.others.rows, ...seen.elsewhere.rows], []);
  assert.deepEqual(
    seen.text.stdout.split('\n').map((line) => line.trim().replace(/ +/g, ' ')),
    [
      'PID TID COMM RADDR RPORT TLS ALPN NAME',
      `${pid} ${pid} ${comm} ::1 ${ports[1]} 1.3 h2,http/1.1 one.example.org`,
      `${pid} ${pid} ${comm} ::1 ${ports[1]} 1.2 - ${longest}`,
      `${pid} ${pid} ${comm} ::1 ${ports[1]} 1.3 - -`,
      '',
    ],
  );
});

/** Does `work` with a descriptor that sends to a peer who reads nothing, and returns what was seen. */
async function sending(work: (fd: number) => void) {
  const [way] = waysToSpeak;
  using listener = RawTcp.listen(way);
  using client = RawTcp.open(way);
  client.connect(way, listener.port);
  const { all } = await watch('tlssnoop', { all: ['--json', '-p', String(pid)] }, () => work(client.fd));
  return all.rows.filter(({ dport, daddr }) => dport === listener.port || daddr !== way.shown);
}

test('each way to send is seen, whatever the size of the message and the order in it', async () => {
  const large = extension(KEY_SHARE, Buffer.alloc(5000));
  const message = (name: string, ...more: Uint8Array[]) => clientHello([large, ...more, named(name)]);
  const rows = await sending((fd) => {
    const written = message('write.example', speaking('h2'), offering(0x1a1a, 0x303, 0x304, 0x7f1c));
    mustSyscall('write', fd, written, written.length);
    const sent = message('sendto.example', offering(0x302, 0x301));
    mustSyscall('sendto', fd, sent, sent.length, 0, 0, 0);
    const pieces = [message('writev.example'), Buffer.from('more')];
    mustSyscall('writev', fd, vector(pieces), pieces.length);
    const parts = [message('sendmsg.example', extension(ENCRYPTED_CLIENT_HELLO, Buffer.alloc(10)))];
    const vectored = vector(parts);
    const header = BigUint64Array.of(0n, 0n, pointerTo(vectored), 1n, 0n, 0n, 0n);
    mustSyscall('sendmsg', fd, new Uint8Array(header.buffer), 0);
    const bare = clientHello([], { session: 0 });
    mustSyscall('write', fd, bare, bare.length);
  });
  assert.deepEqual(shown(rows), [
    ['write.example', 'h2', 'TLS_1_3'],
    ['sendto.example', undefined, 'TLS_1_2'],
    ['writev.example', undefined, 'TLS_1_2'],
    ['sendmsg.example', undefined, 'TLS_1_2'],
    [undefined, undefined, 'TLS_1_2'],
  ]);
  assert.deepEqual(
    rows.map(({ ech, truncated }) => ech ?? truncated),
    [undefined, undefined, undefined, true, undefined],
  );
});

test('names are escaped and bounded; of what is sent in parts there is what the first one has', async () => {
  const rows = await sending((fd) => {
    const write = (bytes: Uint8Array) => mustSyscall('write', fd, bytes, bytes.length);
    write(clientHello([named('\x1b[31m\n')]));
    write(clientHello([named('n'.repeat(300)), speaking('p'.repeat(100), 'q')]));
    const parts = clientHello([named('parts.example'), extension(KEY_SHARE, Buffer.alloc(1000))]);
    write(parts.subarray(0, 200));
    write(parts.subarray(200));
    const late = clientHello([extension(KEY_SHARE, Buffer.alloc(1000)), named('late.example')]);
    const pieces = [late.subarray(0, 500), late.subarray(500)];
    mustSyscall('writev', fd, vector(pieces), pieces.length);
  });
  assert.deepEqual(
    rows.map(({ name, alpn, truncated }) => [name, alpn, truncated]),
    [
      ['\\x1b[31m\\n', undefined, undefined],
      ['n'.repeat(255), 'p'.repeat(63), undefined],
      ['parts.example', undefined, true],
      [undefined, undefined, true],
    ],
  );
});

test('what only looks like a handshake is none, and neither is one that goes elsewhere than to TCP', async () => {
  const good = clientHello([named('good.example'), speaking('h2')]);
  const changed = (at: number, value: number) => {
    const copy = Buffer.from(good);
    copy[at] = value;
    return copy;
  };
  const bad = [
    ...[changed(0, 23), changed(1, 2), changed(5, 2), changed(6, 1), changed(9, 2), changed(43, 33)],
    // Lengths: of the record, the message, the ciphers, the ways to compress, all extensions and the first of them.
    ...[4, 8, 77, 84, 87, 91].map((at) => changed(at, (good[at] ?? 0) + 1)),
    ...[good.subarray(1), good.subarray(0, 5), Buffer.alloc(1000, 22), Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  ];
  const pair = new Int32Array(2);
  mustSyscall('socketpair', AF_UNIX, SOCK_DGRAM, 0, new Uint8Array(pair.buffer));
  const pipe = new Int32Array(2);
  mustSyscall('pipe2', new Uint8Array(pipe.buffer), 0);
  const rows = await sending((fd) => {
    for (const bytes of bad) {
      mustSyscall('write', fd, bytes, bytes.length);
    }
    for (const other of [pair[0] ?? -1, pipe[1] ?? -1]) {
      mustSyscall('write', other, good, good.length);
    }
    // Refused: nothing was sent.
    assert.ok(syscall('write', -1, good, good.length) < 0);
    mustSyscall('write', fd, good, good.length);
  });
  for (const fd of [...pair, ...pipe]) {
    syscall('close', fd);
  }
  assert.deepEqual(shown(rows), [['good.example', 'h2', 'TLS_1_2']]);
});

test('damaged messages do no harm', async () => {
  const random = randomNumbers(5);
  const last = clientHello([named('last.example')]);
  const rows = await sending((fd) => {
    const given = clientHello([named('some.example'), speaking('h2', 'http/1.1'), offering(0x303, 0x304)]);
    for (let i = 0; i < 300; i++) {
      const bytes = damage(given, random);
      bytes.set(given.subarray(0, Math.min(6, bytes.length)));
      mustSyscall('sendto', fd, bytes, bytes.length, 0, 0, 0);
    }
    mustSyscall('sendto', fd, last, last.length, 0, 0, 0);
  });
  assert.equal(rows.at(-1)?.name, 'last.example');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that there is none is what is asked.
  assert.ok(rows.every(({ name, alpn }) => !/[\x00-\x1f]/.test(`${name}${alpn}`)));
});
