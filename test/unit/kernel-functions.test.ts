import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readFunctionList } from '../../lib/probes/kernel-functions.ts';
import { damage, randomNumbers } from '../helpers/random.ts';

test('functions that can be hooked are listed, with modules and hooks that there are', () => {
  const text = 'do_one\nvfs_read\ninit_it [ext4]\nhooked (1) R\t\ttramp: 0xffffffffc0000000\nlast\tx';
  assert.deepEqual(readFunctionList(text, false).names, ['do_one', 'vfs_read', 'init_it', 'hooked', 'last']);
});

test('since 6.5 with where they begin', () => {
  const text = 'ffffffff81000010 do_one\nffffffff81000020 vfs_read [ext4]\n\nnothing\nffffffff81000030 last';
  assert.deepEqual(readFunctionList(text, true), {
    names: ['do_one', 'vfs_read', 'last'],
    addresses: ['ffffffff81000010', 'ffffffff81000020', 'ffffffff81000030'],
  });
  assert.deepEqual(readFunctionList('', true), { names: [], addresses: [] });
});

test('nothing that is in the list ends otherwise than well', () => {
  const random = randomNumbers(11);
  const text = Buffer.from('ffffffff81000010 do_one\nffffffff81000020 vfs_read [ext4]\n'.repeat(9));
  for (let i = 0; i < 500; i++) {
    const { names, addresses } = readFunctionList(damage(text, random).toString('latin1'), true);
    assert.equal(names.length, addresses?.length);
    assert.ok(names.length <= text.length);
  }
});
