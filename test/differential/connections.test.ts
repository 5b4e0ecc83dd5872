import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { test } from 'node:test';
import { startPeer } from '../helpers/peer.ts';
import { randomNumbers } from '../helpers/random.ts';
import { type JsonMessage, startTool } from '../helpers/run-tool.ts';

const random = randomNumbers(Number(process.env.KSCOPE_SEED ?? 3));

/** Connections of this process with itself: each sends some, gets some back, and one of the ends closes first. */
async function converse(count: number): Promise<number> {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  for (let i = 0; i < count; i++) {
    const accepted = once(server, 'connection');
    const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    await once(client, 'connect');
    const [end] = await accepted;
    const [first, second] = random(2) === 0 ? [client, end] : [end, client];
    first.resume();
    second.resume();
    first.end(Buffer.alloc(random(20_000)));
    await once(second, 'end');
    second.end(Buffer.alloc(random(5_000)));
    await Promise.all([once(first, 'close'), once(second, 'close')]);
  }
  server.close();
  await once(server, 'close');
  return port;
}

const sorted = (rows: readonly (readonly unknown[])[]) => rows.map((row) => row.join(' ')).sort();

test('connections and their bytes: what tcplife of libbpf-tools sees', async (t) => {
  await using peer = await startPeer(t, 'tcplife', ['-p', String(process.pid)]);
  if (peer === undefined) {
    return;
  }
  await using tool = startTool('tcplife', ['--json', '-p', String(process.pid)]);
  await tool.ready();
  const port = await converse(20);
  const { rows } = await tool.end();
  await peer.until(({ stdout }) => stdout.split('\n').length > rows.length, 'the last connection');
  const { stdout } = await peer.end();
  // PID COMM LADDR LPORT RADDR RPORT TX_KB RX_KB MS
  const theirs = [
    ...stdout.matchAll(/^(\d+) +(\S+) +([\d.]+) +(\d+) +([\d.]+) +(\d+) +([\d.]+) +([\d.]+) +[\d.]+$/gm),
  ].map((match) => match.slice(1));
  assert.equal(theirs.length, 40);
  const kilobytes = (bytes: number) => (bytes / 1024).toFixed(2);
  const end = (row: readonly unknown[]) => row.slice(0, 6).join(' ');
  const bytes = new Map(
    rows.map(({ pid, comm, saddr, lport, daddr, dport, tx, rx }) => [
      end([pid, comm, saddr, lport, daddr, dport]),
      [Number(tx), Number(rx)] as const,
    ]),
  );
  assert.deepEqual([...bytes.keys()].sort(), theirs.map(end).sort());
  assert.ok([...bytes.keys()].every((key) => key.includes(String(port))));
  for (const row of theirs) {
    // It takes the counters of the kernel as they are, in which the SYN and the FIN are a byte each.
    for (const [i, own] of (bytes.get(end(row)) ?? []).entries()) {
      assert.ok([own, own + 1, own + 2].map(kilobytes).includes(String(row[6 + i])), `${own} bytes, ${row[6 + i]} KB`);
    }
  }
});

test('states of sockets: what tcpstates of libbpf-tools sees', async (t) => {
  await using peer = await startPeer(t, 'tcpstates');
  if (peer === undefined) {
    return;
  }
  await using tool = startTool('tcpstates', ['--json']);
  await tool.ready();
  const port = await converse(10);
  const about = (row: JsonMessage) => row.lport === port || row.dport === port;
  // The listening socket is the last that changes, and everybody has seen what came before.
  const isEnd = ({ lport, oldstate }: JsonMessage) => lport === port && oldstate === 'LISTEN';
  await tool.row(isEnd, 'the end of the listening socket');
  const end = new RegExp(`^\\S+ +\\d+ +\\S+ +\\S+ +${port} .*LISTEN +-> CLOSE`, 'm');
  await peer.until(({ stdout }) => end.test(stdout), 'the end of the listening socket');
  const rows = (await tool.end()).rows.filter(about);
  const { stdout } = await peer.end();
  // SKADDR PID COMM LADDR LPORT RADDR RPORT OLDSTATE -> NEWSTATE MS
  const line = /^([0-9a-f]+) +(\d+) +(.*?) +([\d.]+) +(\d+) +([\d.]+) +(\d+) +(\S+) +-> (\S+) +[\d.]+$/gm;
  const theirs = [...stdout.matchAll(line)]
    .map(([, skaddr, , , , lport, , rport, from, to]) => [skaddr, Number(lport), Number(rport), from, to])
    .filter(([, lport, rport]) => lport === port || rport === port);
  const ours = rows.map(({ skaddr, lport = 0, dport = 0, oldstate, newstate }) => [
    ...[String(skaddr).replace(/^0x/, ''), lport, dport, oldstate, newstate],
  ]);
  assert.ok(ours.length > 50);
  assert.deepEqual(ours, theirs);
});

test('who connects: what tcpconnect of libbpf-tools sees', async (t) => {
  await using peer = await startPeer(t, 'tcpconnect', ['-p', String(process.pid)]);
  if (peer === undefined) {
    return;
  }
  await using tool = startTool('tcpconnect', ['--json', '-p', String(process.pid)]);
  await tool.ready();
  await converse(20);
  const { rows } = await tool.end();
  await peer.until(({ stdout }) => stdout.split('\n').length > 21, 'the last connection');
  const { stdout } = await peer.end();
  // PID COMM IP SADDR DADDR DPORT
  const theirs = [...stdout.matchAll(/^(\d+) +(\S+) +(\d) +([\d.]+) +([\d.]+) +(\d+) *$/gm)].map((match) =>
    match.slice(1),
  );
  assert.equal(theirs.length, 20);
  const ours = rows.map(({ pid, comm, ip, saddr, daddr, dport }) => [pid, comm, ip, saddr, daddr, dport]);
  assert.deepEqual(sorted(ours), sorted(theirs));
});
