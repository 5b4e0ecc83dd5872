import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eachFunction } from '../../lib/probes/kernel-functions.ts';
import { damage, randomNumbers } from '../helpers/random.ts';

function functions(text: string, withAddresses: boolean): (readonly [name: string, line: number])[] {
  const found: (readonly [string, number])[] = [];
  eachFunction(text, withAddresses, (name, line) => found.push([name, line]));
  return found;
}

test('functions that can be hooked are listed, with modules and hooks that there are', () => {
  const text = 'do_one\nvfs_read\ninit_it [ext4]\nhooked (1) R\t\ttramp: 0xffffffffc0000000\nlast\tx';
  assert.deepEqual(functions(text, false), [
    ['do_one', 0],
    ['vfs_read', 7],
    ['init_it', 16],
    ['hooked', 31],
    ['last', 71],
  ]);
});

test('since 6.5 with where they begin', () => {
  const text = 'ffffffff81000010 do_one\nffffffff81000020 vfs_read [ext4]\n\nnothing\nffffffff81000030 last';
  assert.deepEqual(functions(text, true), [
    ['do_one', 0],
    ['vfs_read', 24],
    ['last', 66],
  ]);
  assert.deepEqual(functions('', true), []);
});

test('nothing that is in the list ends otherwise than well', () => {
  const random = randomNumbers(11);
  const text = Buffer.from('ffffffff81000010 do_one\nffffffff81000020 vfs_read [ext4]\n'.repeat(9));
  for (let i = 0; i < 500; i++) {
    const damaged = damage(text, random).toString('latin1');
    let before = -1;
    for (const [name, line] of functions(damaged, true)) {
      assert.ok(line > before && damaged.indexOf(name, line) > line);
      before = line;
    }
  }
});
