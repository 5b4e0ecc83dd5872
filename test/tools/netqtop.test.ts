import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Actor } from '../helpers/actor.ts';
import { addAddress, addSilentNeighbour, connectNetworks, enterNetwork } from '../helpers/network-namespace.ts';
import { familyOf, socketAddress } from '../helpers/socket-address.ts';
import { errorName } from '../helpers/syscall.ts';
import { tableRows } from '../helpers/tables.ts';
import { watch } from '../helpers/watch.ts';

const SOCK_DGRAM = 2;
const LINK = 14;

for (const { address, neighbour, prefix, header } of [
  { address: '192.0.2.1', neighbour: '192.0.2.2', prefix: 24, header: 28 },
  { address: '2001:db8::1', neighbour: '2001:db8::2', prefix: 64, header: 48 },
]) {
  test(`packets from ${address} are counted once for each end of a cable, with their sizes`, async (t) => {
    await using left = await Actor.start();
    await using right = await Actor.start();
    await enterNetwork(left);
    await enterNetwork(right);
    const error = await connectNetworks(left, right);
    if (error !== 0) {
      t.skip(`this kernel has no veth: ${errorName(error)}`);
      return;
    }
    await addAddress(left, address, prefix);
    await addSilentNeighbour(left, neighbour);
    const fd = await left.mustCall('socket', familyOf(address), SOCK_DGRAM, 0);
    const to = socketAddress({ address: neighbour, port: 9 });
    await left.mustCall('connect', fd, to, to.length);
    // Larger than what the hosts say of themselves.
    const sizes = [600, 600, 700, 1200];
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
        { interface: 'cable', queue: 0, below_2k: sizes.length, below_16k: 0, larger: 0 },
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
