import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Btf } from '../../lib/bpf/btf.ts';
import { functionsTaking } from '../../lib/bpf/functions-taking.ts';
import { BtfBuilder } from '../helpers/btf-builder.ts';

test('functions are found by the first argument in a register that points to the structure', () => {
  const b = new BtfBuilder();
  const int = b.int('int', 4);
  const packet = b.struct('packet', 8, []);
  const other = b.struct('packet_head', 8, []);
  const toPacket = b.pointer(packet);
  const toConstant = b.pointer(b.const(packet));
  const toOther = b.pointer(other);
  const twice = b.pointer(toPacket);
  const takes = (name: string, ...types: readonly number[]) =>
    b.function(
      name,
      b.prototype(
        int,
        types.map((type, i) => ({ name: `a${i}`, type })),
      ),
    );
  takes('first', toPacket);
  takes('third', int, toOther, toConstant, toPacket);
  takes('fifth', int, int, int, int, toPacket);
  takes('sixth', int, int, int, int, int, toPacket);
  takes('value', packet, toOther, twice);
  takes('nothing');
  for (const [name, types] of Object.entries({ alike: [toConstant], elsewhere: [int, toPacket], none: [int] })) {
    takes(name, toPacket);
    takes(name, ...types);
  }
  const found = functionsTaking(Btf.parse(b.build()), 'packet');
  assert.deepEqual(
    [...found],
    [
      ['first', 1],
      ['third', 3],
      ['fifth', 5],
      ['alike', 1],
    ],
  );
});
