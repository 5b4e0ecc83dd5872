import assert from 'node:assert/strict';
import { test } from 'node:test';
import { skeletonText } from '../../lib/gen/skeletons.ts';
import { BtfBuilder } from '../helpers/btf-builder.ts';
import { buildElf } from '../helpers/elf-builder.ts';

interface Sample {
  /** Tag of the structure on the ring buffer. */
  readonly tag?: string;
  /** Names of the markers in .types. */
  readonly markers?: readonly string[];
  readonly rodata?: readonly string[];
  readonly pidType?: 'pid_t' | 'bytes_t';
  readonly withBtf?: boolean;
}

/** An object with a ring buffer, a hash map, constants and three functions, one of which is no program. */
function sample({
  tag = 'event',
  markers = ['events_record'],
  rodata = ['failed_only'],
  pidType = 'pid_t',
  withBtf = true,
}: Sample = {}): Buffer {
  const btf = new BtfBuilder();
  const int = btf.int('int', 4, { signed: true });
  const long = btf.int('unsigned long long', 8);
  const char = btf.int('char', 1, { char: true });
  const bool = btf.int('_Bool', 1, { bool: true });
  const errno = btf.typedef('errno_t', int);
  const comm = btf.array(btf.typedef('comm_t', char), 16, int);
  const event = btf.struct(tag, 24, [
    { name: 'pid', type: btf.typedef(pidType, pidType === 'pid_t' ? int : long), bitOffset: 0 },
    { name: 'comm', type: comm, bitOffset: 64 },
    { name: 'error', type: errno, bitOffset: 0 },
  ]);
  const variable = (name: string, type: number, linkage = 1) =>
    [btf.variable(name, type, linkage), 0, btf.build().length > 0 ? 8 : 0] as const;
  const number = (value: number) => btf.pointer(btf.array(int, value, int));
  const map = (members: Record<string, number>) =>
    btf.struct(
      '',
      8 * Object.keys(members).length,
      Object.entries(members).map(([name, type], index) => ({ name, type, bitOffset: 64 * index })),
    );
  const marker = btf.const(btf.pointer(btf.const(event)));
  btf.dataSection(
    '.types',
    8,
    markers.map((name) => variable(name, marker)),
  );
  btf.dataSection('.maps', 16, [
    variable('events', map({ type: number(27), max_entries: number(4096) })),
    variable('starts', map({ type: number(1), key: btf.pointer(int), value: btf.pointer(event) })),
    variable('stacks', map({ type: number(7), key_size: number(4), value_size: number(1016) })),
  ]);
  btf.dataSection('.rodata', 2, [
    ...rodata.map((name) => variable(name, btf.const(btf.volatile(bool)))),
    variable('____format', btf.array(char, 8, int), 0),
  ]);
  return buildElf(
    [
      { name: '.text', flags: 6, bytes: Buffer.alloc(8) },
      { name: 'tp/syscalls/sys_exit_open', flags: 6, bytes: Buffer.alloc(8) },
      { name: 'fentry/do_unlinkat', flags: 6, bytes: Buffer.alloc(8) },
      ...(withBtf ? [{ name: '.BTF', bytes: btf.build() }] : []),
    ],
    [
      { name: 'helper', section: 1 },
      { name: 'open__tp', section: 2 },
      { name: 'unlink__fentry', section: 3 },
      { name: 'inlined', section: 3, binding: 0 },
      { name: 'failed_only', section: 3, type: 1 },
    ],
  );
}

function text(given?: Sample, other = given): string {
  return skeletonText('deletesnoop', [
    { architecture: 'x86', checksum: 10, bytes: sample(given) },
    { architecture: 'arm64', checksum: 11, bytes: sample(other) },
  ]);
}

test('the types of an object: records, constants, maps, programs', () => {
  assert.equal(
    text(),
    `// The types of bpf/deletesnoop.bpf.c, written by the build.
import { skeleton } from '../lib/bpf/skeleton.ts';

export type event = {
  pid: number;
  comm: string;
  error: number | undefined;
};

export default skeleton<{
  events: {
    events: event;
  };
  rodata: {
    failed_only: boolean;
  };
  maps: {
    starts: { key: number; value: { pid: number; comm: string; error: number | undefined; } };
    stacks: { key: Uint8Array; value: Uint8Array };
  };
  programs: 'open__tp' | 'unlink__fentry';
}>('deletesnoop', {
  x86: 10,
  arm64: 11,
});
`,
  );
});

test('an object without constants has none to set', () => {
  assert.match(text({ rodata: [] }), /\n {2}rodata: Record<never, never>;\n/);
});

test('architectures must agree on the types', () => {
  assert.throws(() => text({}, { pidType: 'bytes_t', rodata: ['other'] }), {
    name: 'KscopeError',
    message: 'bpf/deletesnoop.bpf.c has other types for arm64 than elsewhere',
  });
});

test('every ring buffer says what is on it, and nothing else does', () => {
  assert.throws(() => text({ markers: [] }), /does not say what is on ring buffer 'events'/);
  assert.throws(
    () => text({ markers: ['events_record', 'other_record'] }),
    /has records for ring buffer 'other', which does not exist/,
  );
});

test('a name that would be executed is refused', () => {
  for (const name of ["x: {}; }>('', {}); process.exit(1); //", 'a-b', '', 'a\nb']) {
    assert.throws(() => text({ rodata: [name] }), /which TypeScript cannot/);
  }
  assert.throws(() => text({ tag: 'event = never; process.exit(1)//' }), /which TypeScript cannot/);
});

test('a tag that is a word of TypeScript is refused', () => {
  assert.throws(() => text({ tag: 'string' }), /uses the name 'string', which TypeScript cannot/);
});

test('an object without BTF is refused', () => {
  assert.throws(() => text({ withBtf: false }), /bpf\/deletesnoop\.bpf\.c has no BTF/);
});
