import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Btf } from '../../lib/bpf/btf.ts';
import { declaration, functionDeclaration } from '../../lib/bpf/btf-declaration.ts';
import { BtfValues, btfJson, btfLines } from '../../lib/bpf/btf-value.ts';
import { KscopeError } from '../../lib/model/errors.ts';
import { BtfBuilder } from '../helpers/btf-builder.ts';
import { everyKind } from '../helpers/btf-samples.ts';
import { damage, randomNumbers } from '../helpers/random.ts';

function sample() {
  const b = new BtfBuilder();
  const int = b.int('int', 4, { signed: true });
  const u8 = b.typedef('u8', b.int('unsigned char', 1));
  const u16 = b.int('short unsigned int', 2);
  const u32 = b.typedef('u32', b.int('unsigned int', 4));
  const u64 = b.int('long unsigned int', 8);
  const char = b.int('char', 1);
  const bool = b.int('_Bool', 1, { bool: true });
  const odd = b.int('int', 4, { signed: true, bits: 5, bitOffset: 3 });
  const state = b.enum('state', { OFF: 0, READ: 1, WRITE: 2, LAST: 2, EXEC: 4, ERROR: -1 }, { signed: true });
  const big = b.enum64('big', { TOP: 2n ** 63n });
  const list = b.struct('list', 16, []);
  const next = b.pointer(list);
  const anonymous = b.union('', 8, [
    { name: 'word', type: u32, bitOffset: 0 },
    { name: 'halves', type: b.array(u16, 2), bitOffset: 0 },
    {
      name: '',
      type: b.struct('', 8, [
        { name: 'low', type: u8, bitOffset: 0 },
        { name: 'far', type: u8, bitOffset: 56 },
      ]),
      bitOffset: 0,
    },
  ]);
  const bits = b.struct('bits', 4, [
    { name: 'three', type: u32, bitOffset: 0, bits: 3 },
    { name: 'signed', type: int, bitOffset: 3, bits: 9 },
    { name: 'mode', type: state, bitOffset: 12, bits: 4 },
    { name: 'yes', type: bool, bitOffset: 16, bits: 1 },
    { name: '', type: u32, bitOffset: 17, bits: 7 },
    { name: 'old', type: odd, bitOffset: 24, bits: 0 },
  ]);
  const thing = b.struct('thing', 72, [
    { name: 'id', type: b.const(u32), bitOffset: 0 },
    { name: 'change', type: int, bitOffset: 32 },
    { name: 'name', type: b.array(char, 8), bitOffset: 64 },
    { name: 'bytes', type: b.array(b.const(u8), 4), bitOffset: 128 },
    { name: 'f_flags', type: u32, bitOffset: 160 },
    { name: '', type: anonymous, bitOffset: 192 },
    { name: 'bits', type: bits, bitOffset: 256 },
    { name: 'state', type: state, bitOffset: 288 },
    { name: 'next', type: next, bitOffset: 320 },
    { name: 'large', type: u64, bitOffset: 384 },
    { name: 'big', type: big, bitOffset: 448 },
    { name: 'pairs', type: b.array(b.array(u16, 2), 2), bitOffset: 512 },
    { name: 'rest', type: b.array(b.const(char), 0), bitOffset: 576 },
  ]);
  const proto = b.prototype(int, [
    { name: 'one', type: b.pointer(b.const(thing)) },
    { name: 'done', type: b.pointer(b.prototype(0, [{ name: '', type: b.pointer(0) }])) },
    { name: 'names', type: b.pointer(b.array(b.pointer(char), 4)) },
    { name: 'kept', type: b.const(b.pointer(u64)) },
    { name: '', type: 0 },
  ]);
  b.function('f', proto);
  b.function('g', b.prototype(0, []));
  const outer = b.struct('outer', 72, [
    { name: 'deep', type: b.struct('middle', 72, [{ name: 'thing', type: thing, bitOffset: 0 }]), bitOffset: 0 },
  ]);
  return { btf: Btf.parse(b.build()), thing, outer, state, u8, u64, list };
}

function bytesOfThing(): Buffer {
  const bytes = Buffer.alloc(72);
  bytes.writeUInt32LE(4_000_000_000, 0);
  bytes.writeInt32LE(-3, 4);
  bytes.write('a\x1b[2J\0zz', 8, 'latin1');
  bytes.set([1, 2, 3, 4], 16);
  bytes.writeUInt32LE(0x8002, 20);
  bytes.writeUInt32LE(0x20001, 24);
  bytes[31] = 9;
  // Three bits 5, nine bits -2, four bits 3, one bit 1, then five bits of an int from its third on.
  bytes.writeUInt32LE((5 | ((0x1ff & -2) << 3) | (3 << 12) | (1 << 16)) >>> 0, 32);
  bytes[35] = 0b11110 << 3;
  bytes.writeInt32LE(-1, 36);
  bytes.writeBigUInt64LE(0xffff_8880_0123_4567n, 40);
  bytes.writeBigUInt64LE(2n ** 53n + 1n, 48);
  bytes.writeBigUInt64LE(2n ** 63n, 56);
  bytes.set([1, 0, 2, 0, 3, 0, 4, 0], 64);
  return bytes;
}

const whole = {
  id: 4_000_000_000,
  change: -3,
  name: 'a\\x1b[2J',
  bytes: [1, 2, 3, 4],
  f_flags: 0x8002,
  word: 0x20001,
  halves: [1, 2],
  low: 1,
  far: 9,
  bits: { three: 5, signed: -2, mode: 'READ|WRITE', yes: true, old: -2 },
  state: 'ERROR',
  next: '0xffff888001234567',
  large: '9007199254740993',
  big: 'TOP',
  pairs: [
    [1, 2],
    [3, 4],
  ],
  rest: '',
};

test('a structure is read with all that lies in it', () => {
  const { btf, thing, outer } = sample();
  const values = new BtfValues(btf);
  assert.deepEqual(btfJson(values.read(thing, bytesOfThing())), whole);
  assert.deepEqual(btfJson(values.read(outer, bytesOfThing())), { deep: { thing: whole } });
});

test('of fewer bytes what is wholly in them is read, and the rest counted', () => {
  const { btf, thing } = sample();
  const values = new BtfValues(btf);
  for (let length = 0; length < 72; length++) {
    const value = values.read(thing, bytesOfThing().subarray(0, length));
    assert.ok(value.is === 'structure');
    const json = btfJson(value) as Record<string, unknown>;
    assert.equal(Object.keys(json).length + value.left, Object.keys(whole).length, `${length} bytes`);
    assert.equal('id' in json, length >= 4);
    assert.equal('next' in json, length >= 48);
    assert.deepEqual(json.bytes, length < 17 ? undefined : [1, 2, 3, 4].slice(0, length - 16), `${length} bytes`);
  }
  const cut = values.read(thing, bytesOfThing().subarray(0, 70));
  assert.deepEqual((btfJson(cut) as { pairs: unknown }).pairs, [[1, 2], [3]].slice(0, 1));
});

test('lines leave out what is 0, unless it is wanted', () => {
  const { btf, thing, outer } = sample();
  const values = new BtfValues(btf);
  const zeros = values.read(thing, new Uint8Array(72));
  assert.deepEqual(btfLines('t', zeros, false), ['t = {}']);
  assert.equal(btfLines('t', zeros, true).length, Object.keys(whole).length + 1 + 5 + 2);
  assert.deepEqual(btfLines('t', values.read(outer, bytesOfThing().subarray(0, 48)), false), [
    't:',
    '    deep:',
    '        thing:',
    '            id = 4000000000',
    '            change = -3',
    '            name = "a\\x1b[2J"',
    '            bytes = [1, 2, 3, 4]',
    '            f_flags = 0x8002',
    '            word = 131073',
    '            halves = [1, 2]',
    '            low = 1',
    '            far = 9',
    '            bits:',
    '                three = 5',
    '                signed = -2',
    '                mode = READ|WRITE',
    '                yes = true',
    '                old = -2',
    '            state = ERROR',
    '            next = 0xffff888001234567',
    '            … 3 more',
  ]);
});

test('depth, elements and values have limits', () => {
  const { btf, thing, outer, state, u8 } = sample();
  assert.deepEqual(btfJson(new BtfValues(btf, { depth: 1 }).read(outer, bytesOfThing())), { deep: { thing: null } });
  const few = new BtfValues(btf, { elements: 3 }).read(thing, bytesOfThing());
  assert.deepEqual((btfJson(few) as typeof whole).bytes, [1, 2, 3]);
  assert.match(btfLines('t', few, false).join('\n'), /bytes = \[1, 2, 3, …\]/);
  const poor = new BtfValues(btf, { values: 4 }).read(thing, bytesOfThing());
  assert.ok(poor.is === 'structure' && poor.left > 0 && poor.members.length < 6);
  const number = (id: number, value: number) => btfJson(new BtfValues(btf).read(id, Uint8Array.of(value, 0, 0, 0)));
  assert.deepEqual(
    [number(state, 7), number(state, 0), number(state, 9), number(u8, 255)],
    ['READ|WRITE|EXEC', 'OFF', 9, 255],
  );
  assert.equal(btfJson(new BtfValues(btf).read(state, Uint8Array.of(1))), null);
});

test('functions are declared as in C', () => {
  const { btf, thing } = sample();
  assert.equal(
    functionDeclaration(btf, 'f'),
    'int f(const struct thing *one, void (*done)(void *), char *(*names)[4], long unsigned int *const kept, ...)',
  );
  assert.equal(functionDeclaration(btf, 'g'), 'void g(void)');
  assert.equal(functionDeclaration(btf, 'thing'), undefined);
  assert.equal(declaration(btf, thing, ''), 'struct thing');
});

test('damaged types and any bytes end in a value or a KscopeError, and soon', () => {
  const random = randomNumbers(5);
  const good = everyKind();
  for (let i = 0; i < 200; i++) {
    let btf: Btf;
    try {
      btf = Btf.parse(i === 0 ? good : damage(good, random));
    } catch (error) {
      assert.ok(error instanceof KscopeError);
      continue;
    }
    const values = new BtfValues(btf);
    const bytes = Uint8Array.from({ length: random(200) }, () => random(256));
    for (let id = 1; id < btf.endId; id++) {
      try {
        const value = values.read(id, bytes);
        JSON.stringify(btfJson(value));
        btfLines('x', value, true);
        declaration(btf, id, 'x');
      } catch (error) {
        assert.ok(error instanceof KscopeError && error.code === 'failed', String(error));
      }
    }
  }
});

test('types that multiply come to an end', () => {
  const b = new BtfBuilder();
  let type = b.int('int', 4);
  for (let level = 0; level < 30; level++) {
    const name = level % 2 === 0 ? '' : 'm';
    type = b.union(
      '',
      4,
      Array.from({ length: 30 }, () => ({ name, type, bitOffset: 0 })),
    );
  }
  const itself = b.struct('self', 8, [{ name: 'self', type: type + 1, bitOffset: 0 }]);
  const huge = b.array(b.struct('empty', 0, []), 2 ** 32 - 1);
  const far = b.struct('far', 8, [{ name: 'there', type: 1, bitOffset: 2 ** 32 - 8 }]);
  const btf = Btf.parse(b.build());
  const values = new BtfValues(btf);
  for (const id of [type, itself, huge]) {
    assert.ok(JSON.stringify(btfJson(values.read(id, new Uint8Array(64)))).length < 1_000_000);
  }
  assert.deepEqual(values.read(far, new Uint8Array(8)), { is: 'structure', members: [], left: 1 });
});
