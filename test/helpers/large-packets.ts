import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { Actor } from './actor.ts';
import { addAddress, allowLargePackets, connectNetworks, enterNetwork } from './network-namespace.ts';
import { AF_INET6, socketAddress } from './socket-address.ts';
import { errorName } from './syscall.ts';

const SOCK_STREAM = 1;
const MSG_WAITALL = 0x100;
/** More than a packet may have without a header of its own for that. */
const LARGE = 180_000;

/** Who takes what was sent, and how much that is. */
export const largeTransfer = { address: '2001:db8::2', port: 4711, bytes: 16 << 20 } as const;

/**
 * Makes two actors hosts whose TCP may use packets of more than 64 KiB (BIG TCP). Skips the test where the kernel has no
 * such packets. @returns what has the left one connect and send, and the right one take it all
 */
export async function allowLargeTransfer(
  t: TestContext,
  left: Actor,
  right: Actor,
): Promise<(() => Promise<void>) | undefined> {
  await enterNetwork(left);
  await enterNetwork(right);
  const error = (await connectNetworks(left, right)) || (await allowLargePackets(left, LARGE));
  if (error !== 0) {
    t.skip(`this kernel has no veth, or no packets of more than 64 KiB: ${errorName(error)}`);
    return undefined;
  }
  await allowLargePackets(right, LARGE);
  const { address, bytes } = largeTransfer;
  await addAddress(left, '2001:db8::1', 64);
  await addAddress(right, address, 64);
  const to = socketAddress(largeTransfer);
  const listener = await right.mustCall('socket', AF_INET6, SOCK_STREAM, 0);
  await right.mustCall('bind', listener, to, to.length);
  await right.mustCall('listen', listener, 1);
  const fd = await left.mustCall('socket', AF_INET6, SOCK_STREAM, 0);
  return async () => {
    await left.mustCall('connect', fd, to, to.length);
    const accepted = await right.mustCall('accept4', listener, 0, 0, 0);
    const [received, sent] = await Promise.all([
      right.mustCall('recvfrom', accepted, new Uint8Array(bytes), bytes, MSG_WAITALL, 0, 0),
      left.mustCall('sendto', fd, new Uint8Array(bytes), bytes, 0, 0, 0),
    ]);
    assert.deepEqual([received, sent], [bytes, bytes]);
  };
}
