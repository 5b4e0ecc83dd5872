import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KscopeError } from '../../lib/model/errors.ts';
import { number, s64 } from '../../lib/probes/c-types.ts';
import type { CompiledCalls, ShownValue } from '../../lib/probes/compile-calls.ts';
import { eventProgram } from '../../lib/probes/event-program.ts';
import { parseFunctionValues } from '../../lib/probes/parse-function-values.ts';
import { head, layoutOf } from '../../lib/probes/record.ts';
import type { Typed, Value } from '../../lib/probes/value.ts';
import { helpers } from '../../lib/probes/value-writer.ts';
import { CallRows, type CallValue, callValues } from '../../lib/shapes/call-rows.ts';
import { type Helper, interpret, Memory } from '../helpers/bpf-interpreter.ts';

test('functions and their values are read in all their forms', () => {
  const cases: Readonly<Record<string, readonly (readonly [value: string, condition?: string])[] | undefined>> = {
    vfs_read: undefined,
    ' f.isra.0 ': undefined,
    'f(a)': [['a']],
    'f( a->b , return )': [['a->b'], ['return']],
    'f(a > 3, return->b == 0x10)': [
      ['a', 'a > 3'],
      ['return->b', 'return->b == 0x10'],
    ],
    'f(4096 < a)': [['a', '4096 < a']],
    'f(a > 1 && b < 2, (int)c)': [['a', 'a > 1 && b < 2'], ['(int)c']],
    'f(a & 1, a[2], *b)': [['a & 1'], ['a[2]'], ['*b']],
    'f(a == "x, y)")': [['a', 'a == "x, y)"']],
  };
  for (const [text, wanted] of Object.entries(cases)) {
    const { values, place } = parseFunctionValues(text);
    assert.equal(place.name, text.trim().replace(/\(.*/, ''));
    const written = ({ start, end }: { start: number; end: number }) => text.slice(start, end);
    assert.deepEqual(
      values?.map(({ value, condition }) => [written(value), ...(condition === undefined ? [] : [written(condition)])]),
      wanted,
    );
  }
});

test('what is wrong with them is pointed at', () => {
  const cases: readonly [text: string, why: RegExp, at: number, length: number][] = [
    ['', /the name of a function here/, 0, 1],
    ['  (a)', /the name of a function here/, 2, 1],
    ['f(', /something is missing here/, 2, 1],
    ['f()', /a value|no value|has no meaning|should be/, 2, 1],
    ['f(a', /a comma or a \) here/, 3, 1],
    ['f(a b)', /a comma or a \) here/, 4, 1],
    ['f(a) b', /nothing behind the \)/, 5, 1],
    ['f a', /values in \( \) here, or nothing/, 2, 1],
    ['f(a ==)', /should be|missing|value/, 6, 1],
    [`f(${'a,'.repeat(16)}a)`, /16 values are the most/, 34, 1],
    [`f${'x'.repeat(5000)}`, /may have 4096/, 4096, 50],
  ];
  for (const [text, why, at, length] of cases) {
    assert.throws(
      () => parseFunctionValues(text),
      (error: unknown) => {
        assert.ok(error instanceof KscopeError && error.code === 'usage');
        assert.match(error.message, why, text);
        const [, caret = ''] = error.excerpt;
        if (at < 80) {
          assert.deepEqual([caret.indexOf('^'), caret.trim().length], [at, length], text);
        }
        return true;
      },
    );
  }
});

const CALLS = 7;
const RING = 8;
const ring = 0xffff_9000_0000_0000n;
const context = 0xffff_a000_0000_0000n;

/** Kernel memory with a hash map and a ring: what two programs of a function leave there. */
class Machine {
  readonly records: { readonly place: number; readonly value: bigint }[] = [];
  readonly calls = new Map<bigint, Uint8Array>();
  tid = 5n;
  readonly #codes: readonly Uint8Array[];

  constructor(codes: readonly Uint8Array[]) {
    this.#codes = codes;
  }

  run(program: number, argument: bigint): void {
    const memory = new Memory();
    const own = new Uint8Array(8);
    new DataView(own.buffer).setBigUint64(0, argument, true);
    memory.add(context, own);
    const record = new Uint8Array(head.size + 8);
    memory.add(ring, record);
    const values = new Map<bigint, bigint>();
    for (const [i, [key, bytes]] of [...this.calls].entries()) {
      const at = 0xffff_b000_0000_0000n + BigInt(i) * 64n;
      memory.add(at, bytes);
      values.set(key, at);
    }
    const key = (from: Memory, at: bigint) => from.must(at, 8).getBigUint64(0, true);
    const none: Helper = () => 0n;
    const ownHelpers: Readonly<Record<number, Helper>> = {
      [helpers.currentPidTgid]: () => (9n << 32n) | this.tid,
      [helpers.mapLookup]: (from, map, at) => (map === BigInt(CALLS) ? (values.get(key(from, at)) ?? 0n) : 0n),
      [helpers.mapUpdate]: (from, _, at, value) => {
        const bytes = new Uint8Array(8);
        new DataView(bytes.buffer).setBigUint64(0, from.must(value, 8).getBigUint64(0, true), true);
        this.calls.set(key(from, at), bytes);
        return 0n;
      },
      [helpers.mapDelete]: (from, _, at) => (this.calls.delete(key(from, at)) ? 0n : -2n),
      [helpers.ringReserve]: () => ring,
      [helpers.ringSubmit]: () => {
        const view = new DataView(record.buffer);
        this.records.push({ place: view.getUint32(head.place, true), value: view.getBigUint64(head.size, true) });
        return 0n;
      },
      ...{ [helpers.bootTime]: none, [helpers.currentComm]: none, [helpers.cpu]: none },
    };
    interpret(this.#codes[program] as Uint8Array, context, memory, ownHelpers);
  }
}

const argument: Value = { op: 'context', offset: 0, width: 8 };
const given: Typed = { type: s64, value: argument, space: 'any' };

function programs(predicate?: Value): readonly Uint8Array[] {
  const common = {
    filter: {},
    layout: layoutOf([{ typed: given, text: 0 }], head.size),
    ring: RING,
    lost: { map: 9, offset: 0 },
    ...{ kernelStack: false, userStack: false },
  };
  const call = { number: 3, calls: CALLS };
  return [
    eventProgram({ ...common, place: 0, call: { ...call, at: 'entry' }, ...(predicate && { predicate }) }),
    eventProgram({ ...common, place: 1, call: { ...call, at: 'return' } }),
  ];
}

test('a return is met by whoever met its entry, also in calls of calls', () => {
  const positive: Value = {
    op: 'compare',
    operator: '>',
    left: argument,
    right: { op: 'number', value: 0n },
    signed: true,
  };
  const machine = new Machine(programs(positive));
  const [entry, back] = [0, 1];
  // Returns of what was called before the start.
  machine.run(back, 1n);
  machine.run(entry, 0n);
  machine.run(back, 2n);
  assert.deepEqual([machine.records, machine.calls.size], [[], 0]);
  // Wanted, then inside it one that is not and one that is, all in one thread; beside them another thread.
  machine.run(entry, 10n);
  machine.run(entry, 0n);
  machine.run(entry, 11n);
  machine.tid = 6n;
  machine.run(entry, 0n);
  machine.run(back, 99n);
  machine.run(entry, 20n);
  machine.tid = 5n;
  machine.run(back, 111n);
  machine.run(back, 98n);
  machine.run(back, 110n);
  machine.run(back, 97n);
  machine.tid = 6n;
  machine.run(back, 120n);
  assert.deepEqual(
    machine.records.map(({ place, value }) => [place, Number(value)]),
    [
      ...[
        [0, 10],
        [0, 11],
        [0, 20],
      ],
      ...[
        [1, 111],
        [1, 110],
        [1, 120],
      ],
    ],
  );
  assert.equal(machine.calls.size, 0);
});

test('without a condition all are met', () => {
  const machine = new Machine(programs());
  for (const [program, value] of [
    [0, 1n],
    [0, 2n],
    [1, 3n],
    [1, 4n],
    [1, 5n],
  ] as const) {
    machine.run(program, value);
  }
  assert.deepEqual(
    machine.records.map(({ value }) => Number(value)),
    [1, 2, 3, 4],
  );
});

const int = number('int', 4, true);

/** Functions a, b..., whose entries and returns have a value each. @param condition told by the first return */
function functions(names: string, condition = false): readonly CompiledCalls[] {
  const layout = layoutOf(
    [
      { typed: given, text: 0 },
      { typed: given, text: 0 },
    ],
    head.size,
  );
  const [first, second] = layout.fields;
  const value: ShownValue = { name: 'v', typed: { ...given, type: int }, size: 0, ...(second && { number: second }) };
  const call = { target: undefined as never, layout, values: [value] };
  return [...names].map((name, i) => ({
    name,
    paired: true,
    entry: call,
    return: { ...call, ...(condition && i === 0 && first && { condition: first }) },
  }));
}

function record(place: number, value: number, { tid = 5, holds = 1 } = {}): Uint8Array {
  const bytes = new Uint8Array(head.size + 32);
  const view = new DataView(bytes.buffer);
  view.setUint32(head.ids, tid, true);
  view.setUint32(head.place, place, true);
  view.setBigInt64(head.size, BigInt(holds), true);
  view.setBigInt64(head.size + 8, BigInt(value), true);
  return bytes;
}

/** What is shown for each of the records: the function, where, and its value. */
function shown(rows: CallRows, records: readonly Uint8Array[]): string[][] {
  return records.map((one) =>
    rows.rows(one, 0).map(({ func, event, values }) => {
      const [only] = values as readonly CallValue[];
      return `${func} ${event} ${only?.value?.is === 'number' ? only.value.value : '?'}`;
    }),
  );
}

test('the line of an entry waits for a condition of the result', () => {
  const rows = new CallRows(functions('f', true), false);
  // Programs at returns come first: 0 is that of f, 1 its entry.
  const all = [record(1, 1), record(1, 2), record(0, -2, { holds: 1 }), record(0, -1, { holds: 0 }), record(0, 7)];
  assert.deepEqual(shown(rows, all), [[], [], ['f entry 2', 'f return -2'], [], []]);
  // Threads are apart.
  const two = [record(1, 3), record(1, 4, { tid: 6 }), record(0, 30), record(0, 40, { tid: 6 })];
  assert.deepEqual(shown(rows, two), [[], [], ['f entry 3', 'f return 30'], ['f entry 4', 'f return 40']]);
});

test('functions are shown only in their order', () => {
  const [returned, entered] = [
    [0, 1, 2],
    [3, 4, 5],
  ] as const;
  const rows = new CallRows(functions('abc'), true);
  const step = (place: number | undefined, value: number) => record(place ?? 9, value);
  assert.deepEqual(
    shown(rows, [
      ...[step(entered[1], 1), step(entered[2], 2), step(returned[2], 3), step(returned[1], 4)],
      ...[step(entered[0], 5), step(entered[2], 6), step(entered[1], 7), step(entered[2], 8)],
      ...[step(returned[2], 9), step(returned[1], 10), step(returned[2], 11), step(returned[0], 12)],
      step(returned[0], 13),
    ]),
    [
      ...[[], [], [], []],
      ...[[], [], [], ['a entry 5', 'b entry 7', 'c entry 8']],
      ...[['c return 9'], ['b return 10'], [], ['a return 12']],
      [],
    ],
  );
});

test('records that are none of ours, and calls without end, do no harm', () => {
  const rows = new CallRows(functions('a'), false);
  assert.deepEqual(rows.rows(record(77, 0), 0), []);
  for (let tid = 0; tid < 5000; tid++) {
    rows.rows(record(1, tid, { tid }), 0);
  }
  for (let i = 0; i < 100; i++) {
    rows.rows(record(1, i), 0);
  }
  assert.deepEqual(shown(rows, [record(0, 1, { tid: 4999 }), record(0, 1, { tid: 1 })]), [['a return 1'], []]);
});

test('values are lines, text and JSON', () => {
  const type = callValues(false);
  const values: readonly CallValue[] = [
    { name: 'n', value: { is: 'number', value: -1n, bits: 32 } },
    { name: 'p', type: 'void *', address: 0xffffn, value: { is: 'address', value: 0xffffn } },
    { name: 'pp', type: 'void **', address: 8n, value: { is: 'address', value: 9n } },
    { name: 'none', type: 'struct a *', address: 0n },
    { name: 'bad', type: 'struct a *', address: 1n },
    { name: 's', type: 'const char *', address: 16n, value: { is: 'text', text: 'a\\n' } },
    {
      ...{ name: 'a', type: 'struct a *', address: 32n, cut: { read: 8, size: 16 } },
      value: { is: 'structure', left: 1, members: [['x', { is: 'number', value: 5n, bits: 64 }]] },
    },
  ];
  assert.deepEqual(type.lines?.(values), [
    'n = -1',
    'p = 0xffff (void *)',
    'pp = 0x8 (void **) = 0x9',
    'none = 0x0 (struct a *)',
    'bad = 0x1 (struct a *): cannot be read',
    's = 0x10 (const char *) = "a\\n"',
    'a = 0x20 (struct a *):',
    '    x = 5',
    '    … 1 more',
    '    … 8 of 16 bytes',
  ]);
  assert.deepEqual(type.json?.(values), {
    n: -1,
    p: '0xffff',
    pp: '0x9',
    none: null,
    bad: null,
    s: 'a\\n',
    a: { x: '5' },
  });
  assert.equal(type.text(values.slice(0, 2), { time: 'clock', utc: false }), 'n=-1 p="0xffff"');
});
