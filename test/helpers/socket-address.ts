import { isIPv4, isIPv6 } from 'node:net';

export const AF_INET = 2;
export const AF_INET6 = 10;

/** Address and port of a socket, as tools print them. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** The address family that a textual address belongs to; an IPv4-mapped one ('::ffff:1.2.3.4') is one of IPv6. */
export function familyOf(address: string): typeof AF_INET | typeof AF_INET6 {
  return isIPv4(address) ? AF_INET : AF_INET6;
}

/** The structure that bind(2) and connect(2) take. */
export function socketAddress({ address, port }: Endpoint): Buffer {
  const family = familyOf(address);
  const bytes = Buffer.alloc(family === AF_INET ? 16 : 28);
  bytes.writeUInt16LE(family, 0);
  bytes.writeUInt16BE(port, 2);
  ipBytes(address).copy(bytes, family === AF_INET ? 4 : 8);
  return bytes;
}

/** What getsockname(2) wrote. IPv4-mapped addresses come out as IPv4. */
export function readSocketAddress(bytes: Uint8Array): Endpoint {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const port = view.readUInt16BE(2);
  if (view.readUInt16LE(0) === AF_INET) {
    return { address: view.subarray(4, 8).join('.'), port };
  }
  const address = view.subarray(8, 24);
  if (address.subarray(0, 12).equals(Buffer.from('00000000000000000000ffff', 'hex'))) {
    return { address: address.subarray(12).join('.'), port };
  }
  // URLs have the canonical form.
  const groups = Array.from({ length: 8 }, (_, i) => address.readUInt16BE(2 * i).toString(16));
  return { address: new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1), port };
}

/** The 4 or 16 bytes of an address. */
export function ipBytes(address: string): Buffer {
  if (isIPv4(address)) {
    return Buffer.from(address.split('.').map(Number));
  }
  if (!isIPv6(address)) {
    throw new Error(`'${address}' is no IP address`);
  }
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const groups = (text: string) => (text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16)));
  const [first, last] = [groups(head), groups(tail ?? '')];
  const all = [...first, ...Array<number>(8 - first.length - last.length).fill(0), ...last];
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}
