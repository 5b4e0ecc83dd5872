import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Btf } from '../../lib/bpf/btf.ts';
import { isListedTwice } from '../../lib/bpf/shared-names.ts';
import { KscopeError } from '../../lib/model/errors.ts';
import { BtfTypes } from '../../lib/probes/btf-types.ts';
import { attachToAll, commonSignature, sharedName } from '../../lib/probes/shared-name.ts';
import { BtfBuilder } from '../helpers/btf-builder.ts';
import { damage, randomNumbers } from '../helpers/random.ts';

const symbols = Buffer.from(
  [
    'ffffffff81000100 t stop',
    'ffffffff81000200 t stop_all',
    'ffffffff81000300 T only',
    'ffffffff81000400 t __pfx_only',
    'ffffffffc0000100 t stop\t[ext4]',
    'ffffffffc0000200 t of_module\t[ext4]',
    'ffffffffc0000300 t of_module\t[xfs]',
    'ffffffffc0000400 t last',
    'ffffffffc0000500 t last',
  ].join('\n'),
);

test('a name is that of several functions when two lines end with it, or go on with a module', () => {
  const names = ['stop', 'stop_all', 'only', 'of_module', 'last', 'las', 'none', 'ext4', ''];
  assert.deepEqual(
    names.filter((name) => isListedTwice(symbols, name)),
    ['stop', 'of_module', 'last'],
  );
});

test('nothing that /proc/kallsyms may say keeps it from an answer', () => {
  const random = randomNumbers(17);
  for (let i = 0; i < 500; i++) {
    assert.equal(typeof isListedTwice(damage(symbols, random), 'stop'), 'boolean');
  }
});

test('all functions of a name are attached to, or that is refused in one sentence', () => {
  const shared = { addresses: [1n, 2n], count: 3 };
  assert.equal(sharedName('stop', shared), '2 of 3 functions called stop');
  assert.equal(sharedName('stop', { ...shared, count: 2 }), '2 functions called stop');
  assert.equal(sharedName('a\nb', { ...shared, count: 2 }), '2 functions called a\\nb');
  const fails = (code: 'failed' | 'permission') => () =>
    attachToAll('stop', shared, () => {
      throw new KscopeError(code, 'why');
    });
  assert.throws(fails('failed'), {
    code: 'unsupported',
    message: "3 functions are called 'stop', and not all of them can be hooked",
  });
  assert.throws(fails('permission'), { code: 'permission', message: 'why' });
});

test('what parameters are is known when it is the same for all functions of a name', () => {
  const b = new BtfBuilder();
  const [int, long] = [b.int('int', 4), b.int('long', 8)];
  const declare = (name: string, ...parameters: readonly (readonly [name: string, type: number])[]) =>
    b.function(
      name,
      b.prototype(
        int,
        parameters.map(([own, type]) => ({ name: own, type })),
      ),
    );
  declare('alike', ['one', int], ['two', long]);
  declare('alike', ['eins', int], ['zwei', long]);
  declare('unlike', ['one', int]);
  declare('unlike', ['one', long]);
  const types = new BtfTypes(Btf.parse(b.build()));
  const known = (name: string) => commonSignature(types.signatures(name))?.parameters.map((one) => one.name);
  assert.deepEqual([known('alike'), known('unlike'), known('none')], [['one', 'two'], undefined, undefined]);
});
