import { KscopeError } from './errors.ts';
import { formatIp, isMappedIp4, parseIp } from './ip.ts';

/** A range of addresses of either family. */
export interface Subnet {
  /** Its first address: '10.0.0.0', 'fe80::'. */
  readonly network: string;
  /** How many bits of it all addresses have in common, as people write it: up to 32 for IPv4. */
  readonly prefix: number;
  /** 4 or 6: a subnet of IPv6 has no IPv4 addresses, though IPv6 has a place for them. */
  readonly ip: 4 | 6;
  /** Those bits of the address as 16 bytes, IPv4 mapped, written as an address. */
  readonly mask: string;
}

/** Reads '10.0.0.0/8' or 'fe80::/10'; just an address is that address. @throws KscopeError usage */
export function parseSubnet(text: string): Subnet {
  const [address = '', length, ...more] = text.split('/');
  const network = parseIp(address);
  const most = address.includes(':') ? 128 : 32;
  const prefix = length === undefined ? most : /^\d{1,3}$/.test(length) ? Number(length) : Number.NaN;
  if (network === undefined || more.length > 0 || !(prefix <= most)) {
    throw new KscopeError('usage', `'${text}' is not a subnet such as 10.0.0.0/8 or fe80::/10`);
  }
  const bits = prefix + 128 - most;
  const mask = Uint8Array.from(network, (_, i) => (0xff00 >> Math.min(8, Math.max(0, bits - 8 * i))) & 0xff);
  const first = network.map((byte, i) => byte & (mask[i] as number));
  // A mapped network is written as IPv4, and so is its length.
  const ip = bits >= 96 && isMappedIp4(first, 0) ? 4 : 6;
  return { network: formatIp(first, 0), prefix: ip === 4 ? bits - 96 : bits, ip, mask: formatIp(mask, 0) };
}
