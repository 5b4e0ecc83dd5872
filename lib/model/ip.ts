/** IPv4 address text of the four bytes at `at`, in packet order. */
export function formatIp4(bytes: Uint8Array, at: number): string {
  return `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`;
}

/** True for ::ffff:a.b.c.d, the form in which sockets of both families store IPv4. */
export function isMappedIp4(bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < 10; i++) {
    if (bytes[at + i] !== 0) {
      return false;
    }
  }
  return bytes[at + 10] === 0xff && bytes[at + 11] === 0xff;
}

/** IPv6 address text of the 16 bytes at `at` as RFC 5952 wants it; a mapped IPv4 address is '::ffff:192.0.2.1'. */
export function formatIp6(bytes: Uint8Array, at: number): string {
  if (isMappedIp4(bytes, at)) {
    return `::ffff:${formatIp4(bytes, at + 12)}`;
  }
  const group = (i: number): number => ((bytes[at + 2 * i] as number) << 8) | (bytes[at + 2 * i + 1] as number);
  let start = 8;
  let length = 1; // A single zero group is not shortened.
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && group(end) === 0) {
      end++;
    }
    if (end - i > length) {
      start = i;
      length = end - i;
    }
    i = end; // The group there is not zero.
  }
  let text = '';
  for (let i = 0; i < 8; i++) {
    if (i === start) {
      text += '::';
      i += length - 1;
      continue;
    }
    text += text === '' || text.endsWith(':') ? group(i).toString(16) : `:${group(i).toString(16)}`;
  }
  return text;
}

/** Address text of either family: IPv4 for a mapped address, IPv6 otherwise. */
export function formatIp(bytes: Uint8Array, at: number): string {
  return isMappedIp4(bytes, at) ? formatIp4(bytes, at + 12) : formatIp6(bytes, at);
}

/** The four bytes of an IPv4 address in packet order, or undefined when `text` is not one. */
export function parseIp4(text: string): Uint8Array | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) {
    return undefined;
  }
  const bytes = new Uint8Array(4);
  for (const [i, part] of parts.entries()) {
    if (!/^(?:0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) {
      return undefined;
    }
    bytes[i] = Number(part);
  }
  return bytes;
}

/** The 16 bytes of an IPv6 address, or undefined when `text` is not one. */
export function parseIp6(text: string): Uint8Array | undefined {
  const halves = text.split('::');
  if (halves.length > 2) {
    return undefined;
  }
  const left = parseGroups(halves[0] as string, halves.length === 1);
  const right = parseGroups(halves[1] ?? '', true);
  if (left === undefined || right === undefined) {
    return undefined;
  }
  const given = left.length + right.length;
  if (halves.length === 1 ? given !== 16 : given > 14) {
    return undefined;
  }
  const bytes = new Uint8Array(16);
  bytes.set(left);
  bytes.set(right, 16 - right.length);
  return bytes;
}

function parseGroups(text: string, last: boolean): readonly number[] | undefined {
  const bytes: number[] = [];
  if (text === '') {
    return bytes;
  }
  const groups = text.split(':');
  for (const [i, group] of groups.entries()) {
    if (last && i === groups.length - 1 && group.includes('.')) {
      const tail = parseIp4(group);
      if (tail === undefined) {
        return undefined;
      }
      bytes.push(...tail);
    } else if (/^[0-9a-fA-F]{1,4}$/.test(group)) {
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    } else {
      return undefined;
    }
  }
  return bytes;
}

/** The 16 bytes of an address of either family, IPv4 mapped, or undefined when `text` is neither. */
export function parseIp(text: string): Uint8Array | undefined {
  const four = parseIp4(text);
  return four === undefined ? parseIp6(text) : Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...four);
}

/** Address and port as people write them: '10.0.0.1:80', '[::1]:80'; just the address where there is no port. */
export function formatEndpoint(address: string, port: number | undefined): string {
  const text = address.includes(':') ? `[${address}]` : address;
  return port === undefined ? address : `${text}:${port}`;
}
