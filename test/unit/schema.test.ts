import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Btf } from '../../lib/bpf/btf.ts';
import {
  type Field,
  isIdentifier,
  jsonSchemaOf,
  structSchema,
  typescriptOf,
  valueSchema,
} from '../../lib/bpf/schema.ts';
import { KscopeError } from '../../lib/model/errors.ts';
import { BtfBuilder, type MemberSpec } from '../helpers/btf-builder.ts';
import { everyKind } from '../helpers/btf-samples.ts';
import { damage, randomNumbers } from '../helpers/random.ts';

const failed = (message: RegExp) => (error: unknown) =>
  error instanceof KscopeError && error.code === 'failed' && message.test(error.message);

function sample() {
  const btf = Btf.parse(everyKind());
  const event = btf.findByName('event', 'struct');
  assert.ok(event);
  return structSchema(btf, event.id);
}

/** The schema of a structure of given size whose members `make` adds to the types. */
function schemaOf(size: number, make: (b: BtfBuilder) => readonly MemberSpec[]) {
  const b = new BtfBuilder();
  const struct = b.struct('event', size, make(b));
  return structSchema(Btf.parse(b.build()), struct);
}

const summary = ({ name, offset, size, semantic, shape }: Field): string =>
  `${name} ${offset}+${size} ${semantic.name} ${shape.kind}`;

test('every member has its place, meaning and shape', () => {
  const row = sample();
  assert.equal(row.name, 'event');
  assert.equal(row.size, 344);
  assert.equal(row.fixedSize, 192);
  assert.deepEqual(row.fields.map(summary), [
    'time 0+8 boot_ns_t int',
    'pid 8+4 pid_t int',
    'fd 12+4 fd_t int',
    'comm 16+16 comm_t bytes',
    'addr 32+16 ip_t bytes',
    'ip 48+4 ip4_t bytes',
    'dev 52+4 dev_t int',
    'where 56+8 addr_t int',
    'raw 64+8 s64 int',
    'ok 72+1 bool int',
    'letters 73+7 char[] bytes',
    'state 80+4 enum state int',
    'small 84+2 u16 int',
    'big 88+8 enum big int',
    'inner 96+8 struct inner struct',
    'grid 104+8 u16[][] array',
    'word 112+4 u32 int',
    'wide 112+8 u64 int',
    'ratio 120+8 double float',
    'next 128+8 addr_t int',
    'slots 136+32 slot_t[] array',
    'many 168+16 struct inner[] array',
    'cgroup 184+8 cgroup_id_t int',
    'path 192+152 path_t bytes',
  ]);
  assert.deepEqual(
    row.fields.filter((field) => field.trailing).map(({ name }) => name),
    ['path'],
  );
  assert.deepEqual(
    row.fields.filter((field) => field.optional).map(({ name }) => name),
    ['fd'],
  );
});

test('bit fields have a first bit and a number of bits', () => {
  const inner = sample().fields.find(({ name }) => name === 'inner');
  assert.ok(inner?.shape.kind === 'struct');
  assert.deepEqual(
    inner.shape.row.fields.map(({ name, offset, size, shape, semantic }) => [name, offset, size, semantic.name, shape]),
    [
      ['code', 0, 4, 'u32', { kind: 'int', size: 4, signed: false }],
      ['low', 4, 1, 'u16', { kind: 'bits', first: 0, count: 3, signed: false }],
      ['high', 4, 2, 'u16', { kind: 'bits', first: 3, count: 13, signed: false }],
      ['ok', 6, 1, 'bool', { kind: 'bits', first: 0, count: 1, signed: false }],
    ],
  );
});

test('bit fields as old compilers write them, in the type itself', () => {
  const row = schemaOf(4, (b) => [
    { name: 'low', type: b.int('unsigned int', 4, { bits: 3 }), bitOffset: 0 },
    { name: 'high', type: b.int('unsigned int', 4, { bits: 4, bitOffset: 9 }), bitOffset: 0 },
  ]);
  assert.deepEqual(
    row.fields.map(({ offset, shape }) => [offset, shape]),
    [
      [0, { kind: 'bits', first: 0, count: 3, signed: false }],
      [1, { kind: 'bits', first: 1, count: 4, signed: false }],
    ],
  );
});

test('a wide bit field is a number as long as a number can hold it', () => {
  const row = schemaOf(16, (b) => {
    const u64 = b.int('unsigned long long', 8);
    return [
      { name: 'narrow', type: u64, bitOffset: 0, bits: 53 },
      { name: 'wide', type: u64, bitOffset: 64, bits: 54 },
    ];
  });
  assert.deepEqual(
    row.fields.map(({ semantic }) => semantic.typescript),
    ['number', 'bigint'],
  );
});

test('the outermost typedef that means something wins', () => {
  const b = new BtfBuilder();
  const int = b.int('int', 4, { signed: true });
  const mine = b.typedef('mine', b.const(b.typedef('pid_t', b.typedef('errno_t', int))));
  assert.equal(valueSchema(Btf.parse(b.build()), mine).semantic.name, 'pid_t');
});

test('a typedef of a whole array means the array', () => {
  const b = new BtfBuilder();
  const char = b.int('char', 1, { signed: true });
  const id = b.typedef('path_t', b.array(char, 64));
  const value = valueSchema(Btf.parse(b.build()), id);
  assert.equal(value.semantic.name, 'path_t');
  assert.deepEqual(value.shape, { kind: 'bytes', size: 64 });
});

test('arrays of texts and addresses', () => {
  const b = new BtfBuilder();
  const comm = b.array(b.array(b.typedef('comm_t', b.int('char', 1, { signed: true })), 16), 4);
  const ip4 = b.array(b.typedef('ip4_t', b.int('unsigned int', 4)), 3);
  const bytes = b.array(b.int('unsigned char', 1), 6);
  const btf = Btf.parse(b.build());
  assert.equal(valueSchema(btf, comm).semantic.name, 'comm_t[]');
  assert.equal(valueSchema(btf, comm).size, 64);
  assert.equal(valueSchema(btf, ip4).semantic.name, 'ip4_t[]');
  assert.equal(valueSchema(btf, bytes).semantic.name, 'u8[]');
});

test('only the member at the end may end early', () => {
  const text = (b: BtfBuilder, name: string, size: number): number =>
    b.array(b.typedef(name, b.int('char', 1, { signed: true })), size);
  const trailing = (size: number, make: (b: BtfBuilder) => readonly MemberSpec[]): readonly string[] =>
    schemaOf(size, make)
      .fields.filter((field) => field.trailing)
      .map(({ name }) => name);
  assert.deepEqual(
    trailing(24, (b) => [
      { name: 'a', type: text(b, 'path_t', 8), bitOffset: 0 },
      { name: 'b', type: text(b, 'args_t', 16), bitOffset: 64 },
    ]),
    ['b'],
  );
  // A command name is as long as it is.
  assert.deepEqual(
    trailing(16, (b) => [{ name: 'a', type: text(b, 'comm_t', 16), bitOffset: 0 }]),
    [],
  );
  assert.deepEqual(
    trailing(12, (b) => [
      { name: 'a', type: text(b, 'path_t', 8), bitOffset: 0 },
      { name: 'b', type: b.int('int', 4), bitOffset: 64 },
    ]),
    [],
  );
  // A flexible array has no size of its own.
  assert.deepEqual(
    trailing(4, (b) => [
      { name: 'a', type: b.int('int', 4), bitOffset: 0 },
      { name: 'b', type: text(b, 'path_t', 0), bitOffset: 32 },
    ]),
    ['b'],
  );
});

test('the TypeScript type of a record', () => {
  const row = schemaOf(40, (b) => {
    const int = b.int('int', 4, { signed: true });
    const state = b.enum('state', { IDLE: 0 });
    return [
      { name: 'pid', type: b.typedef('pid_t', int), bitOffset: 0 },
      { name: 'fd', type: b.typedef('fd_t', int), bitOffset: 32 },
      { name: 'state', type: state, bitOffset: 64 },
      { name: 'states', type: b.array(state, 2), bitOffset: 96 },
      { name: 'raw', type: b.int('long', 8), bitOffset: 192 },
      { name: 'in', type: b.struct('', 4, [{ name: 'x', type: int, bitOffset: 0 }]), bitOffset: 256 },
    ];
  });
  assert.equal(
    typescriptOf(row, '  '),
    [
      '{',
      '    pid: number;',
      '    fd: number | undefined;',
      '    state: "IDLE" | `$' + '{number}`;',
      '    states: readonly ("IDLE" | `$' + '{number}`)[];',
      '    raw: bigint;',
      '    in: { x: number; };',
      '  }',
    ].join('\n'),
  );
  assert.equal(typescriptOf(row.fields[0] as Field), 'number');
});

test('the JSON Schema of a record requires what is always there', () => {
  const schema = jsonSchemaOf(sample());
  assert.equal(schema.type, 'object');
  assert.deepEqual(schema.properties?.time, { type: 'string', format: 'date-time' });
  assert.deepEqual(schema.properties?.small, { type: 'integer', minimum: 0 });
  assert.deepEqual(schema.properties?.ratio, { type: 'number' });
  assert.deepEqual(schema.properties?.raw, { type: 'string', pattern: '^-?[0-9]+$' });
  assert.deepEqual(schema.properties?.slots, { type: 'array', items: { type: 'integer', minimum: 0 } });
  assert.equal(schema.required?.includes('fd'), false);
  assert.equal(schema.required?.length, sample().fields.length - 1);
  assert.deepEqual(jsonSchemaOf(sample().fields[1] as Field), { type: 'integer' });
});

const int = (b: BtfBuilder): number => b.int('int', 4, { signed: true });

const refused: readonly (readonly [
  name: string,
  message: RegExp,
  size: number,
  make: (b: BtfBuilder) => readonly MemberSpec[],
])[] = [
  ['a member beyond the end', /'event\.a' lies outside/, 4, (b) => [{ name: 'a', type: int(b), bitOffset: 8 }]],
  ['a bit field beyond the end', /lies outside/, 4, (b) => [{ name: 'a', type: int(b), bitOffset: 24, bits: 9 }]],
  [
    'a nested member beyond the end',
    /lies outside/,
    8,
    (b) => [{ name: 'a', type: b.struct('', 4, [{ name: 'b', type: int(b), bitOffset: 16 }]), bitOffset: 0 }],
  ],
  [
    'an anonymous member beyond the end',
    /lies outside/,
    8,
    (b) => [{ name: '', type: b.struct('', 4, [{ name: 'b', type: int(b), bitOffset: 0 }]), bitOffset: 48 }],
  ],
  ['a member that is not at a byte', /not at a byte/, 8, (b) => [{ name: 'a', type: int(b), bitOffset: 4 }]],
  [
    'an anonymous member that is not at a byte',
    /not at a byte/,
    8,
    (b) => [{ name: '', type: b.struct('', 4, []), bitOffset: 4 }],
  ],
  [
    'two members of one name',
    /two members named 'a'/,
    8,
    (b) => [
      { name: 'a', type: int(b), bitOffset: 0 },
      { name: 'a', type: int(b), bitOffset: 32 },
    ],
  ],
  ['a name with code in it', /a member named/, 4, (b) => [{ name: 'a(){}', type: int(b), bitOffset: 0 }]],
  ['a name with a terminal escape', /named '\\x1b\[2J'/, 4, (b) => [{ name: '\x1b[2J', type: int(b), bitOffset: 0 }]],
  [
    'a text of single letters',
    /'event\.a' cannot be of type comm_t: it is a number/,
    1,
    (b) => [{ name: 'a', type: b.typedef('comm_t', b.int('char', 1)), bitOffset: 0 }],
  ],
  [
    'an address of another size',
    /cannot be of type ip6_t: it is 4 bytes and not 16/,
    4,
    (b) => [{ name: 'a', type: b.array(b.typedef('ip6_t', b.int('unsigned char', 1)), 4), bitOffset: 0 }],
  ],
  [
    'an integer of 16 bytes',
    /unsupported size of 16/,
    16,
    (b) => [{ name: 'a', type: b.int('__int128', 16), bitOffset: 0 }],
  ],
  [
    'a float of 16 bytes',
    /unsupported size of 16/,
    16,
    (b) => [{ name: 'a', type: b.float('long double', 16), bitOffset: 0 }],
  ],
  [
    'an enumeration of 3 bytes',
    /unsupported size of 3/,
    4,
    (b) => [{ name: 'a', type: b.enum('e', {}, { size: 3 }), bitOffset: 0 }],
  ],
  ['a function', /without a value \(func_proto\)/, 4, (b) => [{ name: 'a', type: b.prototype(0, []), bitOffset: 0 }]],
  ['void', /without a value \(void\)/, 4, () => [{ name: 'a', type: 0, bitOffset: 0 }]],
  [
    'an incomplete structure',
    /without a value \(fwd\)/,
    4,
    (b) => [{ name: 'a', type: b.forward('s', 'struct'), bitOffset: 0 }],
  ],
  ['a type that does not exist', /there is no type 999/, 4, () => [{ name: 'a', type: 999, bitOffset: 0 }]],
  [
    'a flexible array of numbers',
    /'event\.a' has no size/,
    4,
    (b) => [{ name: 'a', type: b.array(int(b), 0), bitOffset: 0 }],
  ],
  [
    'an array of nothing',
    /elements without a size/,
    4,
    (b) => [{ name: 'a', type: b.array(b.struct('', 0, []), 2 ** 31), bitOffset: 0 }],
  ],
  ['an array that is too large', /too large/, 4, (b) => [{ name: 'a', type: b.array(int(b), 2 ** 31), bitOffset: 0 }]],
  ['a structure that is too large', /too large/, 2 ** 31, () => []],
  [
    'a bit field of a text',
    /unsupported type/,
    4,
    (b) => [{ name: 'a', type: b.array(b.int('char', 1), 4), bitOffset: 0, bits: 3 }],
  ],
  [
    'a typedef that means a number on an array',
    /cannot be of type pid_t: it is an array/,
    4,
    (b) => [{ name: 'a', type: b.typedef('pid_t', b.array(b.int('char', 1), 4)), bitOffset: 0 }],
  ],
  [
    'a typedef that means a number on a float',
    /cannot be of type ns_t: it is a floating/,
    8,
    (b) => [{ name: 'a', type: b.typedef('ns_t', b.float('double', 8)), bitOffset: 0 }],
  ],
  [
    'a typedef that means a number on a structure',
    /cannot be of type pid_t: it is a structure/,
    4,
    (b) => [
      {
        name: 'a',
        type: b.typedef('pid_t', b.struct('s', 4, [{ name: 'x', type: int(b), bitOffset: 0 }])),
        bitOffset: 0,
      },
    ],
  ],
];

for (const [name, message, size, make] of refused) {
  test(`${name} is refused`, () => {
    assert.throws(() => schemaOf(size, make), failed(message));
  });
}

test('a structure that contains itself is refused', () => {
  const b = new BtfBuilder();
  b.struct('event', 8, [{ name: 'a', type: 1, bitOffset: 0 }]);
  b.struct('', 8, [
    { name: '', type: 2, bitOffset: 0 },
    { name: '', type: 2, bitOffset: 0 },
  ]);
  b.array(3, 2);
  const btf = Btf.parse(b.build());
  assert.throws(() => structSchema(btf, 1), failed(/nested too deep/));
  assert.throws(() => structSchema(btf, 2), failed(/nested too deep|too many members/));
  assert.throws(() => valueSchema(btf, 3), failed(/nested too deep/));
});

test('a structure that doubles at each level is refused', () => {
  const b = new BtfBuilder();
  let type = int(b);
  for (let depth = 0; depth < 15; depth++) {
    const size = 4 * 2 ** depth;
    type = b.struct('', size * 2, [
      { name: 'a', type, bitOffset: 0 },
      { name: 'b', type, bitOffset: size * 8 },
    ]);
  }
  assert.throws(() => structSchema(Btf.parse(b.build()), type), failed(/too many members/));
});

test('members that begin with an underscore are padding', () => {
  const row = schemaOf(12, (b) => [
    { name: '_pad', type: b.prototype(0, []), bitOffset: 0 },
    { name: '__proto__', type: int(b), bitOffset: 32 },
    { name: 'constructor', type: int(b), bitOffset: 64 },
  ]);
  assert.deepEqual(
    row.fields.map(({ name }) => name),
    ['constructor'],
  );
});

test('identifiers', () => {
  assert.ok(isIdentifier('a_1') && isIdentifier('_x') && isIdentifier('constructor'));
  for (const name of ['', '1a', 'a b', 'a-b', 'ä', 'a\n', 'a;', "a'"]) {
    assert.ok(!isIdentifier(name), name);
  }
});

test('no damage does more than fail', () => {
  const bytes = everyKind();
  const random = randomNumbers(23);
  let made = 0;
  for (let i = 0; i < 3000; i++) {
    try {
      const btf = Btf.parse(damage(bytes, random));
      const event = btf.findByName('event', 'struct');
      if (event !== undefined) {
        const row = structSchema(btf, event.id);
        typescriptOf(row);
        JSON.stringify(jsonSchemaOf(row));
        assert.ok(row.fields.every((field) => field.offset >= 0 && field.offset + field.size <= row.size));
        made++;
      }
    } catch (error) {
      assert.ok(error instanceof KscopeError && error.code === 'failed', String(error));
    }
  }
  assert.ok(made > 300 && made < 2700, `${made} of 3000 had a schema`);
});
