import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Btf } from '../../lib/bpf/btf.ts';
import { compileDecoder, compileEncoder, memoryOf } from '../../lib/bpf/decoder.ts';
import { type RowSchema, structSchema, type ValueSchema, valueSchema } from '../../lib/bpf/schema.ts';
import { KscopeError } from '../../lib/model/errors.ts';
import type { DecodeContext } from '../../lib/model/types.ts';
import { BtfBuilder } from '../helpers/btf-builder.ts';
import { everyKind } from '../helpers/btf-samples.ts';
import { damage, randomNumbers } from '../helpers/random.ts';

const context: DecodeContext = { bootToEpochMicros: 1_700_000_000_000_000 };

const failed = (message: RegExp) => (error: unknown) =>
  error instanceof KscopeError && error.code === 'failed' && message.test(error.message);

function sample(): RowSchema {
  const btf = Btf.parse(everyKind());
  const event = btf.findByName('event', 'struct');
  assert.ok(event);
  return structSchema(btf, event.id);
}

/** The schema of the type that `make` adds last. */
function typeOf(make: (b: BtfBuilder) => number): ValueSchema {
  const b = new BtfBuilder();
  const id = make(b);
  return valueSchema(Btf.parse(b.build()), id);
}

function decode(schema: ValueSchema | RowSchema, bytes: Uint8Array): unknown {
  return compileDecoder<unknown>(schema, context)(memoryOf(bytes), 0, bytes.length);
}

function encode(schema: ValueSchema | RowSchema, value: unknown): Buffer {
  const bytes = Buffer.alloc(schema.size, 0xee);
  compileEncoder(schema, context)(value, bytes);
  return bytes;
}

const event = {
  time: 1_700_000_000_000_123,
  pid: -7,
  fd: undefined,
  comm: 'a\\nb',
  addr: '192.0.2.1',
  ip: '198.51.100.7',
  dev: '253:3',
  where: '0xffffffff81000000',
  raw: -5n,
  ok: true,
  letters: 'kscope',
  state: 'BUSY',
  small: 65535,
  big: 'TOP',
  inner: { code: 4294967295, low: 5, high: 8191, ok: true },
  grid: [
    [1, 2],
    [3, 65535],
  ],
  word: 0xdeadbeef,
  wide: 0x01234567deadbeefn,
  ratio: -0.5,
  next: '0x0',
  slots: [0, 1, 2 ** 52, 3],
  many: [
    { code: 1, low: 1, high: 0, ok: false },
    { code: 2, low: 0, high: 1, ok: true },
  ],
  cgroup: '18446744073709551615',
  path: '/etc/größe',
};

/** The same record, written byte by byte as a BPF program would. */
function eventBytes(): Buffer {
  const bytes = Buffer.alloc(344);
  bytes.writeBigUInt64LE(123_999n, 0);
  bytes.writeInt32LE(-7, 8);
  bytes.writeInt32LE(-1, 12);
  bytes.write('a\nb\0rubbish', 16, 'latin1');
  bytes.set([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1], 32);
  bytes.set([198, 51, 100, 7], 48);
  bytes.writeUInt32LE((253 << 20) | 3, 52);
  bytes.writeBigUInt64LE(0xffffffff81000000n, 56);
  bytes.writeBigInt64LE(-5n, 64);
  bytes[72] = 1;
  bytes.write('kscope', 73, 'latin1');
  bytes.writeUInt32LE(5, 80);
  bytes.writeUInt16LE(65535, 84);
  bytes.writeUInt16LE(0x7777, 86);
  bytes.writeBigUInt64LE(2n ** 63n, 88);
  bytes.writeUInt32LE(4294967295, 96);
  bytes.writeUInt16LE(5 | (8191 << 3), 100);
  bytes[102] = 1;
  bytes.set([1, 0, 2, 0, 3, 0, 255, 255], 104);
  bytes.writeBigUInt64LE(0x01234567deadbeefn, 112);
  bytes.writeDoubleLE(-0.5, 120);
  bytes.writeBigUInt64LE(1n, 144);
  bytes.writeBigUInt64LE(2n ** 52n, 152);
  bytes.writeBigUInt64LE(3n, 160);
  bytes.writeUInt32LE(1, 168);
  bytes.writeUInt16LE(1, 172);
  bytes.writeUInt32LE(2, 176);
  bytes.writeUInt16LE(1 << 3, 180);
  bytes[182] = 1;
  bytes.writeBigUInt64LE(2n ** 64n - 1n, 184);
  bytes.write('/etc/größe\0more', 192, 'utf8');
  return bytes;
}

test('a record becomes a row', () => {
  assert.deepEqual(decode(sample(), eventBytes()), event);
});

test('a record anywhere in a larger memory', () => {
  const bytes = Buffer.concat([Buffer.alloc(13, 0xee), eventBytes(), Buffer.alloc(9, 0xee)]);
  const view = bytes.subarray(5);
  assert.deepEqual(compileDecoder(sample(), context)(memoryOf(view), 8, 344), event);
});

test('all fields are there in every row, in the order of the structure', () => {
  const row = decode(sample(), Buffer.alloc(344)) as object;
  assert.deepEqual(
    Object.keys(row),
    sample().fields.map(({ name }) => name),
  );
});

test('rows do not refer to the memory', () => {
  const bytes = eventBytes();
  const row = decode(sample(), bytes);
  bytes.fill(0xff);
  assert.deepEqual(row, event);
});

test('the trailing field ends where the record ends', () => {
  const decoder = compileDecoder<{ path: string }>(sample(), context);
  const memory = memoryOf(eventBytes());
  assert.equal(decoder(memory, 0, 192).path, '');
  assert.equal(decoder(memory, 0, 196).path, '/etc');
  assert.equal(decoder(memory, 0, 344).path, '/etc/größe');
  assert.throws(
    () => decoder(memory, 0, 191),
    failed(/^a record of 191 bytes is too short for 'event' \(192 bytes\)$/),
  );
  assert.throws(() => decoder(memory, 0, 0), failed(/too short/));
});

test('the trailing field does not reach into what follows the structure', () => {
  const bytes = Buffer.alloc(400, 'x');
  const row = compileDecoder<{ path: string }>(sample(), context)(memoryOf(bytes), 0, 400);
  assert.equal(row.path, 'x'.repeat(152));
});

test('a flexible array takes the rest of the record', () => {
  const schema = typeOf((b) => {
    const int = b.int('int', 4, { signed: true });
    const args = b.array(b.typedef('args_t', b.int('char', 1, { signed: true })), 0);
    return b.struct('exec', 4, [
      { name: 'pid', type: int, bitOffset: 0 },
      { name: 'args', type: args, bitOffset: 32 },
    ]);
  });
  const args = (text: string): unknown =>
    (decode(schema, Buffer.from(`\x01\0\0\0${text}`, 'latin1')) as { args: unknown }).args;
  assert.deepEqual(args('ls\0-l\0'), ['ls', '-l']);
  assert.deepEqual(args(''), []);
  assert.deepEqual(args('\0'), ['']);
  assert.deepEqual(args('\0\0'), ['', '']);
  assert.deepEqual(args('ls\0cut of'), ['ls', 'cut of']);
  assert.deepEqual(args('\x1b[2J\0'), ['\\x1b[2J']);
});

test('a path is put together from its pieces', () => {
  const schema = typeOf((b) => {
    const path = b.array(b.typedef('dentry_path_t', b.int('char', 1, { signed: true })), 20_000);
    return b.struct('open', 20_000, [{ name: 'path', type: path, bitOffset: 0 }]);
  });
  const path = (text: string): unknown => (decode(schema, Buffer.from(text, 'utf8')) as { path: unknown }).path;
  assert.equal(path('passwd\0etc\0\0'), '/etc/passwd');
  assert.equal(path('\0\0'), '/');
  assert.equal(path('a/b\0src\0\0'), '/src/a/b');
  assert.equal(path('a/b\0'), 'a/b');
  assert.equal(path('/abs/olute\0'), '/abs/olute');
  assert.equal(path('\0'), '');
  assert.equal(path(''), '');
  assert.equal(path('f\0d\0...\0'), '.../d/f');
  assert.equal(path('cut\0with'), 'with/cut');
  assert.equal(path('ü\n\0\\\0\0'), '/\\\\/ü\\n');
  // In a field of fixed length, filled up with zeros.
  assert.equal(path('passwd\0etc\0\0\0\0\0'), '/etc/passwd');
  assert.equal(path('\0\0\0\0'), '/');
  assert.equal(path('f\0d\0...\0\0\0\0'), '.../d/f');
  assert.equal(path('f\0d\0...\0\0'), '/.../d/f');
  // What is in no directory.
  for (const rest of ['', '\0\0\0\0']) {
    assert.equal(path(`[eventfd]\0.\0${rest}`), '[eventfd]');
  }
  // Longer than the room that is kept for it.
  assert.equal(path(`${'x'.repeat(9000)}\0${'y'.repeat(9000)}\0\0`), `/${'y'.repeat(9000)}/${'x'.repeat(9000)}`);
});

test('a path that may not be told is absent', () => {
  const schema = typeOf((b) => {
    const path = b.array(b.typedef('maybe_dentry_path_t', b.int('char', 1, { signed: true })), 16);
    return b.struct('exec', 16, [{ name: 'cwd', type: path, bitOffset: 0 }]);
  });
  const path = (text: string) => decode(schema, Buffer.from(text.padEnd(16, '\0')));
  assert.deepEqual(path('/'), { cwd: undefined });
  assert.deepEqual(path(''), { cwd: '/' });
  assert.deepEqual(path('app\0lib\0'), { cwd: '/lib/app' });
});

test('a text inside a structure ends where it is declared to end', () => {
  const schema = typeOf((b) => {
    const path = b.array(b.typedef('path_t', char(b)), 3);
    const inner = b.struct('inner', 4, [{ name: 'path', type: path, bitOffset: 0 }]);
    return b.struct('outer', 8, [
      { name: 'inner', type: inner, bitOffset: 0 },
      { name: 'after', type: u32(b), bitOffset: 32 },
    ]);
  });
  assert.deepEqual(decode(schema, Buffer.from('abcdefgh')), { inner: { path: 'abc' }, after: 0x68676665 });
});

test('times follow the context as it changes', () => {
  const schema = typeOf((b) => b.typedef('boot_ns_t', b.int('unsigned long long', 8)));
  const changing: DecodeContext = { bootToEpochMicros: 1000 };
  const decoder = compileDecoder<number>(schema, changing);
  const memory = memoryOf(Buffer.from([0x10, 0x27, 0, 0, 0, 0, 0, 0]));
  assert.equal(decoder(memory, 0, 8), 1010);
  changing.bootToEpochMicros = 2000;
  assert.equal(decoder(memory, 0, 8), 2010);
});

const u64 = (b: BtfBuilder): number => b.int('unsigned long long', 8);
const s64 = (b: BtfBuilder): number => b.int('long long', 8, { signed: true });
const u32 = (b: BtfBuilder): number => b.int('unsigned int', 4);
const s32 = (b: BtfBuilder): number => b.int('int', 4, { signed: true });
const u16 = (b: BtfBuilder): number => b.int('unsigned short', 2);
const u8 = (b: BtfBuilder): number => b.int('unsigned char', 1);
const char = (b: BtfBuilder): number => b.int('char', 1, { signed: true });

const scalars: readonly (readonly [name: string, make: (b: BtfBuilder) => number, value: unknown, hex: string])[] = [
  ['u8', u8, 255, 'ff'],
  ['s8', (b) => b.int('signed char', 1, { signed: true }), -128, '80'],
  ['u16', u16, 0x1234, '3412'],
  ['s16', (b) => b.int('short', 2, { signed: true }), -2, 'feff'],
  ['u32', u32, 4294967295, 'ffffffff'],
  ['s32', s32, -2147483648, '00000080'],
  ['u64', u64, 2n ** 64n - 1n, 'ffffffffffffffff'],
  ['s64', s64, -(2n ** 63n), '0000000000000080'],
  ['bool', (b) => b.int('_Bool', 1, { bool: true }), true, '01'],
  ['float', (b) => b.float('float', 4), 1.5, '0000c03f'],
  ['double', (b) => b.float('double', 8), -2, '00000000000000c0'],
  ['a pointer', (b) => b.pointer(0), '0x123456789abcdef', 'efcdab8967452301'],
  ['ns_t', (b) => b.typedef('ns_t', u64(b)), 2 ** 53, '0000000000002000'],
  ['a signed span', (b) => b.typedef('ns_t', s64(b)), -1, 'ffffffffffffffff'],
  ['fd_t, absent', (b) => b.typedef('fd_t', s32(b)), undefined, 'ffffffff'],
  ['fd_t', (b) => b.typedef('fd_t', s32(b)), 0, '00000000'],
  ['errno_t, absent', (b) => b.typedef('errno_t', s32(b)), undefined, '00000000'],
  ['errno_t', (b) => b.typedef('errno_t', s32(b)), 13, '0d000000'],
  ['signal_t', (b) => b.typedef('signal_t', s32(b)), 9, '09000000'],
  ['file_mode_t, absent', (b) => b.typedef('file_mode_t', s32(b)), undefined, 'ffffffff'],
  ['port_t', (b) => b.typedef('port_t', u16(b)), 443, 'bb01'],
  ['mark_t', (b) => b.typedef('mark_t', b.int('_Bool', 1, { bool: true })), true, '01'],
  ['mark_t, absent', (b) => b.typedef('mark_t', b.int('_Bool', 1, { bool: true })), undefined, '00'],
  ['maybe_pid_t', (b) => b.typedef('maybe_pid_t', s32(b)), 181, 'b5000000'],
  ['maybe_pid_t, absent', (b) => b.typedef('maybe_pid_t', s32(b)), undefined, '00000000'],
  ['maybe_ns_t', (b) => b.typedef('maybe_ns_t', u64(b)), 1, '0100000000000000'],
  ['maybe_ns_t, absent', (b) => b.typedef('maybe_ns_t', u64(b)), undefined, '0000000000000000'],
  ['maybe_comm_t', (b) => b.array(b.typedef('maybe_comm_t', char(b)), 4), 'ab', '61620000'],
  ['maybe_comm_t, absent', (b) => b.array(b.typedef('maybe_comm_t', char(b)), 4), undefined, '00000000'],
  ['dev_t', (b) => b.typedef('dev_t', u32(b)), '4095:1048575', 'ffffffff'],
  ['cgroup_id_t', (b) => b.typedef('cgroup_id_t', u64(b)), '9007199254740993', '0100000000002000'],
  ['cgroup_id_t in 32 bits', (b) => b.typedef('cgroup_id_t', u32(b)), '4294967295', 'ffffffff'],
  ['load_t', (b) => b.typedef('load_t', u64(b)), 1.25, '000a000000000000'],
  ['maybe_addr_t', (b) => b.typedef('maybe_addr_t', u64(b)), '0x100000000', '0000000001000000'],
  ['maybe_addr_t, absent', (b) => b.typedef('maybe_addr_t', u64(b)), undefined, '0000000000000000'],
  ['addr_t in 32 bits', (b) => b.typedef('addr_t', u32(b)), '0xffffffff', 'ffffffff'],
  ['ip4_t', (b) => b.typedef('ip4_t', u32(b)), '1.2.3.4', '01020304'],
  ['ip6_t', (b) => b.array(b.typedef('ip6_t', u8(b)), 16), '2001:db8::1', '20010db8000000000000000000000001'],
  ['ip_t, IPv4', (b) => b.array(b.typedef('ip_t', u8(b)), 16), '1.2.3.4', '00000000000000000000ffff01020304'],
  ['comm_t', (b) => b.array(b.typedef('comm_t', char(b)), 4), 'a\\xff', '61ff0000'],
  ['char[]', (b) => b.array(char(b), 4), 'ab', '61620000'],
  ['an enumeration', (b) => b.enum('e', { A: 0, B: 7 }), 'B', '07000000'],
  ['an unnamed number of an enumeration', (b) => b.enum('e', { A: 0 }), '9', '09000000'],
  ['a signed enumeration', (b) => b.enum('e', { A: -2 }, { signed: true }), 'A', 'feffffff'],
  ['an enumeration of 64 bits', (b) => b.enum64('e', { A: 2n ** 40n }), 'A', '0000000000010000'],
  ['an array', (b) => b.array(u16(b), 3), [1, 2, 3], '010002000300'],
  ['a union of one member', (b) => b.union('u', 4, [{ name: 'x', type: u32(b), bitOffset: 0 }]), { x: 5 }, '05000000'],
];

for (const [name, make, value, hex] of scalars) {
  test(`${name} is read and written`, () => {
    const schema = typeOf(make);
    assert.deepEqual(decode(schema, Buffer.from(hex, 'hex')), value);
    assert.equal(encode(schema, value).toString('hex'), hex);
  });
}

test('bit fields of all widths and signs', () => {
  const schema = typeOf((b) => {
    const signed = s64(b);
    return b.struct('bits', 16, [
      { name: 'a', type: s32(b), bitOffset: 0, bits: 3 },
      { name: 'b', type: u32(b), bitOffset: 3, bits: 7 },
      { name: 'c', type: signed, bitOffset: 10, bits: 50 },
      { name: 'd', type: b.typedef('addr_t', u64(b)), bitOffset: 60, bits: 36 },
      { name: 'e', type: signed, bitOffset: 64 + 32, bits: 1 },
      { name: 'f', type: b.enum('state', { IDLE: 0, BUSY: 2 }), bitOffset: 64 + 33, bits: 2 },
    ]);
  });
  const value = { a: -4, b: 127, c: -(2 ** 49), d: '0xfffffffff', e: -1, f: 'BUSY' };
  assert.deepEqual(decode(schema, encode(schema, value)), value);
  const other = { a: 3, b: 0, c: 2 ** 49 - 1, d: '0x1', e: 0, f: 'IDLE' };
  assert.deepEqual(decode(schema, encode(schema, other)), other);
});

test('what is written is read back, and padding is zero', () => {
  const bytes = encode(sample(), event);
  assert.deepEqual(decode(sample(), bytes), event);
  assert.equal(bytes.readUInt16LE(86), 0);
  assert.ok(bytes.subarray(20, 32).every((byte) => byte === 0));
});

test('an encoder writes at an offset and nowhere else', () => {
  const bytes = Buffer.alloc(8, 0xee);
  compileEncoder(typeOf(u16), context)(0x0201, bytes, 3);
  assert.equal(bytes.toString('hex'), 'eeeeee0102eeeeee');
});

test('numbers and bigints are both whole numbers', () => {
  assert.equal(encode(typeOf(u32), 5n).readUInt32LE(), 5);
  assert.equal(encode(typeOf(u64), 5).readBigUInt64LE(), 5n);
});

const refused: readonly (readonly [name: string, make: (b: BtfBuilder) => number, value: unknown, message: RegExp])[] =
  [
    ['a number that is too large', u8, 256, /'value' cannot hold 256/],
    ['a negative number', u32, -1, /cannot hold -1/],
    ['a signed number that is too large', s32, 2 ** 31, /cannot hold/],
    ['a number beyond 64 bits', u64, 2n ** 64n, /cannot hold/],
    ['a number that is too small', s32, -(2 ** 31) - 1, /cannot hold/],
    ['a fraction', u32, 1.5, /takes a whole number/],
    ['not a number', u32, Number.NaN, /takes a whole number/],
    ['a text for a number', u32, '5', /takes a whole number/],
    ['nothing for a number', u32, undefined, /takes a whole number/],
    ['a text for a float', (b) => b.float('double', 8), '1', /takes a number/],
    [
      'a text that is too long',
      (b) => b.array(b.typedef('comm_t', char(b)), 4),
      'abcd',
      /'abcd' is longer than 3 bytes/,
    ],
    ['a list that is too long', (b) => b.array(b.typedef('args_t', char(b)), 4), ['ab', 'c'], /takes up to 4 bytes/],
    ['an array that is too long', (b) => b.array(u8(b), 2), [1, 2, 3], /up to 2 elements/],
    ['an element that does not fit', (b) => b.array(u8(b), 2), [1, 300], /cannot hold 300/],
    ['an address that is none', (b) => b.typedef('ip4_t', u32(b)), '1.2.3', /'1\.2\.3' is not a valid IPv4 address/],
    ['a device that is none', (b) => b.typedef('dev_t', u32(b)), '8', /not a valid device number/],
    ['a major number that is too large', (b) => b.typedef('dev_t', u32(b)), '4096:0', /not a valid device number/],
    ['a minor number that is too large', (b) => b.typedef('dev_t', u32(b)), '0:1048576', /not a valid device number/],
    ['an unknown name', (b) => b.enum('e', { A: 0 }), 'WHAT', /'WHAT' is not a valid enum e/],
    ['a cgroup that is none', (b) => b.typedef('cgroup_id_t', u64(b)), '-1', /not a valid cgroup id/],
    [
      'a number for a structure',
      (b) => b.struct('s', 4, [{ name: 'x', type: u32(b), bitOffset: 0 }]),
      5,
      /'s' takes an object/,
    ],
    [
      'a missing member',
      (b) => b.struct('s', 4, [{ name: 'x', type: u32(b), bitOffset: 0 }]),
      {},
      /'x' takes a whole number/,
    ],
    [
      'a path for pieces of one',
      (b) => b.array(b.typedef('dentry_path_t', char(b)), 8),
      '/',
      /not a valid sequence of path components/,
    ],
  ];

for (const [name, make, value, message] of refused) {
  test(`${name} is not written`, () => {
    assert.throws(() => encode(typeOf(make), value), failed(message));
  });
}

test('an encoder does not write beyond the end', () => {
  assert.throws(
    () => compileEncoder(typeOf(u32), context)(1, Buffer.alloc(6), 3),
    failed(/needs 4 bytes, there are 3/),
  );
});

test('names never become code', () => {
  const schema = sample();
  const fields = [{ ...(schema.fields[1] as RowSchema['fields'][number]), name: 'a: (globalThis.broken = true), b' }];
  assert.throws(() => compileDecoder({ ...schema, fields }, context), failed(/name cannot be used/));
  const named = { ...schema, name: "');globalThis.broken = true;('" };
  assert.throws(() => compileDecoder(named, context)(memoryOf(Buffer.alloc(4)), 0, 4), failed(/too short/));
  assert.equal((globalThis as { broken?: boolean }).broken, undefined);
});

test('random records of all lengths decode, and what can be written reads back the same', () => {
  const random = randomNumbers(5);
  const schema = sample();
  const decoder = compileDecoder(schema, context);
  const encoder = compileEncoder(schema, context);
  let written = 0;
  for (let i = 0; i < 3000; i++) {
    const bytes = Buffer.from(Array.from({ length: 344 }, () => random(256)));
    // Texts need room for their end; numbers that a number cannot hold exactly do not come back exactly.
    for (const zero of [6, 7, 31, 79, 142, 143, 150, 151, 158, 159, 166, 167, 343]) {
      bytes[zero] = 0;
    }
    const row = decoder(memoryOf(bytes), 0, 192 + random(153));
    const again = Buffer.alloc(344);
    encoder(row, again);
    assert.deepEqual(decoder(memoryOf(again), 0, 344), row);
    written++;
  }
  assert.equal(written, 3000);
});

test('no damage to the type information makes a decoder fail in its own way', () => {
  const bytes = everyKind();
  const random = randomNumbers(31);
  let decoded = 0;
  for (let i = 0; i < 2000; i++) {
    try {
      const btf = Btf.parse(damage(bytes, random));
      const found = btf.findByName('event', 'struct');
      if (found === undefined) {
        continue;
      }
      const schema = structSchema(btf, found.id);
      const record = Buffer.from(Array.from({ length: schema.size }, () => random(256)));
      const row = compileDecoder(schema, context)(memoryOf(record), 0, schema.fixedSize);
      decoded++;
      compileEncoder(schema, context)(row, Buffer.alloc(schema.size));
    } catch (error) {
      assert.ok(error instanceof KscopeError && error.code === 'failed', String(error));
    }
  }
  assert.ok(decoded > 200, `${decoded} of 2000 were decoded`);
});
