import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Actor } from '../helpers/actor.ts';
import { watch } from '../helpers/watch.ts';

interface Cache {
  readonly cache: string;
  readonly allocs: number;
  readonly bytes: number;
}

test('as many objects are counted as were taken from a cache', async () => {
  await using actor = await Actor.start();
  const own = ['60', '-r', '1000', '-p', String(actor.pid)];
  const { json, text } = await watch('slabratetop', { json: ['--json', ...own], text: ['-C', ...own] }, async () => {
    const room = new Uint8Array(8);
    // Every pipe is one entry of the kernel's cache of names.
    await actor.perform(Array.from({ length: 150 }, () => ({ name: 'pipe2', args: [room, 0] })));
  });
  const rows = json.messages.filter(({ type }) => type === 'table').flatMap((message) => message.rows as Cache[]);
  const found = rows.find(({ cache }) => cache === 'dentry');
  assert.equal(found?.allocs, 150);
  assert.equal(found.bytes % 150, 0);
  assert.ok(found.bytes / 150 >= 100 && found.bytes / 150 <= 1024, String(found.bytes));
  assert.match(text.stdout, /loadavg: .*\nCACHE +ALLOCS +BYTES\n/);
  assert.match(text.stdout, new RegExp(`^dentry +150 +${found.bytes}$`, 'm'));
});
