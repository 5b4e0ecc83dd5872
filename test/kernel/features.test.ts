import assert from 'node:assert/strict';
import { test } from 'node:test';
import { featureNames, probeFeature } from '../../lib/bpf/features.ts';
import { withDescriptors } from '../helpers/descriptor-limit.ts';

test('what cannot be tried for want of descriptors is not known, and is tried again', async () => {
  // Loads what it takes to ask.
  assert.equal(probeFeature('ring_buffer').supported, true);
  const others = featureNames.filter((name) => name !== 'ring_buffer');
  const short = await withDescriptors(0, async () => others.map((name) => [name, probeFeature(name)] as const));
  const unknown = short.filter(([, { supported }]) => supported === undefined);
  assert.ok(
    unknown.some(([name]) => name === 'raw_tp'),
    JSON.stringify(short),
  );
  for (const [name, { reason }] of unknown) {
    assert.match(reason, /EMFILE|ENFILE/, name);
  }
  const later = others.map((name) => [name, probeFeature(name).supported] as const);
  assert.deepEqual(
    later.filter(([, supported]) => supported === undefined),
    [],
  );
  assert.equal(probeFeature('raw_tp').supported, true);
  // What was known stays so, however short of descriptors one is.
  const again = await withDescriptors(0, async () => others.map((name) => [name, probeFeature(name).supported]));
  assert.deepEqual(again, later);
});
