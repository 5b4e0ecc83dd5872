import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { unescapeText } from '../../lib/model/escape.ts';
import { deadline } from '../helpers/deadline.ts';
import { keptEntries } from '../helpers/kept-entries.ts';
import { type JsonMessage, startTool } from '../helpers/run-tool.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';
import { watch } from '../helpers/watch.ts';

const { pid } = process;
const psk = Buffer.from('6b73636f7065', 'hex');
/** Neither needs a certificate: a shared key, and for clients that cannot have one no authentication at all. */
const ciphers = 'PSK-AES128-GCM-SHA256:AECDH-AES128-SHA:@SECLEVEL=0';
const secure = { ciphers, maxVersion: 'TLSv1.2' } as const;

/** Answers each connection's first words with its own, and ends. */
async function serve(answer: Uint8Array): Promise<{ port: number } & Disposable> {
  const server = createServer({ ...secure, pskCallback: () => psk }, (socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end(answer));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, [Symbol.dispose]: () => server.close() };
}

function dial(port: number): TLSSocket {
  return connect({
    ...secure,
    port,
    host: '127.0.0.1',
    checkServerIdentity: () => undefined,
    pskCallback: () => ({ psk, identity: 'test' }),
  });
}

const bytesOf = (rows: readonly JsonMessage[], name: string) =>
  Buffer.concat(rows.filter((row) => row.function === name).map((row) => unescapeText(String(row.data))));
const sizesOf = (rows: readonly JsonMessage[], name: string) =>
  rows.filter((row) => row.function === name).reduce((sum, { size }) => sum + Number(size), 0);

test('what Node sends and receives over TLS is there, byte for byte', async () => {
  const random = Buffer.from(Array.from({ length: 40_003 }, (_, i) => (i * 7919) % 256));
  using server = await serve(random);
  await using counting = startTool('sslsniff', [
    ...['--json', '--stats', '--no-data', '-p', String(pid), '--extra-lib', `openssl:${process.execPath}`],
  ]);
  await counting.ready();
  const seen = await watch(
    'sslsniff',
    {
      whole: ['--json', '-p', String(pid), '--max-buffer-size', '65536'],
      some: ['--json', '-p', String(pid), '--max-buffer-size', '100'],
    },
    async () => {
      const client = dial(server.port);
      await once(client, 'secureConnect');
      client.write('one\ntwo\0three\x1b');
      let received = 0;
      client.on('data', (data) => {
        received += data.length;
      });
      await once(client, 'close');
      assert.equal(received, random.length);
    },
  );
  const { rows } = seen.whole;
  const sent = Buffer.concat([Buffer.from('one\ntwo\0three\x1b'), random]);
  for (const name of ['WRITE', 'READ']) {
    assert.deepEqual(bytesOf(rows, name), sent, name);
    assert.equal(sizesOf(rows, name), sent.length);
    assert.equal(sizesOf(seen.some.rows, name), sent.length);
  }
  assert.equal(rows[0]?.data, 'one\\ntwo\\x00three\\x1b');
  assert.ok(rows.every((row) => row.pid === pid && Number(row.latency) > 0));
  // Reads that found nothing are over as well.
  const counted = await counting.end();
  assert.deepEqual(keptEntries(counted.messages), []);
  // A file that is named as well is traced once.
  for (const name of ['WRITE', 'READ']) {
    assert.equal(sizesOf(counted.rows, name), sent.length);
  }
  // The beginning of each piece.
  assert.ok(
    seen.some.rows.every(({ data, size }) => unescapeText(String(data)).length === Math.min(Number(size), 100)),
  );
});

const available = (command: string, ...args: string[]) => spawnSync(command, args).status === 0;

/** Python's module uses the functions that return success; GnuTLS is called with what Python can load. */
const overEx = `
import socket, ssl, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
context.maximum_version = ssl.TLSVersion.TLSv1_2
context.set_ciphers('AECDH-AES128-SHA:@SECLEVEL=0')
with context.wrap_socket(socket.create_connection(('127.0.0.1', int(sys.argv[1])))) as tls:
    tls.sendall(b'from ex')
    while tls.recv(100): pass
`;
const overGnutls = `
import ctypes, socket, sys
tls = ctypes.CDLL((sys.argv + ['libgnutls.so.30'])[2])
class Datum(ctypes.Structure):
    _fields_ = [('data', ctypes.c_char_p), ('size', ctypes.c_uint)]
key = Datum(b'6b73636f7065', 12)
credentials = ctypes.c_void_p(); session = ctypes.c_void_p()
assert tls.gnutls_psk_allocate_client_credentials(ctypes.byref(credentials)) == 0
assert tls.gnutls_psk_set_client_credentials(credentials, b'test', ctypes.byref(key), 1) == 0
assert tls.gnutls_init(ctypes.byref(session), 2) == 0
assert tls.gnutls_priority_set_direct(session, b'NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+PSK', None) == 0
assert tls.gnutls_credentials_set(session, 4, credentials) == 0
connection = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
tls.gnutls_transport_set_int2(session, connection.fileno(), connection.fileno())
assert tls.gnutls_handshake(session) == 0
assert tls.gnutls_record_send(session, b'from gnutls', 11) == 11
room = ctypes.create_string_buffer(100)
while tls.gnutls_record_recv(session, room, 100) > 0: pass
`;

/** Prints where the library is. */
const findGnutls = `
import ctypes
ctypes.CDLL('libgnutls.so.30')
print(next(line.split()[-1] for line in open('/proc/self/maps') if 'libgnutls' in line))
`;

test('a library that is named is seen with its handshakes', async (t) => {
  const { stdout } = spawnSync('python3', ['-c', findGnutls], { encoding: 'utf8' });
  if (!stdout) {
    t.skip('there is no python3, or no libgnutls');
    return;
  }
  using place = new TemporaryDirectory();
  const library = join(place.path, 'of-its-own');
  copyFileSync(stdout.trim(), library);
  using server = await serve(Buffer.from('the answer'));
  let client = 0;
  const seen = await watch(
    'sslsniff',
    { named: ['--json', '--handshake', '--no-openssl', '--no-nss', '--extra-lib', `gnutls:${library}`] },
    async () => {
      const child = spawn('python3', ['-c', overGnutls, String(server.port), library], { stdio: 'inherit' });
      client = child.pid ?? 0;
      const [code] = await deadline(once(child, 'exit'), () => 'the client goes on');
      assert.equal(code, 0);
    },
  );
  const functions = (rows: readonly JsonMessage[]) =>
    rows.filter((row) => row.pid === client).map((row) => [row.function, row.size]);
  assert.deepEqual(functions(seen.named.rows), [
    ['HANDSHAKE', 0],
    ['WRITE', 11],
    ['READ', 10],
  ]);
});

test('programs of OpenSSL and GnuTLS are seen through their libraries', async (t) => {
  using server = await serve(Buffer.from('the answer'));
  const port = String(server.port);
  const clients: { said: string; child: () => ChildProcess }[] = [];
  if (available('openssl', 'version')) {
    const args = ['s_client', '-connect', `127.0.0.1:${port}`, '-psk', psk.toString('hex'), '-psk_identity', 'test'];
    clients.push({
      said: 'from openssl',
      child: () => spawn('openssl', [...args, '-tls1_2', '-quiet', '-nocommands']),
    });
  }
  if (available('python3', '-c', 'import ssl; ssl.TLSVersion.TLSv1_2')) {
    clients.push({ said: 'from ex', child: () => spawn('python3', ['-c', overEx, port]) });
    if (available('python3', '-c', 'import ctypes; ctypes.CDLL("libgnutls.so.30")')) {
      clients.push({ said: 'from gnutls', child: () => spawn('python3', ['-c', overGnutls, port]) });
    }
  }
  const pids: number[] = [];
  const seen = await watch(
    'sslsniff',
    { json: ['--json', '--handshake', '--no-nss'], text: ['-x', '-l'] },
    async () => {
      for (const { said, child } of clients) {
        const client = child();
        let errors = '';
        client.stderr?.on('data', (text) => {
          errors += text;
        });
        pids.push(client.pid ?? 0);
        client.stdin?.write(said);
        const [code] = await deadline(once(client, 'exit'), () => `${said}: ${errors}`);
        assert.equal(code, 0, `${said}: ${errors}`);
      }
    },
  );
  clients.forEach(({ said }, i) => {
    const rows = seen.json.rows.filter((row) => row.pid === pids[i]);
    assert.equal(bytesOf(rows, 'WRITE').toString(), said);
    assert.equal(bytesOf(rows, 'READ').toString(), 'the answer', said);
    const handshakes = rows.filter((row) => row.function === 'HANDSHAKE');
    assert.ok(handshakes.length === 1 || said === 'from openssl', `${said}: ${handshakes.length} handshakes`);
    const at = seen.text.stdout.indexOf(`----- DATA -----\n${said}\n----- END DATA -----\n`);
    assert.ok(at > 0, seen.text.stdout);
  });
  assert.match(seen.text.stdout, /^FUNC +TIME +COMM +PID +LEN +UID +TID +LAT\(ms\) DATA\n/);
  if (clients.length < 3) {
    t.diagnostic('without openssl, python3 or libgnutls');
  }
});
