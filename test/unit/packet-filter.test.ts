import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KscopeError } from '../../lib/model/errors.ts';
import { parseIp } from '../../lib/model/ip.ts';
import { type FilterStep, packetFilter } from '../../lib/probes/packet-filter.ts';

interface Facts {
  readonly numbers: readonly number[];
  readonly addresses: readonly string[];
}

const NONE = 2 ** 32 - 1;

/** What the numbers of a packet are, in the order of the kernel side. */
function packet(
  ip: 0 | 4 | 6,
  protocol: number,
  ends: string,
  { length = 100, outbound = 0, ethertype = 0 } = {},
): Facts {
  const type = ethertype || (ip === 4 ? 0x800 : 0x86dd);
  const [saddr = '::', sport, daddr = '::', dport] = ends.split(/[\s>]+/);
  const port = (text: string | undefined) => (text === undefined || text === '-' ? NONE : Number(text));
  return {
    numbers: [ip, type, ip === 0 ? NONE : protocol, port(sport), port(dport), length, outbound],
    addresses: [saddr, daddr],
  };
}

const packets: Readonly<Record<string, Facts>> = {
  web: packet(4, 6, '192.0.2.1 40000 > 198.51.100.7 80', { outbound: 1 }),
  answer: packet(4, 6, '198.51.100.7 80 > 192.0.2.1 40000', { length: 1500 }),
  dns: packet(4, 17, '192.0.2.1 40001 > 192.0.2.53 53', { outbound: 1 }),
  dns6: packet(6, 17, '2001:db8::1 40002 > 2001:db8::53 53', { outbound: 1 }),
  ping: packet(4, 1, '192.0.2.1 - > 192.0.2.53 -'),
  ping6: packet(6, 58, '2001:db8::1 - > ::1 -'),
  arp: packet(0, 0, '192.0.2.1 - > 192.0.2.2 -', { ethertype: 0x806 }),
  lldp: packet(0, 0, ':: - > :: -', { ethertype: 0x88cc }),
};

/** The stack machine, as the kernel side has it. */
function holds(steps: readonly FilterStep[], { numbers, addresses }: Facts): boolean {
  const stack: boolean[] = [];
  for (const { kind, which, low, high, network, mask } of steps) {
    if (kind === 1) {
      const number = numbers[which] as number;
      stack.push(number >= low && number <= high);
    } else if (kind === 2) {
      const [address, net, bits] = [addresses[which] as string, network, mask].map((text) => parseIp(text));
      assert.ok(address && net && bits, `${network} ${mask}`);
      // Packets without an address have zeros.
      const bytes = addresses[which] === '::' ? new Uint8Array(16) : address;
      stack.push(bytes.every((byte, i) => (byte & (bits[i] as number)) === net[i]));
    } else if (kind === 5) {
      stack.push(!stack.pop());
    } else {
      const [right, left] = [stack.pop(), stack.pop()];
      assert.ok(left !== undefined && right !== undefined);
      stack.push(kind === 3 ? left && right : left || right);
    }
  }
  assert.ok(stack.length === 1 || steps.length === 0);
  return stack[0] ?? true;
}

const all = Object.keys(packets);
const chosen: Readonly<Record<string, readonly string[]>> = {
  '': all,
  ip: ['web', 'answer', 'dns', 'ping'],
  ip6: ['dns6', 'ping6'],
  arp: ['arp'],
  tcp: ['web', 'answer'],
  udp: ['dns', 'dns6'],
  icmp: ['ping'],
  icmp6: ['ping6'],
  'proto 58': ['ping6'],
  'ip proto 6': ['web', 'answer'],
  inbound: all.filter((name) => !['web', 'dns', 'dns6'].includes(name)),
  outbound: ['web', 'dns', 'dns6'],
  'greater 101': ['answer'],
  'less 100': all.filter((name) => name !== 'answer'),
  'port 53': ['dns', 'dns6'],
  'src port 53': [],
  'dst port 53': ['dns', 'dns6'],
  'port 80 or 53': ['web', 'answer', 'dns', 'dns6'],
  'dst port 80 or 53': ['web', 'dns', 'dns6'],
  'tcp port 80 or 53': ['web', 'answer'],
  'portrange 79-80': ['web', 'answer'],
  'portrange 80-79': ['web', 'answer'],
  'tcp dst port 80': ['web'],
  'udp port 80': [],
  'host 192.0.2.53': ['dns', 'ping'],
  '192.0.2.53': ['dns', 'ping'],
  '192.0.2.53 or 192.0.2.2': ['dns', 'ping', 'arp'],
  'src host 192.0.2.1': ['web', 'dns', 'ping', 'arp'],
  'src 192.0.2.1': ['web', 'dns', 'ping', 'arp'],
  'arp host 192.0.2.2': ['arp'],
  'src or dst host 192.0.2.2': ['arp'],
  'src and dst net 192.0.2.0/24': ['dns', 'ping', 'arp'],
  'src && dst net 192.0.2.0/24': ['dns', 'ping', 'arp'],
  'host 2001:db8::53': ['dns6'],
  'net 2001:db8::/64': ['dns6', 'ping6'],
  'net ::/0': ['dns6', 'ping6'],
  '::/1': ['dns6', 'ping6'],
  'net 0.0.0.0/0': ['web', 'answer', 'dns', 'ping', 'arp'],
  'net 198.51': ['web', 'answer'],
  'dst net 198.51.100.4/30': ['web'],
  'not tcp': all.filter((name) => !['web', 'answer'].includes(name)),
  '!tcp && !udp': ['ping', 'ping6', 'arp', 'lldp'],
  'not (tcp or udp or ip6)': ['ping', 'arp', 'lldp'],
  'not not tcp': ['web', 'answer'],
  // From left to right, not 'and' first.
  'tcp or udp and ip6': ['dns6'],
  'tcp or (udp and ip6)': ['web', 'answer', 'dns6'],
  'host 198.51.100.7 and (port 80 or port 443)': ['web', 'answer'],
  'not host 192.0.2.1 and 2001:db8::1': ['dns6', 'ping6'],
};

for (const [text, expected] of Object.entries(chosen)) {
  test(`'${text}' chooses these packets`, () => {
    const steps = packetFilter(text);
    assert.deepEqual(
      all.filter((name) => holds(steps, packets[name] as Facts)),
      expected,
    );
  });
}

const wrong: Readonly<Record<string, RegExp>> = {
  '«http»': /is no condition/,
  'tcp port «http»': /is not a port/,
  'port «65536»': /is not a port/,
  'portrange «80»': /is not a range of ports/,
  'portrange «1-65536»': /is not a range of ports/,
  'host «example.org»': /is not an address/,
  'host «10.0.0.256»': /is not an address/,
  'net «10.0.0.1/8»': /bits that are not the network's/,
  'net «10.0.0.0/33»': /is not a network/,
  'net «fe80::1/10»': /bits that are not the network's/,
  'src proto «6»': /has no direction/,
  'proto «256»': /is not a number/,
  'tcp «udp»': /'and' or 'or' must stand before this/,
  'tcp and« »': /a condition is missing/,
  'port« »': /'port' of what/,
  '(tcp« »': /'\)' is missing/,
  'tcp «)»': /'and' or 'or' must stand/,
  '«\x1b[2J»': /is no condition/,
  'tcp[«13] & 2»': /./,
};

for (const [marked, why] of Object.entries(wrong)) {
  test(`${JSON.stringify(marked)} is refused, and it is said where`, () => {
    const [before = '', part = '', rest = ''] = marked.split(/[«»]/);
    const text = (before + part + rest).trimEnd();
    assert.throws(
      () => packetFilter(text),
      (error) => {
        assert.ok(error instanceof KscopeError, String(error));
        assert.equal(error.code, 'usage');
        assert.match(error.message, why);
        const [, carets = ''] = error.excerpt;
        assert.ok(!error.excerpt.join('').includes('\x1b'));
        if (why.source !== '.' && part !== ' ') {
          assert.equal(carets.indexOf('^'), before.length, error.excerpt.join('\n'));
        }
        return true;
      },
    );
  });
}

test('what takes more steps than there is room for is refused', () => {
  const ports = (count: number) => Array.from({ length: count }, (_, i) => `dst port ${i}`).join(' or ');
  assert.equal(packetFilter(ports(64)).length, 127);
  assert.throws(() => packetFilter(ports(65)), /takes 129 steps, of 127/);
});
