import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSubnet } from '../../lib/model/subnet.ts';

test('a subnet is its first address, the length of what is common, and a mask', () => {
  const all = 'ffff:ffff:ffff:ffff:ffff:ffff';
  for (const [text, network, prefix, mask] of [
    ['10.0.0.0/8', '10.0.0.0', 8, `${all}:ff00:0`],
    ['10.1.2.3/8', '10.0.0.0', 8, `${all}:ff00:0`],
    ['0.0.0.0/0', '0.0.0.0', 0, `${all}::`],
    ['192.0.2.129/25', '192.0.2.128', 25, `${all}:ffff:ff80`],
    ['192.0.2.1', '192.0.2.1', 32, `${all}:ffff:ffff`],
    ['::ffff:10.0.0.0/104', '10.0.0.0', 8, `${all}:ff00:0`],
    ['::/0', '::', 0, '::'],
    ['fe80::1/10', 'fe80::', 10, 'ffc0::'],
    ['2001:db8::1', '2001:db8::1', 128, `${all}:ffff:ffff`],
  ] as const) {
    assert.deepEqual(parseSubnet(text), { network, prefix, ip: network.includes(':') ? 6 : 4, mask }, text);
  }
});

test('what is no subnet is refused', () => {
  for (const text of [
    '',
    '/8',
    '10.0.0.0/',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0/8',
    '::/129',
    '10.0.0.0/8/9',
    'a/1',
  ]) {
    assert.throws(() => parseSubnet(text), /is not a subnet/, text);
  }
});
