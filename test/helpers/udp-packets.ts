import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

/** Sends that many datagrams over the loopback device, one after the other, and waits until all have arrived. */
export async function exchangeDatagrams(count: number): Promise<void> {
  const receiver = await bound();
  const sender = await bound();
  try {
    const { port } = receiver.address() as AddressInfo;
    for (let i = 0; i < count; i++) {
      const arrived = once(receiver, 'message');
      sender.send('x', port, '127.0.0.1');
      await arrived;
    }
  } finally {
    receiver.close();
    sender.close();
  }
}

async function bound(): Promise<Socket> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}
