import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KscopeError } from '../../lib/model/errors.ts';
import { s64, u64 } from '../../lib/probes/c-types.ts';
import { distributionProgram, keySize, negativeSlot } from '../../lib/probes/distribution-program.ts';
import { parseDistribution } from '../../lib/probes/parse-distribution.ts';
import { helpers } from '../../lib/probes/value-writer.ts';
import { type Helper, interpret, Memory } from '../helpers/bpf-interpreter.ts';
import { assertMarked } from '../helpers/marked-error.ts';
import { randomNumbers } from '../helpers/random.ts';

test('specifications are read in all their forms', () => {
  const cases: Readonly<Record<string, readonly unknown[]>> = {
    'p::vfs_read()': ['entry', 'vfs_read', [], [], false, 'p::vfs_read()'],
    'p:c:open(path, int flags):char*,int:path,flags & 3': ['entry', 'open', ['path', 'flags'], ['char*', 'int'], false],
    'r:c:open()::$retval:$retval < 0#failed: opens': ['return', 'open', [], [undefined], true, 'failed: opens'],
    't:sched:sched_switch():args->prev_pid': ['tracepoint', 'sched_switch', [], [undefined], false],
    'u:/usr/bin/node:gc__start():u32:arg1:arg1 != 58': ['usdt', 'gc__start', [], ['u32'], true],
    'p:c:f(a):char *:a:a == "x:y#z" || a == "\\"#"#l': ['entry', 'f', ['a'], ['char*'], true, 'l'],
    "p:c:f(a)::a == ':'": ['entry', 'f', ['a'], [undefined], false],
  };
  for (const [text, [kind, name, signature, types, filtered, label]] of Object.entries(cases)) {
    const found = parseDistribution(text);
    assert.equal(found.place.kind, kind);
    assert.equal(found.place.name, name);
    assert.deepEqual(
      found.signature.map((one) => one.name),
      signature,
    );
    assert.deepEqual(
      found.values.map(({ type }) => type && `${type.words.join(' ')}${'*'.repeat(type.pointers)}`),
      types,
    );
    assert.equal(found.filter !== undefined, filtered, text);
    assert.equal(found.label, label ?? text);
  }
});

test('what is wrong is pointed at', () => {
  const many = Array.from({ length: 9 }, (_, i) => `v${i}`).join(',');
  const cases: readonly [text: string, why: RegExp, marked: string][] = [
    ['p::vfs_read', /has \(\) behind its name/, 'p::vfs_read'],
    ['p::vfs_*()', /one place is traced/, 'vfs_*'],
    ['p::f(a', /this \( has no \)/, '('],
    ['p::f(a#b)', /this \( has no \)/, '('],
    ['t:a:b(int c):int:c', /no signature/, '(int c)'],
    ['p::f(3)', /there should be a parameter here/, '3'],
    ['p::f(int a b)', /a comma or a \) here/, 'b'],
    ['p::f() a', /there should be a colon here/, ' a'],
    ['p::f(a):int:a:a:a', /nothing behind the filter/, 'a'],
    ['p::f(a):int:a b', /a comma or a colon here/, 'b'],
    ['p::f(a):int:', /something is missing here/, ''],
    ['p::f(a):int 3:a', /a comma or a colon here/, '3'],
    ['p::f(a):3:a', /there should be a type here/, '3'],
    ['p::f(a):int,int:a', /2 types for 1 values/, 'int,int'],
    ['p::f(a)::a:a b', /nothing more here/, 'b'],
    [`p::f(v0)::${many}`, /8 values are the most/, 'v8'],
    [`p::f()${'x'.repeat(5000)}`, /may have 4096/, 'x'.repeat(50)],
  ];
  for (const [text, why, marked] of cases) {
    assertMarked(parseDistribution, text, why, marked);
  }
});

test('nothing that is given ends otherwise than well or with a sentence', () => {
  const random = randomNumbers(11);
  const parts = [
    'p:c:f',
    '(',
    ')',
    ':',
    '::',
    'int',
    'char*',
    ',',
    'a',
    '$retval',
    '$entry(a)',
    '==',
    '"',
    "'",
    '#',
    '1',
    ' ',
    '\\',
  ];
  let wellFormed = 0;
  for (let round = 0; round < 20_000; round++) {
    const text = `p:c:f(${Array.from({ length: random(12) }, () => parts[random(parts.length)]).join('')}`;
    try {
      parseDistribution(text);
      wellFormed++;
    } catch (error) {
      assert.ok(error instanceof KscopeError && error.code === 'usage', `${JSON.stringify(text)}: ${error}`);
    }
  }
  assert.ok(wellFormed > 100);
});

/** The key under which a program counts a value, and what it adds. */
function counted(value: bigint, signed: boolean): { slot: number; number: number; update: bigint } {
  const memory = new Memory();
  const keys: Buffer[] = [];
  const room = new Uint8Array(16);
  memory.add(0x1000n, room);
  const lookup: Helper = (all, _, key) => {
    const view = all.must(key, keySize);
    keys.push(Buffer.from(view.buffer, view.byteOffset, keySize));
    return keys.length > 1 ? 0x1000n : 0n;
  };
  let update = 0n;
  const code = distributionProgram({
    number: 5,
    filter: {},
    layout: { fields: [], size: 8 },
    histogram: { type: signed ? s64 : u64, value: { op: 'number', value }, space: 'any' },
    counts: 3,
    dropped: { map: 4, offset: 0 },
  });
  interpret(code, 0n, memory, {
    [helpers.mapLookup]: lookup,
    [helpers.mapUpdate]: (_, __, ___, ____, flags) => {
      update = flags;
      return 0n;
    },
  });
  const key = keys[0] ?? Buffer.alloc(8);
  return { number: key.readUInt32LE(0), slot: key.readUInt32LE(4), update };
}

test('values are counted by their powers of two', () => {
  const cases: readonly [value: bigint, signed: boolean, slot: number][] = [
    [0n, false, 0],
    [1n, false, 0],
    [2n, false, 1],
    [3n, true, 1],
    [4n, false, 2],
    [65_535n, false, 15],
    [65_536n, true, 16],
    [(1n << 32n) - 1n, false, 31],
    [1n << 32n, false, 32],
    [(1n << 63n) - 1n, true, 62],
    [(1n << 64n) - 1n, false, 63],
    [-1n, true, negativeSlot],
    [-(1n << 62n), true, negativeSlot],
  ];
  for (const [value, signed, slot] of cases) {
    assert.deepEqual(counted(value, signed), { number: 5, slot, update: 1n }, String(value));
  }
});
