import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Actor } from '../helpers/actor.ts';
import { allowLargeTransfer, largeTransfer } from '../helpers/large-packets.ts';
import { addAddress, addSilentNeighbour, areConnectedHosts } from '../helpers/network-namespace.ts';
import { AF_INET, familyOf, socketAddress } from '../helpers/socket-address.ts';
import { tableRows } from '../helpers/tables.ts';
import { watch } from '../helpers/watch.ts';

const SOCK_DGRAM = 2;
const LINK = 14;
const SIOCSIFMTU = 0x8922;

/** Lets an end of the cable carry the largest packets. */
async function widen(actor: Actor): Promise<void> {
  const fd = await actor.mustCall('socket', AF_INET, SOCK_DGRAM, 0);
  const request = Buffer.alloc(40);
  request.write('cable');
  request.writeInt32LE(65_535, 16);
  await actor.mustCall('ioctl', fd, SIOCSIFMTU, request);
  await actor.mustCall('close', fd);
}

for (const { address, neighbour, prefix, header } of [
  { address: '192.0.2.1', neighbour: '192.0.2.2', prefix: 24, header: 28 },
  { address: '2001:db8::1', neighbour: '2001:db8::2', prefix: 64, header: 48 },
]) {
  test(`packets from ${address} are counted once for each end of a cable, with their sizes`, async (t) => {
    await using left = await Actor.start();
    await using right = await Actor.start();
    if (!(await areConnectedHosts(t, left, right))) {
      return;
    }
    await addAddress(left, address, prefix);
    await addSilentNeighbour(left, neighbour);
    const fd = await left.mustCall('socket', familyOf(address), SOCK_DGRAM, 0);
    const to = socketAddress({ address: neighbour, port: 9 });
    await left.mustCall('connect', fd, to, to.length);
    await widen(left);
    await widen(right);
    // Larger than what the hosts say of themselves.
    const sizes = [600, 600, 700, 1200, 5000, 5000, 40_000];
    const seen = await watch(
      'netqtop',
      {
        cable: ['--json', '-n', 'cable', '-i', '3600'],
        other: ['--json', '-n', 'cabl', '3600'],
        text: ['-n', 'cable', '-t', '-i', '3600'],
      },
      async () => {
        for (const size of sizes) {
          await left.mustCall('sendto', fd, new Uint8Array(size), size, 0, 0, 0);
        }
      },
    );
    const rows = tableRows(seen.cable.messages);
    const total = sizes.reduce((sum, size) => sum + size + header, 0);
    for (const [direction, link] of [
      ['TX', LINK],
      ['RX', 0],
    ] as const) {
      const [row = {}, ...more] = rows.filter((one) => one.direction === direction);
      assert.deepEqual(more, []);
      assert.deepEqual(
        {
          interface: row.interface,
          queue: row.queue,
          below_2k: row.below_2k,
          below_16k: row.below_16k,
          larger: row.larger,
        },
        { interface: 'cable', queue: 0, below_2k: 4, below_16k: 2, larger: 1 },
      );
      const small = Number(row.below_64) + Number(row.below_512);
      assert.equal(row.packets, sizes.length + small);
      const bytes = Number(row.bytes) - (total + sizes.length * link);
      assert.ok(
        small === 0 ? bytes === 0 : bytes > 0 && bytes < small * 512,
        `${bytes} bytes of ${small} small packets`,
      );
      assert.equal(row.average_size, Math.round(Number(row.bytes) / Number(row.packets)));
    }
    assert.deepEqual(tableRows(seen.other.messages), []);
    const [head = '', ...lines] = seen.text.stdout.trimEnd().split('\n');
    const words = 'IFACE DIR QUEUE PACKETS AVG_SIZE [0,64) [64,512) [512,2K) [2K,16K) [16K,) BPS PPS';
    assert.equal(head.trim().replace(/ +/g, ' '), words);
    assert.deepEqual(lines.map((line) => line.split(/ +/).slice(0, 2).join(' ')).sort(), ['cable RX', 'cable TX']);
  });
}

/** What the kernel says that both ends of the cable have sent. */
function sentBy(...actors: readonly Actor[]): { readonly bytes: number; readonly packets: number } {
  const ends = actors.map(({ pid }) => {
    const [, counts = ''] = /^ *cable:(.*)$/m.exec(readFileSync(`/proc/${pid}/net/dev`, 'utf8')) ?? [];
    return counts.trim().split(/ +/).map(Number);
  });
  const sum = (at: number) => ends.reduce((all, counts) => all + (counts[at] ?? 0), 0);
  return { bytes: sum(8), packets: sum(9) };
}

test('packets of more than 64 KiB are counted with all their bytes', async (t) => {
  await using left = await Actor.start();
  await using right = await Actor.start();
  const transfer = await allowLargeTransfer(t, left, right);
  if (transfer === undefined) {
    return;
  }
  const outside = () => sentBy(left, right);
  let [first, last] = [outside(), outside()];
  const before = outside();
  const { cable } = await watch('netqtop', { cable: ['--json', '-n', 'cable', '3600'] }, async () => {
    first = outside();
    await transfer();
    last = outside();
  });
  const after = outside();
  const [row, ...more] = tableRows(cable.messages).filter(({ direction }) => direction === 'TX');
  assert.deepEqual(more, []);
  const [bytes, packets, larger] = [Number(row?.bytes), Number(row?.packets), Number(row?.larger)];
  // The hosts say something of themselves now and then.
  assert.ok(bytes >= last.bytes - first.bytes && bytes <= after.bytes - before.bytes, `${bytes} bytes`);
  assert.ok(packets >= last.packets - first.packets && packets <= after.packets - before.packets, `${packets} packets`);
  assert.ok(bytes > largeTransfer.bytes);
  assert.ok(bytes - (packets - larger) * 16_384 > larger * 65_536, `${bytes} bytes in ${larger} large packets`);
});
