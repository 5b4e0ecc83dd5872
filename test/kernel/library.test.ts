import assert from 'node:assert/strict';
import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { getPriority } from 'node:os';
import { type TestContext, test } from 'node:test';
import { lacksStructure } from '../../lib/bpf/hooks.ts';
import { BpfObject, canAttach, type Feature, KscopeError, probeFeature, type Row } from '../../lib/index.ts';
import { heldBy, leftOf } from '../helpers/bpf-ids.ts';
import { deadline, patience } from '../helpers/deadline.ts';
import { fixtureObject } from '../helpers/fixture-object.ts';
import { ProbedLibrary } from '../helpers/probed-library.ts';

const file = fixtureObject('library');
const hooks = [
  ...['TRACEPOINT', 'RAW_TRACEPOINT', 'TP_BTF', 'UPROBE', 'URETPROBE', 'PERF_EVENT'],
  ...['FENTRY', 'FEXIT', 'KPROBE', 'KRETPROBE', 'KPROBE_MULTI'],
] as const;
type Hook = (typeof hooks)[number];

/** The number of getpriority(2). */
const syscallNumber = process.arch === 'arm64' ? 141 : 140;

/** Opens the object with only these programs, for calls by this thread. */
function open(...programs: string[]): BpfObject {
  const object = BpfObject.open(file);
  for (const program of object.programs.values()) {
    program.autoload = programs.includes(program.name);
  }
  object.globals.set('target_tid', process.pid);
  object.globals.set('syscall_number', syscallNumber);
  return object;
}

function callsOf(object: BpfObject, hook: Hook): number {
  return Number(object.map<number, bigint>('calls').get(hooks.indexOf(hook)));
}

/** A failure as this library has them, of that kind and with that message. */
function failure(code: string, message: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof KscopeError, error instanceof Error ? error.stack : String(error));
    assert.match(error.message, message);
    assert.equal(error.code, code);
    return true;
  };
}

/** Skips the test where the kernel lacks the feature, and only there. */
function needs(t: TestContext, feature: Feature): boolean {
  const { supported, reason } = probeFeature(feature);
  assert.notEqual(supported, undefined, reason);
  if (supported === false) {
    t.skip(reason);
  }
  return supported === true;
}

/** Opens, loads and attaches one program, acts, and says how often it ran. */
function count(program: string, hook: Hook, act: () => void, attach?: (object: BpfObject) => void): number {
  using object = open(program);
  object.load();
  attach === undefined ? object.attach() : attach(object);
  act();
  object.detach();
  const calls = callsOf(object, hook);
  act();
  assert.equal(callsOf(object, hook), calls, 'it is called though it is detached');
  return calls;
}

function getPriorities(times: number): void {
  for (let i = 0; i < times; i++) {
    getPriority();
  }
}

/** Reads a file that many times, in this thread. */
function reads(times: number): void {
  const fd = openSync('/proc/self/comm', 'r');
  for (let i = 0; i < times; i++) {
    readSync(fd, Buffer.alloc(1));
  }
  closeSync(fd);
}

test('tracepoint', () => {
  assert.equal(
    count('on_tracepoint', 'TRACEPOINT', () => getPriorities(23)),
    23,
  );
});

test('tracepoint, named at run time', () => {
  const attach = (object: BpfObject) =>
    object.program('on_tracepoint').attachTracepoint('syscalls', 'sys_exit_getpriority');
  assert.equal(
    count('on_tracepoint', 'TRACEPOINT', () => getPriorities(23), attach),
    23,
  );
});

test('raw tracepoint', () => {
  assert.equal(
    count('on_raw_tracepoint', 'RAW_TRACEPOINT', () => getPriorities(23)),
    23,
  );
  const attach = (object: BpfObject) => object.program('on_raw_tracepoint').attachRawTracepoint('sys_enter');
  assert.equal(
    count('on_raw_tracepoint', 'RAW_TRACEPOINT', () => getPriorities(23), attach),
    23,
  );
});

test('tracepoint with BTF', (t) => {
  if (needs(t, 'tp_btf')) {
    assert.equal(
      count('on_tp_btf', 'TP_BTF', () => getPriorities(23)),
      23,
    );
  }
});

for (const [feature, program, hook] of [
  ['fentry', 'on_fentry', 'FENTRY'],
  ['fexit', 'on_fexit', 'FEXIT'],
  ['kprobe', 'on_kprobe', 'KPROBE'],
  ['kprobe', 'on_kretprobe', 'KRETPROBE'],
  ['kprobe_multi', 'on_kprobe_multi', 'KPROBE_MULTI'],
] as const) {
  test(`${hook.toLowerCase()} of a kernel function`, (t) => {
    if (needs(t, feature)) {
      assert.equal(
        count(program, hook, () => reads(23)),
        23,
      );
    }
  });
}

test('kprobe, named at run time', (t) => {
  if (needs(t, 'kprobe')) {
    const entry = (object: BpfObject) => object.program('on_kprobe').attachKprobe('vfs_read');
    assert.equal(
      count('on_kprobe', 'KPROBE', () => reads(23), entry),
      23,
    );
    const exit = (object: BpfObject) => object.program('on_kretprobe').attachKprobe('vfs_read', { return: true });
    assert.equal(
      count('on_kretprobe', 'KRETPROBE', () => reads(23), exit),
      23,
    );
  }
});

test('kprobe.multi, named at run time', (t) => {
  if (needs(t, 'kprobe_multi')) {
    const attach = (object: BpfObject) => object.program('on_kprobe_multi').attachKprobeMulti('vfs_rea?');
    assert.equal(
      count('on_kprobe_multi', 'KPROBE_MULTI', () => reads(23), attach),
      23,
    );
  }
});

test('fentry, aimed at another function before load', (t) => {
  if (needs(t, 'fentry')) {
    using object = open('on_fentry');
    object.program('on_fentry').setTarget('vfs_statx');
    object.load();
    object.attach();
    reads(5);
    assert.equal(callsOf(object, 'FENTRY'), 0);
  }
});

test('uprobe and uretprobe of a shared library, by name and by offset', (t) => {
  if (!needs(t, 'uprobe')) {
    return;
  }
  using library = new ProbedLibrary();
  const { path } = library;
  const act = () => {
    for (let i = 0; i < 23; i++) {
      assert.equal(library.answer(), 42);
    }
  };
  const answerAt = 0x900;
  for (const where of [{ symbol: 'answer' }, { offset: answerAt }, { symbol: 'answer', pid: process.pid }]) {
    const entry = (object: BpfObject) => object.program('on_uprobe').attachUprobe({ file: path, ...where });
    assert.equal(count('on_uprobe', 'UPROBE', act, entry), 23, JSON.stringify(where));
    const exit = (object: BpfObject) =>
      object.program('on_uretprobe').attachUprobe({ file: path, ...where, return: true });
    assert.equal(count('on_uretprobe', 'URETPROBE', act, exit), 23, JSON.stringify(where));
  }
});

for (const feature of ['uprobe', 'uprobe_multi'] as const) {
  test(`several places of a shared library, by ${feature}`, (t) => {
    if (!needs(t, feature)) {
      return;
    }
    using library = new ProbedLibrary();
    const [add, answer] = [{ offset: 0x800 }, { offset: 0x900 }];
    const act = () => {
      for (let i = 0; i < 23; i++) {
        assert.equal(library.answer(), 42);
        assert.equal(i % 4 === 0 ? library.add(i, 1) : i + 1, i + 1);
      }
    };
    for (const [program, hook] of [
      ['on_uprobe', 'UPROBE'],
      ['on_uretprobe', 'URETPROBE'],
    ] as const) {
      using object = open(program);
      const own = object.program(program);
      if (feature === 'uprobe_multi') {
        own.takePlacesAtOnce();
      }
      object.load();
      const where = { file: library.path, places: [add, answer], return: program === 'on_uretprobe' };
      own.attachUprobes(where);
      act();
      assert.equal(callsOf(object, hook), 23 + 6);
      object.detach();
      act();
      assert.equal(callsOf(object, hook), 23 + 6);
      assert.throws(() => own.attachUprobes({ ...where, file: '/nonexistent' }), failure('unsupported', /ENOENT/));
    }
  });
}

test('uprobe of what is not there', (t) => {
  if (!needs(t, 'uprobe')) {
    return;
  }
  using library = new ProbedLibrary();
  using object = open('on_uprobe');
  object.load();
  const program = object.program('on_uprobe');
  assert.throws(
    () => program.attachUprobe({ file: library.path, symbol: 'question' }),
    failure('unsupported', /^cannot attach on_uprobe to uprobe \/.*:question: No such file or directory \(ENOENT\)$/),
  );
  assert.throws(() => program.attachUprobe({ file: '/nonexistent', symbol: 'x' }), failure('unsupported', /ENOENT/));
  assert.throws(() => program.attachUprobe({ file: '/etc/passwd', symbol: 'x' }), failure('failed', /:x: elf: /));
  assert.throws(() => object.attach(), failure('failed', /^cannot attach on_uprobe: its section does not say where$/));
});

test('statically defined probe, with its arguments', (t) => {
  if (!needs(t, 'uprobe')) {
    return;
  }
  using library = new ProbedLibrary();
  using object = BpfObject.open(fixtureObject('usdt'));
  object.load();
  object.program('on_probe').attachUsdt(library.path, 'kscope', 'add', process.pid);
  assert.equal(library.add(-5, 7), 2);
  assert.equal(library.add(2 ** 31 - 1, -(2 ** 31)), -1);
  const rows = object.ring<Row>('events').drain();
  // The first argument is the whole register, of which the caller fills the lower half.
  assert.deepEqual(
    rows.map(({ first, second, arguments: count }) => [Number(BigInt.asIntN(32, first as bigint)), second, count]),
    [
      [-5, 7, 2],
      [2 ** 31 - 1, -(2 ** 31), 2],
    ],
  );
  assert.throws(
    () => object.program('on_probe').attachUsdt(library.path, 'kscope', 'subtract', process.pid),
    failure('unsupported', /^cannot attach on_probe to usdt \/.*:kscope:subtract: /),
  );
});

test('samples of a processor clock, with stacks', async (t) => {
  if (!needs(t, 'perf_event')) {
    return;
  }
  using object = open('on_sample');
  object.load();
  object.program('on_sample').attachPerfEvent({ type: 1, config: 0, frequency: 997 }, { pid: process.pid });
  const end = performance.now() + patience;
  let calls = 0;
  for (let x = 0; calls < 20 && performance.now() < end; x++) {
    calls = x % 1000 === 0 ? callsOf(object, 'PERF_EVENT') : calls;
  }
  assert.ok(calls >= 20);
  object.detach();
  const stacks = object.map<Uint8Array, Uint8Array>('stacks').entries();
  assert.ok(stacks.length > 0);
  for (const [id, frames] of stacks) {
    assert.equal(id.length, 4);
    assert.equal(frames.length, 127 * 8);
    assert.notEqual(Buffer.from(frames).readBigUInt64LE(0), 0n);
  }
  // There are no batches for stacks: they are taken one by one.
  assert.equal(object.map('stacks').drain().length, stacks.length);
  assert.deepEqual(object.map('stacks').entries(), []);
});

test('a perf event that is none', () => {
  using object = open('on_sample');
  object.load();
  assert.throws(
    () => object.program('on_sample').attachPerfEvent({ type: 99_999, config: 0, period: 1 }, { cpu: 0 }),
    failure('unsupported', /^cannot attach on_sample to perf event on CPU 0: No such file or directory \(ENOENT\)$/),
  );
});

test('an iterator is run as often as one wants', (t) => {
  if (!needs(t, 'iter')) {
    return;
  }
  using object = open('on_task');
  object.load();
  for (let i = 0; i < 3; i++) {
    const bytes = Buffer.from(object.program('on_task').iterate());
    const pids = Array.from({ length: bytes.length / 4 }, (_, n) => bytes.readInt32LE(4 * n));
    const threads = readdirSync('/proc/self/task').map(Number);
    assert.deepEqual(
      threads.filter((tid) => !pids.includes(tid)),
      [],
    );
    assert.ok(pids.includes(process.ppid));
    assert.equal(new Set(pids).size, pids.length);
  }
});

test('records come out of the ring in order, with the fields of the structure', async () => {
  using object = open('on_tracepoint');
  object.load();
  object.attach();
  const ring = object.ring<Row>('events');
  assert.equal(object.ring('events'), ring);
  const before = Date.now();
  getPriorities(3);
  const rows = ring.drain();
  const comm = readFileSync('/proc/self/comm', 'utf8').trimEnd();
  for (const [i, { time, ...row }] of rows.entries()) {
    assert.deepEqual(row, { number: BigInt(i + 1), hook: 'TRACEPOINT', tgid: process.pid, comm });
    // Microseconds, by another clock than ours: off by the time between two looks at both, but not by seconds.
    assert.ok(Math.abs(Number(time) / 1000 - before) < 10_000);
  }
  assert.equal(rows.length, 3);
  const more: unknown[] = [];
  getPriorities(1);
  await deadline(
    (async () => {
      for await (const { number } of ring) {
        more.push(number);
        if (more.length === 5) {
          break;
        }
        getPriorities(1);
      }
    })(),
    () => `only ${more.length} rows`,
  );
  assert.deepEqual(more, [4n, 5n, 6n, 7n, 8n]);
  assert.equal(ring.lost, 0);
});

test('a ring that nobody reads counts what it loses', () => {
  using object = open('on_tracepoint');
  object.map('events').maxEntries = 4096;
  object.load();
  object.attach();
  getPriorities(1000);
  const ring = object.ring('events');
  assert.equal(ring.size, 4096);
  const rows = ring.drain();
  assert.ok(rows.length > 10 && rows.length < 1000);
  assert.equal(rows.length + ring.lost, 1000);
  assert.equal(object.globals.get('events_lost'), BigInt(ring.lost));
});

test('records without a structure are bytes', () => {
  using object = open('on_tracepoint');
  object.load();
  object.attach();
  getPriorities(2);
  const rows = object.ring<Uint8Array>('raw').drain();
  assert.deepEqual(rows, [Uint8Array.of(0, 0, 0), Uint8Array.of(1, 0, 0)]);
});

test('a loop over a ring ends when the object is closed', async () => {
  const object = open('on_tracepoint');
  object.load();
  const loop = (async () => {
    let rows = 0;
    for await (const _ of object.ring('events')) {
      rows += 1;
    }
    return rows;
  })();
  object.close();
  assert.equal(await deadline(loop, () => 'the loop goes on'), 0);
});

test('constants are set before load, and refuse what their type cannot hold', () => {
  using object = open();
  const { globals } = object;
  const values: Record<string, unknown> = {
    tiny: 255,
    small: -128,
    wide: -(2n ** 63n),
    yes: true,
    word: 'abcdefg',
    name: 'a\\x1b\\xff',
    config: { number: 1, numbers: [1, 2, 65535], on: true },
  };
  for (const [name, value] of Object.entries(values)) {
    globals.set(name, value);
    assert.deepEqual(globals.get(name), value, name);
  }
  const wrong: readonly (readonly [name: string, value: unknown])[] = [
    ['tiny', 256],
    ['tiny', -1],
    ['tiny', 1.5],
    ['tiny', '1'],
    ['tiny', undefined],
    ['small', -129],
    ['small', 128],
    ['wide', 2n ** 63n],
    ['target_tid', 2 ** 32],
    ['target_tid', Number.NaN],
    ['syscall_number', -1n],
    ['word', 'abcdefgh'],
    ['name', 'ééééééééé'],
    ['config', { number: -1 }],
    ['config', { number: 1, numbers: [1, 2, 3, 4] }],
    ['config', 5],
    ['config', null],
  ];
  for (const [name, value] of wrong) {
    assert.throws(() => globals.set(name, value), failure('failed', new RegExp(`^cannot set ${name}: `)), `${name}`);
  }
  assert.throws(() => globals.set('nope', 1), failure('failed', /^the object has no variable 'nope'$/));
  assert.throws(() => globals.get('toString'), failure('failed', /^the object has no variable 'toString'$/));
  object.load();
  assert.equal(globals.get('tiny'), 255);
  assert.deepEqual(globals.get('config'), values.config);
  assert.throws(() => globals.set('tiny', 1), failure('failed', /^the constants of library\.any cannot be changed/));
});

test('variables are live', () => {
  using object = open('on_tracepoint');
  const { globals } = object;
  assert.equal(globals.get('limit'), 7);
  globals.set('limit', 8);
  object.load();
  object.attach();
  assert.equal(globals.get('limit'), 8);
  globals.set('live', { number: 3, numbers: [0, 0, 9], on: true });
  assert.deepEqual(globals.get('live'), { number: 3, numbers: [0, 0, 9], on: true });
  const total = globals.counter('total');
  for (let i = 0; i < 5; i++) {
    assert.equal(total(), i);
    assert.equal(globals.get('total'), BigInt(i));
    getPriorities(1);
  }
  globals.set('total', 2n ** 52n);
  getPriorities(1);
  assert.equal(total(), 2 ** 52 + 1);
});

test('hash map with structures', () => {
  using object = open();
  object.load();
  const map = object.map<Row, Row>('structured');
  const key = { first: 2 ** 32 - 1, second: 65535 };
  const value = { count: 2n ** 64n - 1n, last: -1, comm: 'a\\n', parts: [1, 2, 3, 65535] };
  assert.equal(map.get(key), undefined);
  assert.equal(map.delete(key), false);
  map.set(key, value);
  assert.deepEqual(map.get(key), value);
  map.set(key, { ...value, count: 1n });
  assert.deepEqual(map.get(key)?.count, 1n);
  map.set({ first: 1, second: 2 }, value);
  assert.equal(map.entries().length, 2);
  assert.equal(map.delete(key), true);
  assert.deepEqual([...map], [[{ first: 1, second: 2 }, value]]);
  map.set({ first: 2, second: 0 }, value);
  map.set({ first: 3, second: 0 }, value);
  map.set({ first: 4, second: 0 }, value);
  assert.throws(
    () => map.set({ first: 5, second: 0 }, value),
    failure('failed', /^map structured cannot be written: Argument list too long \(E2BIG\)$/),
  );
  for (const wrong of [{ first: 2 ** 32, second: 0 }, { first: 1 }, undefined, 5, null]) {
    assert.throws(() => map.get(wrong as Row), failure('failed', /takes|cannot hold/));
  }
  for (const wrong of [{ ...value, comm: 'much too long a name' }, { ...value, last: 2 ** 31 }, undefined]) {
    assert.throws(() => map.set(key, wrong as Row), failure('failed', /longer|takes|cannot hold/));
  }
});

test('hash map without types', () => {
  using object = open();
  object.load();
  const map = object.map<Uint8Array, Uint8Array>('untyped');
  const key = Uint8Array.of(1, 2, 3, 4);
  const value = Uint8Array.of(1, 2, 3, 4, 5, 6);
  map.set(key, value);
  assert.deepEqual(map.get(key), value);
  assert.deepEqual(map.drain(), [[key, value]]);
  assert.deepEqual(map.entries(), []);
  assert.throws(() => map.get(Uint8Array.of(1)), failure('failed', /^what has no type takes 4 bytes$/));
  assert.throws(() => map.set(key, key), failure('failed', /^what has no type takes 6 bytes$/));
  assert.throws(() => map.get('1234' as never), failure('failed', /takes 4 bytes$/));
});

test('array', () => {
  using object = open();
  object.load();
  const map = object.map<number, bigint>('calls');
  map.set(3, 2n ** 63n);
  assert.equal(map.get(3), 2n ** 63n);
  assert.equal(map.get(hooks.length), undefined);
  assert.throws(() => map.set(hooks.length, 1n), failure('failed', /cannot be written: .*E2BIG/));
  assert.throws(() => map.delete(3), failure('failed', /cannot be written: .*EINVAL/));
  assert.deepEqual(
    map.entries(),
    hooks.map((_, i) => [i, i === 3 ? 2n ** 63n : 0n]),
  );
  assert.throws(() => map.drain(), failure('failed', /^map calls cannot be emptied: /));
});

for (const count of [4095, 4096, 4097, 20_000]) {
  test(`${count} entries come and go in batches`, () => {
    using object = open();
    object.load();
    const map = object.map<number, bigint>('many');
    const expected: [number, bigint][] = Array.from({ length: count }, (_, i) => [i * 3, BigInt(i) ** 4n]);
    for (const [key, value] of expected) {
      map.set(key, value);
    }
    const sorted = (entries: [number, bigint][]) => entries.sort(([a], [b]) => a - b);
    assert.deepEqual(sorted(map.entries()), expected);
    assert.deepEqual(sorted(map.drain()), expected);
    assert.deepEqual(map.entries(), []);
    assert.deepEqual(map.drain(), []);
  });
}

test('entries come and go one by one where there are no batches', () => {
  using object = open();
  object.load();
  const map = object.map<Row, number>('prefixes');
  const expected = Array.from({ length: 5000 }, (_, i): [Row, number] => [
    { length: 32, address: [10, 0, i >> 8, i & 255] },
    i,
  ]);
  for (const [key, value] of expected) {
    map.set(key, value);
  }
  const sorted = (entries: [Row, number][]) => entries.sort(([, a], [, b]) => a - b);
  assert.deepEqual(sorted(map.entries()), expected);
  assert.deepEqual(sorted(map.drain()), expected);
  assert.deepEqual(map.entries(), []);
});

test('per-CPU hash and array have one value for each processor', () => {
  using object = open('on_tracepoint');
  object.load();
  object.attach();
  const array = object.map<number, bigint[]>('percpu_array');
  assert.equal(array.perCpu, true);
  const cpus = array.get(0)?.length ?? 0;
  assert.ok(cpus >= 1);
  const values = Array.from({ length: cpus }, (_, cpu) => BigInt(cpu) + 2n ** 40n);
  array.set(2, values);
  getPriorities(50);
  assert.deepEqual(
    array.entries().map(([key, all]) => [key, key === 1 ? all.reduce((sum, one) => sum + one) : all]),
    [
      [0, values.map(() => 0n)],
      [1, 50n],
      [2, values],
    ],
  );
  const hash = object.map<number, number[]>('percpu_hash');
  const ofKey = (key: number) => Array.from({ length: cpus }, (_, cpu) => key * 1000 + cpu);
  for (let key = 0; key < 5000; key++) {
    hash.set(key, ofKey(key));
  }
  assert.deepEqual(hash.get(4999), ofKey(4999));
  for (const [key, all] of hash.entries()) {
    assert.deepEqual(all, ofKey(key));
  }
  assert.equal(hash.drain().length, 5000);
  assert.equal(hash.entries().length, 0);
  for (const wrong of [5, [], [...ofKey(1), 0], undefined]) {
    assert.throws(() => hash.set(1, wrong as number[]), failure('failed', /is an array of \d+ values$/));
  }
});

test('LRU hash forgets instead of being full', () => {
  using object = open();
  object.load();
  const map = object.map<number, number>('recent');
  for (let i = 0; i < 1000; i++) {
    map.set(i, i);
  }
  const entries = map.entries();
  assert.ok(entries.length > 0 && entries.length <= 64);
  assert.equal(map.get(999), 999);
  assert.equal(map.drain().length, entries.length);
});

test('sizes of maps are set before load', () => {
  using object = open();
  const map = object.map<number, bigint>('many');
  assert.equal(map.maxEntries, 20_000);
  map.maxEntries = 2;
  assert.throws(() => map.get(1), failure('failed', /^map many is not loaded$/));
  assert.ok(map.fd < 0);
  object.load();
  assert.ok(map.fd >= 0);
  assert.equal(map.maxEntries, 2);
  map.set(1, 1n);
  map.set(2, 2n);
  assert.throws(() => map.set(3, 3n), failure('failed', /E2BIG/));
  assert.throws(
    () => {
      map.maxEntries = 3;
    },
    failure('failed', /^map many cannot be resized: Device or resource busy \(EBUSY\)$/),
  );
});

test('what is not there is said so', () => {
  using object = open();
  assert.throws(() => object.map('nope'), failure('failed', /^the BPF object of library\.any has no map 'nope'$/));
  assert.throws(() => object.program('nope'), failure('failed', /has no program 'nope'$/));
  object.load();
  assert.throws(() => object.ring('nope'), failure('failed', /has no map 'nope'$/));
  assert.throws(() => object.ring('many'), failure('failed', /^map many is not a ring buffer$/));
});

test('a program that the verifier refuses is named, and the log is there for who wants it', () => {
  using object = open('wrong');
  assert.throws(
    () => object.load(),
    (error) => {
      assert.ok(error instanceof KscopeError);
      assert.equal(error.code, 'failed');
      assert.equal(error.subject, 'wrong');
      assert.match(error.message, /^cannot load program wrong: the verifier refused it: \S/);
      assert.ok((error.log ?? '').length > error.message.length);
      return true;
    },
  );
  assert.throws(() => object.load(), failure('failed', /^cannot load/));
});

test('the wrong order of calls is refused', () => {
  const object = open('on_tracepoint');
  const program = object.program('on_tracepoint');
  assert.throws(() => object.attach(), failure('failed', /^cannot attach: the BPF object of library\.any is open$/));
  assert.throws(() => object.ring('events'), failure('failed', /^cannot read a ring buffer: .* is open$/));
  assert.throws(() => program.attach(), failure('failed', /^cannot attach on_tracepoint to /));
  object.detach();
  object.load();
  assert.throws(() => object.load(), failure('failed', /^cannot load: .* is loaded$/));
  assert.throws(
    () => {
      program.autoload = false;
    },
    failure('failed', /^program on_tracepoint: cannot be chosen or left out: /),
  );
  assert.throws(() => object.program('on_fentry').attach(), failure('failed', /^cannot attach on_fentry to /));
  assert.throws(() => object.program('on_fentry').setTarget('vfs_write'), failure('failed', /cannot aim at vfs_write/));
  object.close();
});

test('a closed object answers with an error, whatever it is asked, and may be closed again', () => {
  const object = open('on_tracepoint');
  object.load();
  const [link] = object.attach();
  const { globals } = object;
  const program = object.program('on_tracepoint');
  const map = object.map<number, bigint>('many');
  const ring = object.ring('events');
  const counter = globals.counter('total');
  getPriorities(1);
  assert.equal(counter(), 1);
  object.close();
  object.close();
  link?.close();
  ring.close();
  assert.equal(link?.fd, -1);
  assert.equal(program.fd, -1);
  assert.equal(map.fd, -1);
  assert.equal(ring.pending, 0);
  const closed = failure('failed', /is closed$|not there any more$/);
  for (const action of [
    () => object.load(),
    () => object.attach(),
    () => object.attach(['on_tracepoint']),
    () => object.ring('events'),
    () => object.map('many').get(1),
    () => map.get(1),
    () => map.set(1, 1n),
    () => map.delete(1),
    () => map.entries(),
    () => map.drain(),
    () => map.maxEntries,
    () => map.keySize,
    () => program.attach(),
    () => program.autoload,
    () => program.attachTracepoint('syscalls', 'sys_enter_getpriority'),
    () => program.attachPerfEvent({ type: 1, config: 0, frequency: 1 }, { cpu: 0 }),
    () => program.iterate(),
    () => globals.get('total'),
    () => globals.set('limit', 1),
    () => ring.drain(),
    () => ring.lost,
    () => counter(),
  ]) {
    assert.throws(action, closed, String(action));
  }
  object.detach();
});

test('close gives everything back, after whichever step', async (t) => {
  const steps: Readonly<Record<string, (object: BpfObject) => void>> = {
    open: () => {},
    load: (object) => object.load(),
    attach: (object) => object.attach(),
    use: (object) => {
      object.ring('events').drain();
      object.ring('raw').drain();
      object.globals.get('total');
      object.globals.get('limit');
      object.globals.get('tiny');
      object.map('many').entries();
    },
    fail: (object) => {
      assert.throws(() => object.program('on_tracepoint').attachTracepoint('no', 'such'));
      assert.throws(() => object.program('on_tracepoint').attachPerfEvent({ type: 1, config: 0 }, { cpu: 10_000 }));
    },
  };
  const names = Object.keys(steps);
  // The library itself opens a few things once.
  open('on_tracepoint', 'on_raw_tracepoint').close();
  for (let last = 0; last < names.length; last++) {
    await t.test(`${names[last]}`, async () => {
      const descriptors = readdirSync('/proc/self/fd').length;
      const object = open('on_tracepoint', 'on_raw_tracepoint');
      for (const name of names.slice(0, last + 1)) {
        steps[name]?.(object);
      }
      const held = heldBy(process.pid);
      assert.equal(held.size > 0, last > 0);
      object.close();
      assert.deepEqual(await leftOf(held), []);
      assert.deepEqual([...heldBy(process.pid)], []);
      assert.equal(readdirSync('/proc/self/fd').length, descriptors);
      const mapped = readFileSync('/proc/self/maps', 'utf8').split('\n');
      assert.equal(mapped.filter((line) => line.includes('bpf-map')).length, 0);
    });
  }
});

test('a link is detached by itself, the others stay', () => {
  using object = open('on_tracepoint', 'on_raw_tracepoint');
  object.load();
  const [first] = object.attach(['on_tracepoint']);
  object.attach(['on_raw_tracepoint']);
  assert.ok((first?.fd ?? -1) >= 0);
  getPriorities(3);
  first?.close();
  getPriorities(4);
  assert.deepEqual([callsOf(object, 'TRACEPOINT'), callsOf(object, 'RAW_TRACEPOINT')], [3, 7]);
});

test('what is no object is refused', () => {
  assert.throws(
    () => BpfObject.open('/nonexistent.bpf.o'),
    failure('failed', /^cannot read the BPF object \/nonexist/),
  );
  assert.throws(() => BpfObject.open('/etc/passwd'), failure('failed', /is not an ELF file$/));
  const bytes = readFileSync(file);
  for (const length of [0, 1, 63, 64, 1000, bytes.length >> 1, bytes.length - 1]) {
    assert.throws(() => BpfObject.openBytes(bytes.subarray(0, length), { name: 'cut' }), { name: 'KscopeError' });
  }
  assert.throws(
    () => BpfObject.openBytes(bytes, { name: 'other', digest: '0'.repeat(64) }),
    failure('failed', /^the BPF object of other is damaged or of another build$/),
  );
});

test('the kernel is asked for a hook by its section', () => {
  assert.equal(canAttach('tp/syscalls/sys_enter_getpriority').supported, true);
  assert.deepEqual(canAttach('tp/syscalls/sys_enter_nonsense'), {
    supported: false,
    reason: 'the kernel has no tracepoint syscalls:sys_enter_nonsense',
  });
  assert.equal(canAttach('tp_btf/no_such_tracepoint').supported, false);
  assert.equal(canAttach('fentry/no_such_function').supported, false);
  assert.equal(canAttach('kprobe/no_such_function').supported, false);
});

test('a structure that the kernel has is known, and one that it has not is missing', () => {
  assert.equal(lacksStructure('task_struct')(), undefined);
  assert.match(lacksStructure('no_such_structure')() ?? '', /struct no_such_structure/);
});
