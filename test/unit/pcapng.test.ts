import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { KscopeError } from '../../lib/model/errors.ts';
import type { Message, Row } from '../../lib/model/message.ts';
import type { Packet } from '../../lib/model/packet.ts';
import { PacketFile } from '../../lib/output/packet-file.ts';
import { Pcapng } from '../../lib/output/pcapng.ts';
import { Writer } from '../../lib/output/writer.ts';

const folder = mkdtempSync(join(tmpdir(), 'kscope-pcapng-'));
after(() => rmSync(folder, { recursive: true }));

const packet: Packet = {
  time: 0x1122334455667788n,
  link: 'ethernet',
  interface: '4026531840 2',
  interfaceName: 'eth0',
  outbound: true,
  length: 1514,
  bytes: Buffer.from('0102030405', 'hex'),
  comment: 'curl 181',
};

function hex(...words: readonly string[]): string {
  return words.join('').replaceAll(' ', '');
}

function written(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

const header = hex(
  ...['0a0d0d0a', '2c000000', '4d3c2b1a', '0100 0000', 'ffffffffffffffff'],
  ...['0400 0600', '6b73636f7065 0000', '00000000', '2c000000'],
);
const eth0 = hex(
  ...['01000000', '28000000', '0100 0000', '00000000'],
  ...['0200 0400', '65746830', '0900 0100', '09000000', '00000000', '28000000'],
);
const first = hex(
  ...['06000000', '40000000', '00000000', '44332211', '88776655', '05000000', 'ea050000', '0102030405 000000'],
  ...['0200 0400', '02000000', '0100 0800', '6375726c20313831', '00000000', '40000000'],
);

test('a file begins with its byte order, and each packet stands behind its interface', () => {
  const format = new Pcapng();
  assert.equal(written(format.header('kscope')), header);
  assert.equal(written(format.packet(packet)), eth0 + first);
  assert.equal(written(format.packet(packet)), first, 'the interface is told once');
});

test('interfaces are numbered as they come, and one of another name or network is another', () => {
  const format = new Pcapng();
  const ids = [
    packet,
    { ...packet, interface: '4026531840 3' },
    { ...packet, interfaceName: 'wan0' },
    { ...packet, link: 'ip' as const },
    packet,
  ].map((one) => {
    const blocks = Buffer.from(format.packet(one));
    const isNew = blocks.readUInt32LE(0) === 1;
    const at = isNew ? blocks.readUInt32LE(4) : 0;
    return [isNew ? blocks.readUInt16LE(8) : undefined, blocks.readUInt32LE(at + 8)];
  });
  assert.deepEqual(ids, [
    [1, 0],
    [1, 1],
    [1, 2],
    [101, 3],
    [undefined, 0],
  ]);
});

test('a packet that comes in says so, and without a comment there is none', () => {
  const format = new Pcapng();
  const { comment, ...silent } = { ...packet, outbound: false, bytes: Buffer.alloc(0) };
  format.packet(silent);
  assert.equal(
    written(format.packet(silent)),
    hex(
      ...['06000000', '2c000000', '00000000', '44332211', '88776655', '00000000', 'ea050000'],
      ...['0200 0400', '01000000', '00000000', '2c000000'],
    ),
  );
});

test('a text of any length is cut between characters', () => {
  const format = new Pcapng();
  format.packet(packet);
  const block = Buffer.from(format.packet({ ...packet, comment: `a${'é'.repeat(40_000)}` }));
  const at = 8 + 20 + 8 + 8;
  assert.equal(block.readUInt16LE(at), 1);
  const length = block.readUInt16LE(at + 2);
  assert.equal(length, 1023);
  assert.equal(block.toString('utf8', at + 4, at + 4 + length), `a${'é'.repeat(511)}`);
  assert.equal(block.readUInt32LE(4), block.length);
  assert.equal(block.length % 4, 0);
});

const ready: Message = {
  type: 'ready',
  tool: 'x',
  activity: 'Tracing',
  time: 0,
  hooks: [],
  columns: [],
  packet: (row: Row) => ({ ...packet, length: Number(row.length) }),
};

test('events become packets of a file, which nobody else can read; other messages do not', async () => {
  const path = join(folder, 'packets');
  const unused = new Writer(openSync('/dev/null', 'w'));
  const output = new PacketFile(path, unused, () => true);
  for (const message of [ready, { type: 'events', rows: [{ length: 1514 }, { length: 1514 }] }] satisfies Message[]) {
    await output.message(message);
  }
  await output.message({ type: 'lost', count: 1, total: 1, what: 'events', final: true });
  await output.rendered();
  await output.close();
  const expected = written(new Pcapng().header('kscope x')) + eth0 + first + first;
  assert.equal(readFileSync(path, 'hex'), expected);
  assert.equal(unused.pending, 0);
});

test("'-' is standard output, unless that is a terminal", async () => {
  const path = join(folder, 'stdout');
  const fd = openSync(path, 'w');
  const stdout = new Writer(fd);
  const output = new PacketFile('-', stdout, () => false);
  await output.message(ready);
  await output.rendered();
  await output.close();
  await stdout.flush();
  closeSync(fd);
  assert.equal(readFileSync(path, 'hex'), written(new Pcapng().header('kscope x')));
  assert.throws(
    () => new PacketFile('-', stdout, () => true),
    (error) => error instanceof KscopeError && error.code === 'usage',
  );
});

test('a file that cannot be written is an error with its name', async () => {
  const stdout = new Writer(openSync('/dev/null', 'w'));
  const failed = (message: RegExp) => (error: unknown) =>
    error instanceof KscopeError && error.code === 'failed' && message.test(error.message);
  assert.throws(() => new PacketFile(join(folder, 'none', 'x'), stdout, () => false), failed(/x: .*ENOENT/));
  const output = new PacketFile('/dev/full', stdout, () => false);
  output.message(ready);
  await assert.rejects(async () => await output.rendered(), failed(/^cannot write \/dev\/full: .*ENOSPC/));
  assert.throws(() => output.message(ready), failed(/ENOSPC/));
  await output.close();
});
