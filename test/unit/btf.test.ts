import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Btf } from '../../lib/bpf/btf.ts';
import { KscopeError } from '../../lib/model/errors.ts';
import { BtfBuilder } from '../helpers/btf-builder.ts';
import { everyKind } from '../helpers/btf-samples.ts';
import { damage, randomNumbers } from '../helpers/random.ts';

const failed = (message: RegExp) => (error: unknown) =>
  error instanceof KscopeError && error.code === 'failed' && message.test(error.message);

test('every kind is read', () => {
  const b = new BtfBuilder();
  const int = b.int('int', 4, { signed: true });
  const bool = b.int('_Bool', 1, { bool: true });
  const pointer = b.pointer(int);
  const array = b.array(int, 3, int);
  const struct = b.struct('event', 16, [
    { name: 'a', type: int, bitOffset: 0 },
    { name: 'b', type: array, bitOffset: 32 },
  ]);
  const bits = b.struct('bits', 4, [
    { name: 'low', type: int, bitOffset: 0, bits: 5 },
    { name: 'high', type: int, bitOffset: 5, bits: 27 },
  ]);
  const union = b.union('', 4, [{ name: 'a', type: int, bitOffset: 0 }]);
  const unsigned = b.enum('color', { RED: 0, LAST: 0xffffffff });
  const signed = b.enum('sign', { MINUS: -1 }, { signed: true, size: 1 });
  const forward = b.forward('hidden', 'union');
  const typedef = b.typedef('pid_t', int);
  const constant = b.const(b.volatile(b.restrict(pointer)));
  const prototype = b.prototype(int, [
    { name: 'x', type: int },
    { name: '', type: 0 },
  ]);
  const func = b.function('main', prototype);
  const variable = b.variable('counter', int);
  const section = b.dataSection('.bss', 4, [[variable, 0, 4]]);
  const float = b.float('double', 8);
  const declaration = b.declTag('hot', struct, 1);
  const tag = b.typeTag('user', int);
  const big = b.enum64('big', { TOP: 2n ** 64n - 1n });
  const bigSigned = b.enum64('bigger', { LOW: -(2n ** 63n) }, true);
  const btf = Btf.parse(b.build());

  assert.equal(btf.endId, bigSigned + 1);
  assert.deepEqual(btf.type(0), { kind: 'void', id: 0, name: '' });
  assert.deepEqual(btf.type(int), {
    kind: 'int',
    id: int,
    name: 'int',
    size: 4,
    signed: true,
    char: false,
    bool: false,
    bits: 32,
    bitOffset: 0,
  });
  assert.deepEqual(btf.type(bool), {
    kind: 'int',
    id: bool,
    name: '_Bool',
    size: 1,
    signed: false,
    char: false,
    bool: true,
    bits: 8,
    bitOffset: 0,
  });
  assert.deepEqual(btf.type(pointer), { kind: 'ptr', id: pointer, name: '', type: int });
  assert.deepEqual(btf.type(array), { kind: 'array', id: array, name: '', element: int, index: int, count: 3 });
  assert.deepEqual(btf.type(struct), {
    kind: 'struct',
    id: struct,
    name: 'event',
    size: 16,
    members: [
      { name: 'a', type: int, bitOffset: 0, bits: 0 },
      { name: 'b', type: array, bitOffset: 32, bits: 0 },
    ],
  });
  assert.deepEqual(btf.members(bits), [
    { name: 'low', type: int, bitOffset: 0, bits: 5 },
    { name: 'high', type: int, bitOffset: 5, bits: 27 },
  ]);
  assert.deepEqual(btf.type(union), {
    kind: 'union',
    id: union,
    name: '',
    size: 4,
    members: [{ name: 'a', type: int, bitOffset: 0, bits: 0 }],
  });
  assert.deepEqual(btf.type(unsigned), {
    kind: 'enum',
    id: unsigned,
    name: 'color',
    size: 4,
    signed: false,
    values: [
      { name: 'RED', value: 0 },
      { name: 'LAST', value: 0xffffffff },
    ],
  });
  assert.deepEqual(btf.type(signed), {
    kind: 'enum',
    id: signed,
    name: 'sign',
    size: 1,
    signed: true,
    values: [{ name: 'MINUS', value: -1 }],
  });
  assert.deepEqual(btf.type(forward), { kind: 'fwd', id: forward, name: 'hidden', of: 'union' });
  assert.deepEqual(btf.type(typedef), { kind: 'typedef', id: typedef, name: 'pid_t', type: int });
  assert.equal(btf.resolve(constant).id, pointer);
  assert.deepEqual(btf.type(prototype), {
    kind: 'func_proto',
    id: prototype,
    name: '',
    returns: int,
    parameters: [
      { name: 'x', type: int },
      { name: '', type: 0 },
    ],
  });
  assert.deepEqual(btf.type(func), { kind: 'func', id: func, name: 'main', type: prototype, linkage: 1 });
  assert.deepEqual(btf.type(variable), { kind: 'var', id: variable, name: 'counter', type: int, linkage: 1 });
  assert.deepEqual(btf.type(section), {
    kind: 'datasec',
    id: section,
    name: '.bss',
    size: 4,
    variables: [{ type: variable, offset: 0, size: 4 }],
  });
  assert.deepEqual(btf.type(float), { kind: 'float', id: float, name: 'double', size: 8 });
  assert.deepEqual(btf.type(declaration), {
    kind: 'decl_tag',
    id: declaration,
    name: 'hot',
    type: struct,
    component: 1,
  });
  assert.deepEqual(btf.type(tag), { kind: 'type_tag', id: tag, name: 'user', type: int });
  assert.deepEqual(btf.type(big), {
    kind: 'enum64',
    id: big,
    name: 'big',
    size: 8,
    signed: false,
    values: [{ name: 'TOP', value: 2n ** 64n - 1n }],
  });
  assert.deepEqual(btf.type(bigSigned), {
    kind: 'enum64',
    id: bigSigned,
    name: 'bigger',
    size: 8,
    signed: true,
    values: [{ name: 'LOW', value: -(2n ** 63n) }],
  });

  assert.equal(btf.sizeof(constant), 8);
  assert.equal(btf.sizeof(array), 12);
  assert.equal(btf.sizeof(variable), 4);
  assert.equal(btf.sizeof(typedef), 4);
  assert.equal(btf.sizeof(float), 8);
  assert.equal(btf.sizeof(section), 4);
  assert.throws(() => btf.sizeof(func), failed(/no size/));
  assert.throws(() => btf.sizeof(0), failed(/no size/));
  assert.throws(() => btf.members(int), failed(/not a structure/));
  assert.equal(btf.kind(func), 'func');
  assert.equal(btf.name(func), 'main');
  assert.deepEqual([...btf.idsOfKind('struct')], [struct, bits]);
});

test('names are found by kind, the lowest id first', () => {
  const b = new BtfBuilder();
  const forward = b.forward('file', 'struct');
  const first = b.struct('file', 8, []);
  b.struct('file', 16, []);
  const func = b.function('file', b.prototype(0, []));
  const other = b.struct('file_operations', 8, []);
  // A member is no type, whatever it is called.
  b.struct('outer', 8, [{ name: 'inner', type: first, bitOffset: 0 }]);
  const btf = Btf.parse(b.build());
  // First they are searched for, later looked up.
  for (let times = 0; times < 3; times++) {
    assert.equal(btf.findByName('file', 'struct')?.id, first);
    assert.equal(btf.findByName('file', 'struct')?.size, 8);
    assert.equal(btf.findByName('file', 'func')?.id, func);
    assert.equal(btf.findByName('file', 'fwd')?.id, forward);
    assert.equal(btf.findByName('file_operations', 'struct')?.id, other);
    assert.equal(btf.findByName('file_', 'struct'), undefined);
    assert.equal(btf.findByName('fil', 'struct'), undefined);
    assert.equal(btf.findByName('file', 'typedef'), undefined);
    assert.equal(btf.findByName('', 'func_proto'), undefined);
    assert.equal(btf.findByName('inner', 'struct'), undefined);
  }
});

test('many names are found, each its own', () => {
  const b = new BtfBuilder();
  const ids = new Map<string, number>();
  for (let i = 0; i < 3000; i++) {
    ids.set(`name_${i}`, b.typedef(`name_${i}`, 0));
  }
  const btf = Btf.parse(b.build());
  for (const [name, id] of ids) {
    assert.equal(btf.findByName(name, 'typedef')?.id, id);
  }
});

test('split BTF reads on where its base ends', () => {
  const below = new BtfBuilder();
  const int = below.int('int', 4);
  const task = below.struct('task', 4, [{ name: 'pid', type: int, bitOffset: 0 }]);
  const base = Btf.parse(below.build());
  const above = new BtfBuilder(base.endId, below.stringsLength);
  const pointer = above.pointer(task);
  const module = above.struct('module', 12, [
    { name: 'owner', type: pointer, bitOffset: 0 },
    { name: 'pid', type: int, bitOffset: 64 },
  ]);
  // A name of the base, as the kernel's own split BTF refers to it: offset 1 is 'int'.
  const renamed = above.raw(8, 1, 0, false, int);
  const btf = Btf.parse(above.build(), base);
  assert.equal(btf.firstId, base.endId);
  assert.equal(btf.type(task).name, 'task');
  assert.deepEqual(
    btf.members(module).map(({ name }) => name),
    ['owner', 'pid'],
  );
  assert.equal(btf.name(renamed), 'int');
  assert.equal(btf.findByName('int', 'typedef')?.id, renamed);
  assert.equal(btf.findByName('task', 'struct')?.id, task);
  assert.equal(btf.findByName('module', 'struct')?.id, module);
  assert.equal(base.findByName('module', 'struct'), undefined);
  assert.throws(() => base.type(module), failed(/no type/));
  assert.deepEqual([...btf.idsOfKind('struct')], [task, module]);
});

test('a kind of a newer kernel is passed by where its layout is known', () => {
  const b = new BtfBuilder();
  b.raw(20, 'location', 2, false, 8, [1, 2, 3]);
  const after = b.int('int', 4);
  const layout: [number, number][] = Array.from({ length: 21 }, () => [0, 0]);
  layout[20] = [4, 4];
  const btf = Btf.parse(b.build(layout));
  assert.deepEqual(btf.type(1), { kind: 'unknown', id: 1, name: 'location' });
  assert.equal(btf.type(after).name, 'int');
  assert.throws(() => Btf.parse(b.build()), failed(/unknown kind 20/));
  assert.throws(() => Btf.parse(b.build(layout.slice(0, 20))), failed(/unknown kind 20/));
});

test('types that refer to themselves do not loop', () => {
  const b = new BtfBuilder();
  const typedef = b.typedef('loop', 1);
  const array = b.array(2, 2);
  const ping = b.const(4);
  const pong = b.volatile(3);
  const variable = b.variable('v', 5);
  const missing = b.pointer(77);
  const btf = Btf.parse(b.build());
  assert.throws(() => btf.resolve(typedef), failed(/refers to itself/));
  assert.throws(() => btf.sizeof(array), failed(/contains itself/));
  assert.throws(() => btf.resolve(ping), failed(/refers to itself/));
  assert.throws(() => btf.resolve(pong), failed(/refers to itself/));
  assert.throws(() => btf.sizeof(variable), failed(/contains itself/));
  assert.equal(btf.sizeof(missing), 8);
  assert.throws(() => btf.resolve(77), failed(/there is no type 77/));
});

const simple = (): Buffer => {
  const b = new BtfBuilder();
  b.int('int', 4);
  b.struct('s', 4, [{ name: 'x', type: 1, bitOffset: 0 }]);
  return b.build();
};

const refused: readonly (readonly [name: string, message: RegExp, change: (bytes: Buffer) => Buffer])[] = [
  ['nothing', /inside the header/, () => Buffer.alloc(0)],
  ['a header that ends early', /inside the header/, (bytes) => bytes.subarray(0, 23)],
  ['another magic number', /magic number/, (bytes) => bytes.fill(0, 0, 1)],
  ['big-endian BTF', /^BTF is big-endian, which is not supported$/, (bytes) => bytes.subarray(0, 2).swap16() && bytes],
  ['another version', /version 2 is not supported/, (bytes) => bytes.fill(2, 2, 3)],
  ['types beyond the end', /the types are beyond/, (bytes) => bytes.fill(0xff, 12, 16)],
  ['names beyond the end', /the names are beyond/, (bytes) => bytes.fill(0xff, 20, 24)],
  ['a header inside the header', /beyond its end/, (bytes) => bytes.fill(8, 4, 5)],
  [
    'names that do not begin empty',
    /do not begin with an empty/,
    (bytes) => bytes.fill(65, bytes.length - 9, bytes.length - 8),
  ],
  ['a name that does not end', /does not end/, (bytes) => bytes.fill(65, bytes.length - 1)],
  ['a type without a kind', /type 1 has no kind/, (bytes) => bytes.fill(0, 28, 32)],
  ['a type that ends early', /inside a type/, (bytes) => bytes.fill(200, 44, 45)],
];

for (const [name, message, change] of refused) {
  test(`${name} is refused`, () => {
    const bytes = change(simple());
    assert.throws(() => Btf.parse(bytes), failed(message));
  });
}

test('a name outside its table is refused when it is read', () => {
  const b = new BtfBuilder();
  b.raw(8, 1000, 0, false, 0);
  const btf = Btf.parse(b.build());
  assert.throws(() => btf.type(1), failed(/name is outside/));
  assert.throws(() => btf.name(1), failed(/name is outside/));
  assert.equal(btf.findByName('x', 'typedef'), undefined);
});

test('no damage does more than fail', () => {
  const sample = everyKind();
  const random = randomNumbers(11);
  let read = 0;
  for (let i = 0; i < 3000; i++) {
    try {
      const btf = Btf.parse(damage(sample, random));
      btf.findByName('event', 'struct');
      for (let id = 0; id < btf.endId; id++) {
        for (const look of [() => btf.type(id), () => btf.resolve(id), () => btf.sizeof(id), () => btf.members(id)]) {
          try {
            look();
          } catch (error) {
            assert.ok(error instanceof KscopeError && error.code === 'failed', String(error));
          }
        }
      }
      read++;
    } catch (error) {
      assert.ok(error instanceof KscopeError && error.code === 'failed', String(error));
    }
  }
  assert.ok(read > 300 && read < 2700, `${read} of 3000 could be read`);
});

test('types that refer to what is not there, or to what cannot be meant, are found', () => {
  const whole = (build: (b: BtfBuilder) => void) => {
    const b = new BtfBuilder();
    build(b);
    return Btf.parse(b.build());
  };
  Btf.parse(everyKind()).check();
  const bad: Readonly<Record<string, readonly [(b: BtfBuilder) => void, RegExp]>> = {
    pointer: [(b) => b.raw(2, '', 0, false, 2), /type 1 refers to type 2, which does not exist/],
    element: [(b) => b.raw(3, '', 0, false, 0, [9, 1, 1]), /type 1 refers to type 9/],
    index: [(b) => b.raw(3, '', 0, false, 0, [1, 9, 1]), /type 1 refers to type 9/],
    member: [(b) => b.raw(4, 's', 1, false, 8, [0, 7, 0]), /type 1 refers to type 7/],
    'name of a member': [(b) => b.raw(4, 's', 1, false, 8, [9999, 0, 0]), /a name is outside its table/],
    parameter: [(b) => b.raw(13, '', 1, false, 0, [0, 5]), /type 1 refers to type 5/],
    result: [(b) => b.raw(13, '', 0, false, 5), /type 1 refers to type 5/],
    prototype: [(b) => b.raw(12, 'f', 1, false, b.int('int', 4)), /function 2 has no prototype/],
    variable: [(b) => b.raw(15, '.bss', 1, false, 4, [b.int('int', 4), 0, 4]), /section 2 has what is no variable/],
    'a loop of typedefs': [(b) => [b.raw(8, 'a', 0, false, 2), b.raw(8, 'b', 0, false, 1)], /refers to itself/],
  };
  for (const [what, [build, message]] of Object.entries(bad)) {
    assert.throws(() => whole(build).check(), failed(message), what);
  }
});

test('no truncation does more than fail', () => {
  const sample = everyKind();
  for (let length = 0; length < sample.length; length++) {
    assert.throws(() => Btf.parse(sample.subarray(0, length)), failed(/damaged/));
  }
});
