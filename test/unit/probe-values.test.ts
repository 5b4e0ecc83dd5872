import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KscopeError } from '../../lib/model/errors.ts';
import { Assembler } from '../../lib/probes/assembler.ts';
import {
  type CType,
  letter,
  number,
  pointerTo,
  register,
  type StructureType,
  s64,
  type TypeKind,
  u32,
  u64,
} from '../../lib/probes/c-types.ts';
import { Checker } from '../../lib/probes/check.ts';
import { ExpressionParser } from '../../lib/probes/parse-expression.ts';
import { parseSpecification } from '../../lib/probes/parse-specification.ts';
import { functionScope } from '../../lib/probes/scopes.ts';
import { loaded, numberValue, type Scope, type Typed, type Value } from '../../lib/probes/value.ts';
import { helpers, ValueWriter } from '../../lib/probes/value-writer.ts';
import { type Helper, interpret, Memory } from '../helpers/bpf-interpreter.ts';
import { randomNumbers } from '../helpers/random.ts';

const kernel = 0xffff_8880_0000_0000n;
const user = 0x5555_0000_0000n;
const context = 0xffff_c900_0000_0000n;

const thing: StructureType = {
  is: 'structure',
  name: 'struct thing',
  size: 64,
  member: (name) => members[name],
  names: () => Object.keys(members),
};
const members: Record<string, { type: CType; bitOffset: number; bits: number }> = {
  id: { type: u32, bitOffset: 0, bits: 0 },
  delta: { type: number('short', 2, true), bitOffset: 32, bits: 0 },
  low: { type: u32, bitOffset: 48, bits: 3 },
  high: { type: number('int', 4, true), bitOffset: 51, bits: 5 },
  next: { type: { is: 'pointer', target: () => thing }, bitOffset: 64, bits: 0 },
  name: { type: pointerTo(letter), bitOffset: 128, bits: 0 },
  text: { type: { is: 'array', element: () => letter, count: 8 }, bitOffset: 192, bits: 0 },
  numbers: { type: { is: 'array', element: () => u32, count: 4 }, bitOffset: 256, bits: 0 },
};

const at = (offset: number, width: 1 | 2 | 4 | 8): Value => ({ op: 'context', offset, width });
const names: Readonly<Record<string, Typed>> = {
  p: { type: pointerTo(thing), value: at(0, 8), space: 'any' },
  u: { type: pointerTo(letter), value: at(8, 8), space: 'user' },
  i: { type: number('int', 4, true), value: { op: 'extend', of: at(16, 4), bits: 32, signed: true }, space: 'any' },
  n: { type: u64, value: at(24, 8), space: 'any' },
  s: { type: s64, value: at(24, 8), space: 'any' },
  r: { type: register, value: at(24, 8), space: 'any' },
  v: { type: pointerTo({ is: 'opaque', name: 'void' }), value: at(0, 8), space: 'any' },
  bad: { type: pointerTo(thing), value: numberValue(64n), space: 'any' },
  evil: { type: pointerTo(letter), value: numberValue(kernel + 128n), space: 'user' },
  comm: { type: { is: 'array', element: () => letter, count: 16 }, value: { op: 'comm' }, space: 'kernel' },
  here: {
    ...loaded({ op: 'context address', offset: 32 }, { is: 'array', element: () => letter, count: 8 }, 'kernel'),
  },
};
const scope: Scope = {
  find: (name) => (Object.hasOwn(names, name) ? names[name] : undefined),
  names: () => Object.keys(names),
  type: Object.assign((kind: TypeKind, name: string) => (kind === 'struct' && name === 'thing' ? thing : undefined), {
    names: (kind: TypeKind) => (kind === 'struct' ? ['thing', 'sock'] : kind === 'typedef' ? ['blk_status_t'] : []),
  }),
};

function memory(): Memory {
  const all = new Memory();
  const one = Buffer.alloc(256);
  one.writeUInt32LE(4_000_000_000, 0);
  one.writeInt16LE(-2, 4);
  one.writeUInt8(0b10110_101, 6);
  one.writeBigUInt64LE(kernel + 64n, 8);
  one.writeBigUInt64LE(user, 16);
  one.write('12345678', 24, 'latin1');
  one.writeUInt32LE(0x39393939, 32);
  one.writeUInt32LE(77, 32 + 2 * 4);
  one.writeUInt32LE(9, 64);
  one.writeBigUInt64LE(kernel + 128n, 64 + 16);
  one.write('secret\0', 128, 'latin1');
  all.add(kernel, one);
  const other = Buffer.alloc(64);
  other.write('hello\0', 0, 'latin1');
  all.add(user, other);
  const own = Buffer.alloc(64);
  own.writeBigUInt64LE(kernel, 0);
  own.writeBigUInt64LE(user, 8);
  own.writeInt32LE(-7, 16);
  own.writeBigUInt64LE(0xffff_ffff_ffff_ff00n, 24);
  own.write('in ctx\0', 32, 'latin1');
  all.add(context, own);
  return all;
}

/** Reads as the kernel's helpers do: only their own half of the address space, and zeros where nothing is. */
function reader(half: 'user' | 'kernel', text: boolean): Helper {
  return (memory, to, size, from) => {
    const room = memory.must(to, Number(size));
    for (let i = 0; i < Number(size); i++) {
      room.setUint8(i, 0);
    }
    if (from >= 1n << 63n !== (half === 'kernel')) {
      return -14n;
    }
    for (let i = 0n; i < size; i++) {
      const byte = memory.view(from + i, 1)?.getUint8(0);
      if (byte === undefined) {
        return -14n;
      }
      const last = text && (byte === 0 || i === size - 1n);
      room.setUint8(Number(i), last ? 0 : byte);
      if (last) {
        return i + 1n;
      }
    }
    return 0n;
  };
}

const kernelHelpers: Readonly<Record<number, Helper>> = {
  [helpers.readUser]: reader('user', false),
  [helpers.readKernel]: reader('kernel', false),
  [helpers.readUserText]: reader('user', true),
  [helpers.readKernelText]: reader('kernel', true),
  [helpers.currentComm]: (memory, to) => {
    const room = memory.must(to, 16);
    for (const [i, byte] of [...Buffer.alloc(16, 'node\0\0\0\0\0\0\0\0\0\0\0\0', 'latin1')].entries()) {
      room.setUint8(i, byte);
    }
    return 0n;
  },
};

function evaluate(text: string): bigint {
  const code = new Assembler().compute('=', 6, 1);
  const expression = new ExpressionParser(text).expression();
  new ValueWriter(code).value(new Checker(text, scope).condition(expression));
  return interpret(code.exit().finish(), context, memory(), kernelHelpers);
}

test('expressions have the values that they have in C', () => {
  const cases: Readonly<Record<string, bigint>> = {
    'p->id': 4_000_000_000n,
    'p->delta': -2n,
    'p->low': 5n,
    'p->high': -10n,
    'p->next->id': 9n,
    '(*p).next->id + 1': 10n,
    'p->numbers[2]': 77n,
    'p->numbers[i + 9]': 77n,
    '*(p->numbers + 2)': 77n,
    '&p->numbers[2] - p->numbers': 8n,
    'p->text[3]': 52n,
    'p[1].id': 9n,
    '(p + 1)->id': 9n,
    '((struct thing *)v)->next->id': 9n,
    '((struct thing *)r)->id': 0n,
    'bad->next->next->id': 0n,
    i: -7n,
    'i / 2': -3n,
    'i % 4': -3n,
    '7 / i': -1n,
    'i / -2': 3n,
    'i / 0': 0n,
    'i >> 1': -4n,
    'i << 2': -28n,
    'i * i - 1': 48n,
    '~i': 6n,
    '-i': 7n,
    '!i': 0n,
    '!!i': 1n,
    'i < 0': 1n,
    'i > 3': 0n,
    'p->id > i': 1n,
    'p->delta < p->id': 1n,
    '0 > i': 1n,
    '-8 <= i && i <= -7': 1n,
    'n > 5': 1n,
    's > 5': 0n,
    's == -256': 1n,
    '(int)r == -256': 1n,
    '(unsigned char)s': 0n,
    '(short)p->id': BigInt.asIntN(16, 4_000_000_000n),
    '(u8)i': 249n,
    'n >> 60': 15n,
    's >> 60': -1n,
    'i & 0xff': 0xf9n,
    'i | 8': -1n & (-7n | 8n),
    'i ^ 1': -8n,
    'p->id == 4000000000 || bad->id': 1n,
    'bad->id || 0': 0n,
    'i && 0 || !p->low == 0': 1n,
    '18446744073709551615 == n + 255': 1n,
    'u == "hello"': 1n,
    'u == "hell"': 0n,
    'u == "hello!"': 0n,
    'u != "hello"': 0n,
    'u != "world"': 1n,
    '"hello" == p->name': 1n,
    'STRCMP("hell", u)': 0n,
    'STARTS("hell", u)': 1n,
    'STARTS("hello!", u)': 0n,
    'STARTS("", u)': 1n,
    'p->text == "12345678"': 1n,
    'p->text == "123456789"': 0n,
    'p->text != "1234567"': 1n,
    'STARTS("12345678", p->text)': 1n,
    'p->next->name == "secret"': 1n,
    'evil == "secret"': 0n,
    'evil != "secret"': 1n,
    'bad->name == ""': 0n,
    'comm == "node"': 1n,
    'comm == "nodes"': 0n,
    'comm == "a name that no command can have"': 0n,
    'STARTS("no", comm)': 1n,
    'here == "in ctx"': 1n,
    'here[3]': BigInt('c'.charCodeAt(0)),
    'r == "x"': 0n,
  };
  for (const [text, expected] of Object.entries(cases)) {
    assert.equal(evaluate(text), BigInt.asIntN(64, expected), text);
  }
});

test('what makes no sense is refused, and pointed at', () => {
  const cases: readonly [text: string, why: RegExp, marked: string][] = [
    ['q', /there is no 'q' here/, 'q'],
    ['p->nmae', /has no member 'nmae'/, 'nmae'],
    ['p.id', /write ->id/, 'id'],
    ['i->id', /a number \(int\) has no members/, 'id'],
    ['r->id', /a register.* has no members/, 'id'],
    ['*p', /this is no number/, '*p'],
    ['*v', /nothing is known/, 'v'],
    ['n < 0', /never below 0/, 'n'],
    ['0 > n', /never below 0/, 'n'],
    ['r == -1', /has no known type, so/, 'r'],
    ['p + p', /two pointers/, 'p'],
    ['1 - p', /taken from a number/, '1'],
    ['u < "x"', /the same or not/, 'u < "x"'],
    ['i == "x"', /is no text/, 'i'],
    ['p == "x"', /is no text/, 'p'],
    ['"x"', /can only be compared/, '"x"'],
    ['FOO(1)', /no function 'FOO'/, 'FOO(1)'],
    ['STRCMP(u, u)', /takes a text and a value/, 'STRCMP(u, u)'],
    ['(struct thing)i', /nothing can be made/, 'struct thing'],
    ['(thing *)v', /no type 'thing'/, 'thing *'],
    ['((struct other *)v)->id', /nothing is known about struct other/, 'id'],
    ['v->id', /has no members/, 'id'],
    ['n[0]', /has no elements/, 'n'],
    ['v[1]', /nothing is known about an element/, 'v'],
    ['STARTS("x")', /takes a text and a value/, 'STARTS("x")'],
    ['$entry(n)', /no function '\$entry'/, '$entry(n)'],
    ['&3', /has no address/, '3'],
    ['comm + 1', /this is no number/, 'comm'],
    [`u == "${'x'.repeat(200)}"`, /128 bytes at most/, `"${'x'.repeat(200)}"`],
  ];
  for (const [text, why, marked] of cases) {
    assert.throws(
      () => evaluate(text),
      (error) => {
        assert.ok(error instanceof KscopeError && error.code === 'usage', `${text}: ${error}`);
        assert.match(error.message, why, text);
        const [shown = '', mark = ''] = error.excerpt;
        const from = mark.indexOf('^');
        const length = mark.trim().length;
        assert.ok(marked.startsWith(shown.slice(from, from + length)) && length > 0, `${text}: ${mark}`);
        return true;
      },
    );
  }
});

test('what is nearest to a wrong name is offered, whatever it names', () => {
  const cases: Readonly<Record<string, RegExp>> = {
    ni: /^did you mean: .*\bn\b/,
    'p->nmae': /^did you mean: name/,
    'p->zzzzzz': /^members: id, delta/,
    '((struct thnig *)v)->id': /^did you mean struct: thing/,
    '(thing *)v': /^write struct thing$/,
    '(blk_status *)v': /^did you mean: blk_status_t$/,
    '(unsinged *)i': /^did you mean: unsigned$/,
    'STRCPM("x", u)': /^did you mean: STRCMP$/,
  };
  for (const [text, hint] of Object.entries(cases)) {
    assert.throws(
      () => evaluate(text),
      (error: KscopeError) => {
        assert.match(error.hints[0] ?? '', hint, `${text}: ${error.message} ${error.hints}`);
        return true;
      },
    );
  }
});

test('calculations of any shape have the values that they should', () => {
  const random = randomNumbers(42);
  const wrap = (value: bigint) => BigInt.asIntN(64, value);
  type Made = [text: string, value: bigint];
  const make = (depth: number): Made => {
    if (depth === 0 || random(5) === 0) {
      const leaves: readonly Made[] = [
        ['i', -7n],
        ['s', -256n],
        ['p->delta', -2n],
        ['p->low', 5n],
        ['p->next->id', 9n],
        ['3', 3n],
        ['1000000000000', 1_000_000_000_000n],
      ];
      return leaves[random(leaves.length)] as Made;
    }
    const [a, b] = [make(depth - 1), make(depth - 1)];
    const operations: readonly [string, (a: bigint, b: bigint) => bigint][] = [
      ['+', (x, y) => x + y],
      ['-', (x, y) => x - y],
      ['*', (x, y) => x * y],
      ['/', (x, y) => (y === 0n ? 0n : x / y)],
      ['&', (x, y) => x & y],
      ['|', (x, y) => x | y],
      ['^', (x, y) => x ^ y],
      ['<', (x, y) => (x < y ? 1n : 0n)],
      ['>=', (x, y) => (x >= y ? 1n : 0n)],
      ['==', (x, y) => (x === y ? 1n : 0n)],
      ['&&', (x, y) => (x !== 0n && y !== 0n ? 1n : 0n)],
      ['||', (x, y) => (x !== 0n || y !== 0n ? 1n : 0n)],
    ];
    const [operator, apply] = operations[random(operations.length)] as (typeof operations)[number];
    return [`(${a[0]} ${operator} ${b[0]})`, wrap(apply(a[1], b[1]))];
  };
  for (let round = 0; round < 2000; round++) {
    const [text, value] = make(5);
    assert.equal(evaluate(text), value, text);
  }
});

test('parameters have the names of the kernel, whatever a signature says besides', () => {
  const known = {
    parameters: [
      { name: 'file', type: pointerTo(thing) },
      { name: 'count', type: u64 },
    ],
    returns: s64,
  };
  const names = (text: string, hook: 'registers' | 'words' = 'registers') => {
    const specification = parseSpecification(text);
    const scope = functionScope({ specification, common: new Map(), find: () => undefined, known, hook });
    return [...scope.names()].filter((name) => !/^arg\d$/.test(name)).sort();
  };
  assert.deepEqual(names('p::f'), ['count', 'ctx', 'file']);
  assert.deepEqual(names('p::f()'), ['count', 'ctx', 'file']);
  assert.deepEqual(names('p::f(file, n)'), ['count', 'ctx', 'file', 'n']);
  assert.deepEqual(names('r::f'), ['ctx', 'retval']);
  assert.deepEqual(names('r::f', 'words'), ['count', 'file', 'retval']);
  assert.throws(() => names('p::f(count)'), /'count' is parameter 2 of f, and this is 1/);
  assert.throws(() => names('p::f(a, b, c)'), /f has 2 parameters/);
});
