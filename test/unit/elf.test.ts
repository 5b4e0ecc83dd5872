import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseElf, type SymbolChoice } from '../../lib/bpf/elf.ts';
import { KscopeError } from '../../lib/model/errors.ts';
import { buildElf } from '../helpers/elf-builder.ts';
import { damage, randomNumbers } from '../helpers/random.ts';

const object = buildElf(
  [
    { name: 'tp/syscalls/sys_exit_open', bytes: Buffer.from('program!') },
    { name: '.bss', type: 8, size: 1 << 20 },
  ],
  [
    { name: 'trace_open', size: 8 },
    { name: 'events_lost', type: 1, section: 2, value: 0x1_0000_0008, size: 8, binding: 0 },
  ],
);

test('sections and symbols of an object file', () => {
  const elf = parseElf(object);
  assert.equal(elf.machine, 247);
  assert.equal(elf.type, 1);
  assert.equal(elf.section('tp/syscalls/sys_exit_open')?.index, 1);
  assert.equal(Buffer.from(elf.section('tp/syscalls/sys_exit_open')?.bytes ?? []).toString(), 'program!');
  assert.equal(elf.section('.bss')?.size, 1 << 20);
  assert.equal(elf.section('.bss')?.bytes.length, 0);
  assert.equal(elf.section('.maps'), undefined);
  const symbols = elf.symbols();
  assert.deepEqual(symbols[1], { name: 'trace_open', value: 0, size: 8, type: 2, binding: 1, section: 1 });
  assert.deepEqual(symbols[2], { name: 'events_lost', value: 0x1_0000_0008, size: 8, type: 1, binding: 0, section: 2 });
  assert.deepEqual(elf.symbols('.dynsym'), []);
});

test('symbols of some type or name only', () => {
  const shared = buildElf(
    [{ name: '.text', bytes: Buffer.from('code') }],
    [{ name: 'reopen' }, { name: 'open' }, { name: 'openat' }, { name: 'datum', type: 1 }, { name: 'réopen' }],
  );
  const names = (only?: SymbolChoice) =>
    parseElf(shared)
      .symbols('.symtab', only)
      .map(({ name }) => name);
  assert.deepEqual(names(), ['', 'reopen', 'open', 'openat', 'datum', 'réopen']);
  assert.deepEqual(names({ type: 1 }), ['datum']);
  assert.deepEqual(names({ names: ['open', 'réopen', 'none', 'dat'] }), ['open', 'réopen']);
  assert.deepEqual(names({ type: 2, names: ['datum'] }), []);
  // Linkers let a name be the end of another one.
  const merged = Buffer.from(shared);
  const strings = parseElf(merged).section('.strtab')?.offset ?? 0;
  const open = strings + merged.subarray(strings).indexOf('\0reopen\0') + 3;
  merged.writeUInt32LE(open - strings, (parseElf(merged).section('.symtab')?.offset ?? 0) + 2 * 24);
  assert.deepEqual(
    parseElf(merged)
      .symbols('.symtab', { names: ['open'] })
      .map(({ name }) => name),
    ['open'],
  );
});

test('of a file only what is looked at is read', () => {
  const parts: number[] = [];
  const source = {
    size: object.length,
    part(offset: number, length: number) {
      parts.push(length);
      return object.subarray(offset, offset + length);
    },
  };
  const elf = parseElf(source);
  assert.deepEqual(elf.symbols(), parseElf(object).symbols());
  const program = elf.section('tp/syscalls/sys_exit_open');
  const sections = elf.sections.length * 64;
  const before = parts.reduce((sum, length) => sum + length, 0);
  assert.ok(before < 64 + 64 + sections + 200, `${before} bytes`);
  assert.equal(Buffer.from(program?.bytes ?? []).toString(), 'program!');
  assert.equal(program?.bytes, program?.bytes);
});

test('section contents are not copied', () => {
  const bytes = parseElf(object).section('tp/syscalls/sys_exit_open')?.bytes;
  assert.equal(bytes?.buffer, object.buffer);
});

test('an object inside a larger buffer', () => {
  const outer = Buffer.concat([Buffer.alloc(3), object, Buffer.alloc(5)]);
  const elf = parseElf(outer.subarray(3, 3 + object.length));
  assert.equal(elf.symbols()[1]?.name, 'trace_open');
  assert.equal(Buffer.from(elf.section('tp/syscalls/sys_exit_open')?.bytes ?? []).toString(), 'program!');
});

test('a compressed section can be passed by but not read', () => {
  const elf = parseElf(buildElf([{ name: '.debug_info', flags: 0x800, bytes: Buffer.from('squeezed') }]));
  const section = elf.section('.debug_info');
  assert.throws(() => section?.bytes, /compressed section/);
});

test('a file without sections', () => {
  const stripped = Buffer.from(object.subarray(0, 64));
  stripped.fill(0, 0x28, 0x30);
  const elf = parseElf(stripped);
  assert.deepEqual(elf.sections, []);
  assert.deepEqual(elf.symbols(), []);
});

test('more sections than the header can count', () => {
  const changed = Buffer.from(object);
  const headers = Number(changed.readBigUInt64LE(0x28));
  changed.writeBigUInt64LE(BigInt(changed.readUInt16LE(0x3c)), headers + 0x20);
  changed.writeUInt32LE(changed.readUInt16LE(0x3e), headers + 0x28);
  changed.writeUInt16LE(0, 0x3c);
  changed.writeUInt16LE(0xffff, 0x3e);
  assert.equal(parseElf(changed).symbols()[1]?.name, 'trace_open');
});

const refused: readonly (readonly [name: string, message: RegExp, change: (bytes: Buffer) => Buffer])[] = [
  ['an empty file', /^object file is not an ELF file$/, () => Buffer.alloc(0)],
  ['another kind of file', /is not an ELF file/, () => Buffer.from('#!/bin/sh\n')],
  ['a file that ends in the header', /truncated/, (bytes) => bytes.subarray(0, 63)],
  ['a file that ends before the section headers', /truncated/, (bytes) => bytes.subarray(0, bytes.length - 1)],
  ['a 32-bit file', /not a 64-bit little-endian/, (bytes) => bytes.fill(1, 4, 5)],
  ['a big-endian file', /not a 64-bit little-endian/, (bytes) => bytes.fill(2, 5, 6)],
  ['section headers of another size', /unknown size/, (bytes) => bytes.fill(32, 0x3a, 0x3b)],
  ['section names that do not exist', /no section names/, (bytes) => bytes.fill(0x7f, 0x3e, 0x40)],
];

for (const [name, message, change] of refused) {
  test(`${name} is refused`, () => {
    assert.throws(
      () => parseElf(change(Buffer.from(object))),
      (error) => error instanceof KscopeError && error.code === 'failed' && message.test(error.message),
    );
  });
}

test('errors name the file', () => {
  assert.throws(() => parseElf(Buffer.alloc(9), '/bin/x'), /^KscopeError: \/bin\/x is not an ELF file$/);
});

test('no damage does more than fail', () => {
  const random = randomNumbers(3);
  let read = 0;
  for (let i = 0; i < 5000; i++) {
    try {
      const elf = parseElf(damage(object, random));
      for (const section of elf.sections) {
        assert.ok(section.bytes.length <= object.length);
      }
      elf.symbols();
      read++;
    } catch (error) {
      assert.ok(error instanceof KscopeError && error.code === 'failed', String(error));
    }
  }
  assert.ok(read > 500 && read < 4500, `${read} of 5000 could be read`);
});

test('no truncation does more than fail', () => {
  for (let length = 0; length < object.length; length++) {
    assert.throws(() => parseElf(object.subarray(0, length)).symbols(), KscopeError);
  }
});
