import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { openDemangler } from '../../lib/native/demangle.ts';
import { demangle } from '../../lib/system/symbols/demangle.ts';
import { ElfFunctions } from '../../lib/system/symbols/elf-functions.ts';
import { KernelSymbols } from '../../lib/system/symbols/kernel.ts';
import { PerfMap } from '../../lib/system/symbols/perf-map.ts';
import { parseMaps, UserSymbols } from '../../lib/system/symbols/user.ts';
import { buildElf } from '../helpers/elf-builder.ts';
import { damage, randomNumbers } from '../helpers/random.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');
const uid = process.getuid?.() ?? 0;

/** A file of a test. */
function written(place: TemporaryDirectory, name: string, content: string | Uint8Array): string {
  const path = join(place.path, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, content);
  return path;
}

/** ELF with code for addresses from 0x401000 on at file offset 0x1000, as linkers lay it out. */
function program(
  symbols: Parameters<typeof buildElf>[1],
  segment = { offset: 0x1000, address: 0x401000, size: 0x1000 },
  sections: Parameters<typeof buildElf>[0] = [],
) {
  const elf = buildElf([{ name: '.text', bytes: new Uint8Array(16) }, ...sections], symbols, 62);
  const headers = Buffer.alloc(56);
  headers.writeUInt32LE(1, 0);
  headers.writeBigUInt64LE(BigInt(segment.offset), 8);
  headers.writeBigUInt64LE(BigInt(segment.address), 16);
  headers.writeBigUInt64LE(BigInt(segment.size), 32);
  elf.writeBigUInt64LE(BigInt(elf.length), 32);
  elf.writeUInt16LE(56, 54);
  elf.writeUInt16LE(1, 56);
  return Buffer.concat([elf, headers]);
}

const functions = [
  { name: 'first', value: 0x401000, size: 0x20 },
  { name: 'second', value: 0x401040, size: 0x10 },
  { name: 'open_ended', value: 0x401100, size: 0 },
  { name: 'data', value: 0x401060, size: 0x10, type: 1 },
  { name: 'undefined', value: 0x401080, size: 0x10, section: 0 },
];

test('kernel functions are found by address, with their modules', () => {
  using place = new TemporaryDirectory();
  const text = [
    'ffffffff81000000 T _text',
    'ffffffff81000100 t do_something',
    'ffffffff81000180 D some_data',
    'ffffffff81000200 W weak_function',
    'ffffffffc0000010 t module_function\t[some_module]',
    'ffffffff81000050 T out_of_order',
    '0000000000000000 T hidden_one',
    'ffffffff810',
  ].join('\n');
  const symbols = new KernelSymbols(written(place, 'kallsyms', text));
  const at = (address: bigint) => {
    const { symbol, offset, module } = symbols.resolve(address);
    return [symbol, offset, ...(module === undefined ? [] : [module])];
  };
  assert.equal(symbols.hidden, false);
  assert.deepEqual(at(0xffffffff81000000n), ['_text', 0]);
  assert.deepEqual(at(0xffffffff8100004fn), ['_text', 0x4f]);
  assert.deepEqual(at(0xffffffff81000050n), ['out_of_order', 0]);
  assert.deepEqual(at(0xffffffff810001ffn), ['do_something', 0xff], 'data is no function');
  assert.deepEqual(at(0xffffffff81000200n), ['weak_function', 0]);
  assert.deepEqual(at(0xffffffffc0000020n), ['module_function', 0x10, '[some_module]']);
  assert.deepEqual(symbols.resolve(0xffffffff80ffffffn), { address: 0xffffffff80ffffffn });
  assert.deepEqual(symbols.resolve(0x401000n), { address: 0x401000n }, 'no user address is in the kernel');
});

test('addresses that the kernel hides give no names', () => {
  using place = new TemporaryDirectory();
  const hidden = new KernelSymbols(written(place, 'hidden', '0000000000000000 T _text\n0000000000000000 t one\n'));
  assert.equal(hidden.hidden, true);
  assert.deepEqual(hidden.resolve(0xffffffff81000000n), { address: 0xffffffff81000000n });
  assert.equal(new KernelSymbols(written(place, 'empty', '')).hidden, false);
});

test('executable mappings are read, whatever the names of their files', () => {
  const maps = [
    '00400000-00401000 r--p 00000000 fe:01 100                        /bin/one',
    '00401000-00402000 r-xp 00001000 fe:01 100                        /bin/one',
    '7f0000000000-7f0000001000 r-xp 00000000 00:00 0 ',
    '7f0000002000-7f0000003000 r-xs 00003000 103:05 42 /tmp/with space\\012and newline (deleted)',
    '7ffd00000000-7ffd00001000 r-xp 00000000 00:00 0                  [vdso]',
    'ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0          [vsyscall]',
    'rubbish r-xp',
  ].join('\n');
  assert.deepEqual(
    [...parseMaps(maps)].map(({ start, fileOffset, file, path }) => [start.toString(16), fileOffset, file, path]),
    [
      ['401000', 0x1000, 'fe:01:100', '/bin/one'],
      ['7f0000000000', 0, '00:00:0', ''],
      ['7f0000002000', 0x3000, '103:05:42', '/tmp/with space\nand newline (deleted)'],
      ['7ffd00000000', 0, '00:00:0', '[vdso]'],
      ['ffffffffff600000', 0, '00:00:0', '[vsyscall]'],
    ],
  );
});

test('functions of a binary are found by file offset', () => {
  using place = new TemporaryDirectory();
  const elf = ElfFunctions.open(written(place, 'program', program(functions)));
  assert.equal(elf?.size, 3, 'only functions that are defined');
  assert.deepEqual(elf.atFileOffset(0x1000), { symbol: 'first', offset: 0 });
  assert.deepEqual(elf.atFileOffset(0x101f), { symbol: 'first', offset: 0x1f });
  assert.equal(elf.atFileOffset(0x1020), undefined, 'between two functions');
  assert.deepEqual(elf.atFileOffset(0x1040), { symbol: 'second', offset: 0 });
  assert.deepEqual(elf.atFileOffset(0x1200), { symbol: 'open_ended', offset: 0x100 });
  assert.equal(elf.atFileOffset(0xfff), undefined, 'in front of the segment');
  assert.equal(elf.atFileOffset(0x2000), undefined, 'behind it');
});

test('functions of the running Node are found where they are', () => {
  const names = spawnSync('nm', ['--defined-only', process.execPath], { encoding: 'utf8', maxBuffer: 2 ** 28 });
  const line = /^([0-9a-f]+) T (main|node_api_create_function|napi_create_function)$/m.exec(names.stdout ?? '');
  const elf = ElfFunctions.open(process.execPath);
  assert.ok(elf !== undefined && elf.size > 1000);
  if (line !== null) {
    assert.deepEqual(elf.atAddress(Number.parseInt(line[1] ?? '', 16) + 1), { symbol: line[2], offset: 1 });
  }
});

test('damaged binaries neither fail nor take long', () => {
  using place = new TemporaryDirectory();
  const whole = program(functions);
  const random = randomNumbers(20);
  const path = join(place.path, 'damaged');
  let read = 0;
  for (let i = 0; i < 400; i++) {
    writeFileSync(path, damage(whole, random));
    const elf = ElfFunctions.open(path);
    for (const offset of [0, 0x1000, 0x1040, 0x1fff, 2 ** 40]) {
      const found = elf?.atFileOffset(offset);
      assert.ok(found === undefined || typeof found.symbol === 'string');
      read += found === undefined ? 0 : 1;
    }
  }
  assert.ok(read > 200, 'most damages leave something');
  for (let length = 0; length < whole.length; length += 7) {
    writeFileSync(path, whole.subarray(0, length));
    ElfFunctions.open(path)?.atFileOffset(0x1000);
  }
});

test('a binary that claims to be enormous is not believed', () => {
  using place = new TemporaryDirectory();
  const elf = program(functions);
  const table = Number(elf.readBigUInt64LE(40));
  for (let section = 1; section < elf.readUInt16LE(60); section++) {
    elf.writeBigUInt64LE(2n ** 62n, table + section * 64 + 32);
  }
  const path = written(place, 'enormous', elf);
  truncateSync(path, 2 ** 40);
  const started = process.memoryUsage().rss;
  assert.equal(ElfFunctions.open(path)?.atFileOffset(0x1000), undefined);
  assert.ok(process.memoryUsage().rss - started < 2 ** 29);
});

test('what is no binary is refused at once', () => {
  using place = new TemporaryDirectory();
  const fifo = join(place.path, 'fifo');
  assert.equal(spawnSync('mkfifo', [fifo]).status, 0);
  for (const path of [fifo, place.path, '/dev/null', join(place.path, 'missing'), written(place, 'text', 'text')]) {
    assert.equal(ElfFunctions.open(path), undefined, path);
  }
});

test('the functions of a JIT compiler are read again as they become more', () => {
  using place = new TemporaryDirectory();
  const file = written(
    place,
    'perf-1.map',
    '1000 10 first\n2000 20 second one\nrubbish\n0x3000 0x8 third\n\n4000 zz no\n',
  );
  const map = new PerfMap([join(place.path, 'missing'), file], uid);
  assert.equal(map.find(0x1000), undefined, 'not read yet');
  map.refresh();
  assert.deepEqual(map.find(0x1000), { symbol: 'first', offset: 0 });
  assert.deepEqual(map.find(0x201f), { symbol: 'second one', offset: 0x1f });
  assert.deepEqual(map.find(0x3004), { symbol: 'third', offset: 4 });
  for (const address of [0xfff, 0x1010, 0x2020, 0x4000]) {
    assert.equal(map.find(address), undefined);
  }
  appendFileSync(file, '1000 10 again\n5000 10 fourth\n');
  map.refreshIfMuch();
  assert.equal(map.find(0x5000), undefined, 'not much');
  map.refresh();
  assert.deepEqual(map.find(0x1001), { symbol: 'again', offset: 1 }, 'later lines win');
  assert.deepEqual(map.find(0x5000), { symbol: 'fourth', offset: 0 });
  appendFileSync(file, `${'6000 10 sixth\n'.repeat(20)}`);
  map.refreshIfMuch();
  assert.deepEqual(map.find(0x6000), { symbol: 'sixth', offset: 0 });
  rmSync(file);
  map.refresh();
  assert.deepEqual(map.find(0x6000), { symbol: 'sixth', offset: 0 }, 'what was known stays known');
});

test('hostile JIT maps are bounded, and those of others are not believed', () => {
  using place = new TemporaryDirectory();
  const long = written(place, 'long', `1000 10 ${'x'.repeat(2 ** 20)}\n2000 10 next\n`);
  const map = new PerfMap([long], uid);
  map.refresh();
  assert.ok((map.find(0x1000)?.symbol.length ?? 0) < 1000);
  assert.deepEqual(map.find(0x2000), { symbol: 'next', offset: 0 });

  const lines = Array.from({ length: 2 ** 18 + 1000 }, (_, i) => `${(i * 16).toString(16)} 10 f`);
  const many = new PerfMap([written(place, 'many', lines.join('\n'))], uid);
  many.refresh();
  assert.deepEqual(many.find(0), { symbol: 'f', offset: 0 });
  assert.equal(many.find((2 ** 18 + 999) * 16), undefined);

  const link = join(place.path, 'link');
  symlinkSync(long, link);
  const fifo = join(place.path, 'fifo');
  assert.equal(spawnSync('mkfifo', [fifo]).status, 0);
  for (const path of [link, fifo, place.path]) {
    const refused = new PerfMap([path], uid);
    refused.refresh();
    assert.equal(refused.find(0x1000), undefined, path);
  }
  if (uid !== 0) {
    const others = new PerfMap([long], uid + 1);
    others.refresh();
    assert.equal(others.find(0x1000), undefined);
  }
});

/** A /proc of one process whose program is mapped at 0x401000. */
function fakeProcess(place: TemporaryDirectory, pid: number, path: string, file: string): void {
  const line = `00401000-00402000 r-xp 00001000 ${file} ${path}\n7f0000000000-7f0000001000 rwxp 00000000 00:00 0 \n`;
  written(place, `${pid}/maps`, line);
  written(place, `${pid}/status`, `Name:\tone\nUid:\t${uid}\t${uid}\t${uid}\t${uid}\nNSpid:\t${pid}\t7\n`);
}

/** The process sees the files that we see. */
function ourFiles(place: TemporaryDirectory, pid: number): void {
  const folder = join(place.path, String(pid));
  mkdirSync(join(folder, 'ns'), { recursive: true });
  for (const link of ['ns/mnt', 'root']) {
    symlinkSync(readlinkSync(`/proc/self/${link}`), join(folder, link));
  }
}

test('addresses of processes are named through what the process sees', () => {
  using place = new TemporaryDirectory();
  fakeProcess(place, 5, '/bin/one', '00:00 77');
  written(place, '5/root/bin/one', program(functions));
  written(place, '5/root/tmp/perf-7.map', '7f0000000100 10 jitted\n');
  const symbols = new UserSymbols(place.path);
  const first = { address: 0x401001n, module: '/bin/one', symbol: 'first', offset: 1 };
  assert.deepEqual(symbols.resolve(5, 0x401001n), first);
  const jitted = { address: 0x7f0000000101n, module: '/tmp/perf-7.map', symbol: 'jitted', offset: 1 };
  assert.deepEqual(symbols.resolve(5, 0x7f0000000101n), jitted);
  assert.deepEqual(symbols.resolve(5, 0x401030n), { address: 0x401030n, module: '/bin/one', offset: 0x1030 });
  assert.deepEqual(symbols.resolve(5, 0x7f0000000200n), { address: 0x7f0000000200n, module: '[anon]', offset: 0x200 });
  assert.deepEqual(symbols.resolve(5, 0xdead0000n), { address: 0xdead0000n });
  assert.deepEqual(symbols.resolve(6, 0x401001n), { address: 0x401001n }, 'nobody knows this process');
});

test('the code that the kernel lends to processes has names', () => {
  const vdso = [...parseMaps(readFileSync('/proc/self/maps', 'latin1'))].find(({ path }) => path === '[vdso]');
  assert.ok(vdso !== undefined);
  const symbols = new UserSymbols();
  const names = new Set<string | undefined>();
  for (let address = vdso.start; address < vdso.end; address += 16) {
    const { symbol, module } = symbols.resolve(process.pid, BigInt(address));
    assert.equal(module, '[vdso]');
    names.add(symbol);
  }
  assert.ok(names.has('__vdso_clock_gettime') || names.has('__kernel_clock_gettime'), [...names].join(' '));
});

test('a process of another root that is over is named if it was seen while it lived', () => {
  using place = new TemporaryDirectory();
  fakeProcess(place, 5, '/bin/one', '00:00 77');
  written(place, '5/root/bin/one', program(functions));
  written(place, '5/root/tmp/perf-7.map', '7f0000000100 10 jitted\n');
  const symbols = new UserSymbols(place.path);
  symbols.remember(5);
  rmSync(join(place.path, '5'), { recursive: true });
  assert.equal(symbols.resolve(5, 0x401001n).symbol, 'first');
  assert.equal(symbols.resolve(5, 0x7f0000000101n).symbol, 'jitted');
});

test('a process that is over is named by the file that it had, and by no other', () => {
  using place = new TemporaryDirectory();
  const file = written(place, 'one', program(functions));
  const symbols = () => {
    fakeProcess(place, 5, file, '00:00 77');
    ourFiles(place, 5);
    const seen = new UserSymbols(place.path);
    seen.remember(5);
    rmSync(join(place.path, '5'), { recursive: true });
    return seen;
  };
  assert.equal(symbols().resolve(5, 0x401001n).symbol, 'first');
  const before = symbols();
  renameSync(written(place, 'new', program(functions)), file);
  assert.deepEqual(before.resolve(5, 0x401001n), { address: 0x401001n, module: file, offset: 0x1001 });
});

test('a process that starts another program keeps the names of both', () => {
  using place = new TemporaryDirectory();
  const one = written(place, 'one', program(functions));
  const two = written(place, 'two', program(functions));
  const symbols = new UserSymbols(place.path);
  fakeProcess(place, 5, one, '00:00 77');
  ourFiles(place, 5);
  symbols.remember(5);
  writeFileSync(join(place.path, '5/maps'), `00901000-00902000 r-xp 00001000 00:00 78 ${two}\n`);
  symbols.remember(5);
  rmSync(join(place.path, '5'), { recursive: true });
  assert.equal(symbols.resolve(5, 0x401001n).module, one);
  assert.deepEqual(symbols.resolve(5, 0x901001n), { address: 0x901001n, module: two, symbol: 'first', offset: 1 });
});

test('of many thousands of processes, those that were seen last are known', () => {
  using place = new TemporaryDirectory();
  const symbols = new UserSymbols(place.path);
  for (const pid of [5, 6]) {
    fakeProcess(place, pid, '/bin/one', '00:00 77');
    written(place, `${pid}/root/bin/one`, program(functions));
    symbols.remember(pid);
    rmSync(join(place.path, String(pid)), { recursive: true });
  }
  for (let pid = 1001; pid <= 1000 + 4094; pid++) {
    symbols.remember(pid);
  }
  symbols.remember(5);
  symbols.remember(6000);
  assert.equal(symbols.resolve(5, 0x401001n).symbol, 'first');
  assert.deepEqual(symbols.resolve(6, 0x401001n), { address: 0x401001n });
});

test('a stripped file is named by the one that distributions put beside it', () => {
  using place = new TemporaryDirectory();
  const id = 'ab'.repeat(20);
  const note = Buffer.from(`040000001400000003000000474e5500${id}`, 'hex');
  const buildId = { name: '.note.gnu.build-id', type: 7, bytes: note };
  const link = { name: '.gnu_debuglink', bytes: Buffer.from('one.debug\0\0\0\0\0\0\0', 'latin1') };
  const named = { address: 0x401001n, module: '/bin/one', symbol: 'first', offset: 1 };
  const bare = { address: 0x401001n, module: '/bin/one', offset: 0x1001 };
  const byId = `usr/lib/debug/.build-id/ab/${'ab'.repeat(19)}.debug`;
  const other = { ...buildId, bytes: Buffer.from(`040000001400000003000000474e5500${'cd'.repeat(20)}`, 'hex') };
  const cases = [
    { sections: [buildId], beside: {}, frame: bare },
    { sections: [buildId], beside: { [byId]: [buildId] }, frame: named },
    { sections: [buildId], beside: { [byId]: [other] }, frame: bare },
    { sections: [buildId, link], beside: { 'bin/one.debug': [other], [byId]: [buildId] }, frame: named },
    { sections: [buildId, link], beside: { 'bin/.debug/one.debug': [buildId] }, frame: named },
    { sections: [buildId, link], beside: { 'bin/one.debug': [other] }, frame: bare },
    { sections: [link], beside: { 'bin/one.debug': [] }, frame: named },
    { sections: [link], beside: { 'usr/lib/debug/bin/one.debug': [] }, frame: named },
    { sections: [], beside: { 'bin/one.debug': [] }, frame: bare },
  ];
  for (const [i, { sections, beside, frame }] of cases.entries()) {
    const pid = i + 1;
    fakeProcess(place, pid, '/bin/one', `00:00 ${pid}`);
    written(place, `${pid}/root/bin/one`, program([], undefined, sections));
    for (const [path, own = []] of Object.entries(beside)) {
      written(place, `${pid}/root/${path}`, program(functions, undefined, own));
    }
    assert.deepEqual(new UserSymbols(place.path).resolve(pid, 0x401001n), frame, `case ${i}`);
  }
});

test('copies of a file share what is known of it, and nobody else does', () => {
  using place = new TemporaryDirectory();
  const buildId = (letters: string) => {
    const note = Buffer.from(`040000001400000003000000474e5500${letters.repeat(20)}`, 'hex');
    return { name: '.note.gnu.build-id', type: 7, bytes: note };
  };
  const opened = (name: string, ...content: Parameters<typeof program>) =>
    ElfFunctions.open(written(place, name, program(...content)))?.content;
  const own = opened('own', functions, undefined, [buildId('ab')]);
  assert.equal(opened('copy', functions, undefined, [buildId('ab')]), own);
  const others = [
    opened('another-id', functions, undefined, [buildId('cd')]),
    opened('renamed', [{ name: 'evil', value: 0x401000, size: 0x20 }], undefined, [buildId('ab')]),
    opened('moved', functions, { offset: 0x1000, address: 0x400000, size: 0x1000 }, [buildId('ab')]),
    opened('without-id', functions),
  ];
  assert.ok(!others.includes(own));
  assert.equal(new Set(others).size, others.length);

  // In another container: the build id of a file there that has other names for the same places.
  const symbols = new UserSymbols(place.path);
  for (const [pid, name] of ['first', 'first', 'evil', 'first'].entries()) {
    fakeProcess(place, pid, '/bin/one', `00:00 ${pid}`);
    const names = [{ name, value: 0x401000, size: 0x20 }];
    written(place, `${pid}/root/bin/one`, program(names, undefined, [buildId('ab')]));
    assert.equal(symbols.resolve(pid, 0x401001n).symbol, name);
  }
});

test('many copies of a library take the memory of one', () => {
  using place = new TemporaryDirectory();
  const many = Array.from({ length: 5000 }, (_, i) => ({ name: `function_${i}`, value: 0x401000 + i * 4, size: 4 }));
  const image = program(many, { offset: 0x1000, address: 0x401000, size: 0x10000 });
  const symbols = new UserSymbols(place.path);
  const held = () => {
    // Buffers are given back behind a collection's back, and by the time of the next one for sure.
    for (let round = 0; round < 3; round++) {
      collectGarbage();
    }
    return process.memoryUsage().arrayBuffers;
  };
  const before = held();
  for (let pid = 1; pid <= 100; pid++) {
    fakeProcess(place, pid, '/bin/one', `00:00 ${pid}`);
    written(place, `${pid}/root/bin/one`, image);
    assert.equal(symbols.resolve(pid, 0x401001n).symbol, 'function_0');
  }
  const each = 5000 * 20;
  const taken = held() - before;
  // Memory is given back some time after the collection.
  assert.ok(taken < 40 * each, `${taken} bytes for a hundred copies`);
  assert.equal(symbols.resolve(1, 0x401001n).symbol, 'function_0');
});

test('names are as people wrote them', (t) => {
  assert.equal(demangle('plain_name'), 'plain_name');
  assert.equal(demangle('_Znonsense'), '_Znonsense');
  if (openDemangler()('_Z1fv') === undefined) {
    t.skip('there is no C++ runtime library');
    return;
  }
  assert.equal(demangle('_ZN3foo3barEi'), 'foo::bar(int)');
  assert.equal(
    demangle('_ZNSt6vectorIiSaIiEE9push_backEOi'),
    'std::vector<int, std::allocator<int> >::push_back(int&&)',
  );
  assert.equal(demangle('_ZN4core3fmt5write17h0123456789abcdefE'), 'core::fmt::write');
  assert.equal(demangle('_ZN5alloc3vec12Vec$LT$T$GT$4push17h0123456789abcdefE'), 'alloc::vec::Vec<T>::push');
  assert.equal(
    demangle('_ZN63_$LT$core..ptr..Unique$LT$T$GT$$u20$as$u20$core..ops..Deref$GT$5deref17h19f2ad4920655e85E'),
    '<core::ptr::Unique<T> as core::ops::Deref>::deref',
  );
  assert.equal(
    demangle('_ZN4core3ptr45drop_in_place$LT$$LP$$RF$str$C$$BP$u8$RP$$GT$17h0123456789abcdefE'),
    'core::ptr::drop_in_place<(&str,*u8)>',
  );
  // What looks like that in a name of C++ belongs to it.
  assert.equal(demangle('_ZN3foo6a$LT$bEv'), 'foo::a$LT$b()');
});
