import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Actor } from '../helpers/actor.ts';
import { distributionsIn } from '../helpers/distribution.ts';
import {
  addAddress,
  addSilentNeighbour,
  connectNetworks,
  disableIpv6,
  enterNetwork,
  limitRate,
} from '../helpers/network-namespace.ts';
import { socketAddress } from '../helpers/socket-address.ts';
import { errorName } from '../helpers/syscall.ts';
import { watch } from '../helpers/watch.ts';

const AF_INET = 2;
const AF_PACKET = 17;
const SOCK_DGRAM = 2;
const ETH_P_IP = 0x0008; // in the order of the network
const headers = 14 + 20 + 8;
const [address, neighbour] = ['192.0.2.1', '192.0.2.2'];

const packets = 6;
const size = 1000;
const rate = 20_000;
const burst = 1600;

/** Nanoseconds that packet `number`, from 1, waits for the rate when all are sent at once. */
function wait(number: number): number {
  return Math.max(0, ((number * (size + headers) - burst) * 1e9) / rate);
}

test('packets wait as long as the rate of their queue says', async (t) => {
  await using left = await Actor.start();
  await using right = await Actor.start();
  await enterNetwork(left);
  await enterNetwork(right);
  const error = (await connectNetworks(left, right)) || (await limitRate(left, rate, burst));
  if (error !== 0) {
    t.skip(`this kernel has no veth or no tbf: ${errorName(error)}`);
    return;
  }
  await disableIpv6(left);
  await addAddress(left, address, 24);
  await addSilentNeighbour(left, neighbour);
  const tap = await right.mustCall('socket', AF_PACKET, SOCK_DGRAM, ETH_P_IP);
  const fd = await left.mustCall('socket', AF_INET, SOCK_DGRAM, 0);
  const to = socketAddress({ address: neighbour, port: 9 });
  await left.mustCall('connect', fd, to, to.length);
  const bounds = { sending: 0, all: 0 };
  const seen = await watch(
    'qdisclat',
    {
      all: ['--json', '-i', 'cable', '-I', '-Q'],
      milliseconds: ['--json', '--ifindex', '100', '-m'],
      other: ['--json', '-i', 'cabl'],
      text: ['-i', 'cable', '-Q', '-T'],
    },
    async () => {
      const begin = process.hrtime.bigint();
      const payload = new Uint8Array(size);
      const call = { name: 'sendto', args: [fd, payload, size, 0, 0, 0] } as const;
      await left.perform(Array.from({ length: packets }, () => call));
      bounds.sending = Number(process.hrtime.bigint() - begin);
      for (let i = 0; i < packets; i++) {
        await right.mustCall('recvfrom', tap, new Uint8Array(2048), 2048, 0, 0, 0);
      }
      bounds.all = Number(process.hrtime.bigint() - begin);
    },
  );
  const [only, ...more] = distributionsIn(seen.all.messages);
  assert.deepEqual(more, []);
  assert.deepEqual([only?.interface, only?.kind, only?.unit, only?.count], ['cable', 'tbf', 'usecs', packets]);
  const expected = Array.from({ length: packets }, (_, i) => wait(i + 1)).reduce((sum, one) => sum + one, 0);
  const total = Number(only?.total) * 1000;
  assert.ok(
    total >= expected - packets * bounds.sending && total <= packets * bounds.all,
    `${total}, expected ${expected}, ${JSON.stringify(bounds)}`,
  );
  const [inMilliseconds] = distributionsIn(seen.milliseconds.messages);
  assert.deepEqual([inMilliseconds?.unit, inMilliseconds?.count], ['msecs', packets]);
  assert.ok(Number(inMilliseconds?.total) * 1e6 <= packets * bounds.all);
  assert.deepEqual(distributionsIn(seen.other.messages), []);
  assert.match(seen.text.stdout, /^\d\d:\d\d:\d\d\nqdisc = tbf\n +usecs +: count +distribution\n/);
});
