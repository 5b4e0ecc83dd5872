import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { Actor } from '../helpers/actor.ts';
import { needsKprobes } from '../helpers/needs-kprobes.ts';
import { ProbedLibrary } from '../helpers/probed-library.ts';
import { runTool, type ToolResult } from '../helpers/run-tool.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';
import { watch } from '../helpers/watch.ts';

/** Values and how often they came up, of all tables. */
function counts(result: ToolResult | undefined): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const { rows } of (result?.messages ?? []).filter(({ type }) => type === 'table')) {
    for (const { event, count } of rows as { event: string; count: number }[]) {
      sums[event] = (sums[event] ?? 0) + count;
    }
  }
  return sums;
}

/** Buckets and what is in them, of all distributions. */
function buckets(result: ToolResult | undefined): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const one of (result?.messages ?? []).filter(({ type }) => type === 'histogram')) {
    for (const { from, count } of one.buckets as { from: number; count: number }[]) {
      if (count > 0) {
        sums[from] = (sums[from] ?? 0) + count;
      }
    }
  }
  return sums;
}

test('arguments, results and values of the entry of functions are counted together', async () => {
  using library = new ProbedLibrary();
  const { path } = library;
  const own = ['--json', '-p', String(process.pid), '-i', '100'];
  const seen = await watch(
    'argdist',
    {
      calls: [...own, '-C', `p:${path}:add()`],
      values: [...own, '-C', `p:${path}:add(int a, int b)::a,b`],
      typed: [...own, '-C', `p:${path}:add(a, b):short,u8:a,b:(int)a < 0#negative`],
      results: [...own, '-C', `r:${path}:add()`],
      entry: [...own, '-C', `r:${path}:add(int a, int b):int,int:$entry(a),$retval:$entry(b) == 2 && $latency > 0`],
      usdt: [...own, '-C', `u:${path}:add():s32:arg2`],
      sizes: [...own, '-H', `p:${path}:add(int a, int b)::a`, '-H', `r:${path}:add():s64:$latency`],
      top: [...own, '-T', '1', '-C', `p:${path}:add(int a, int b)::b`],
    },
    () => {
      for (let i = 0; i < 5; i++) {
        library.add(1, 2);
      }
      library.add(-70_000, 3);
      library.add(100, 2);
    },
  );
  assert.deepEqual(counts(seen.calls), { 'total calls': 7 });
  assert.deepEqual(counts(seen.values), { 'a = 1, b = 2': 5, 'a = -70000, b = 3': 1, 'a = 100, b = 2': 1 });
  assert.deepEqual(counts(seen.typed), { 'a = -4464, b = 3': 1 });
  assert.deepEqual(counts(seen.results), { 'retval = 3': 5, 'retval = -69997': 1, 'retval = 102': 1 });
  assert.deepEqual(counts(seen.entry), { '$entry(a) = 1, $retval = 3': 5, '$entry(a) = 100, $retval = 102': 1 });
  assert.deepEqual(counts(seen.usdt), { 'arg2 = 2': 6, 'arg2 = 3': 1 });
  assert.deepEqual(counts(seen.top), { 'b = 2': 6 });
  const [sizes, latency] = seen.sizes.messages.filter(({ type }) => type === 'histogram');
  assert.deepEqual(
    ((sizes?.buckets ?? []) as { from: number; count: number }[])
      .filter(({ count }) => count > 0)
      .map(({ from, count }) => [from, count]),
    [
      [-(2 ** 63), 1],
      [0, 5],
      [64, 1],
    ],
  );
  assert.equal(latency?.count, 7);
  assert.ok(Number(latency?.total) > 0);
});

test('texts are counted, in each interval and in all', async () => {
  await using actor = await Actor.start();
  const own = ['--json', '-p', String(actor.pid)];
  const at = 't:syscalls:sys_enter_openat()';
  const long = `/nowhere/${'x'.repeat(100)}`;
  const names = ['/nowhere/a', '/nowhere/b', '/nowhere/a', long];
  const seen = await watch(
    'argdist',
    {
      texts: [...own, '-i', '100', '-C', `${at}:char*:filename`],
      short: [
        ...own,
        '-i',
        '100',
        '-z',
        '12',
        '-C',
        `${at}:char*,int:args->filename,dfd:filename != "/nowhere/b"#opens`,
      ],
      often: [...own, '-i', '0.05', '-C', `${at}:char*:filename`],
      command: [...own, '-i', '100', '-C', `${at}::$COMM == "no such"`],
    },
    () => actor.perform(names.map((name) => ({ name: 'openat', args: [-100, name, 0, 0] }))),
  );
  const text = (name: string, length: number) => `"${name.slice(0, length)}"`;
  const all = {
    [`filename = ${text('/nowhere/a', 79)}`]: 2,
    'filename = "/nowhere/b"': 1,
    [`filename = ${text(long, 79)}`]: 1,
  };
  assert.deepEqual(counts(seen.texts), all);
  assert.deepEqual(counts(seen.often), all);
  assert.deepEqual(counts(seen.short), {
    'args->filename = "/nowhere/a", dfd = -100': 2,
    [`args->filename = ${text(long, 11)}, dfd = -100`]: 1,
  });
  assert.equal(((seen.short.messages.at(-1)?.rows ?? []) as { probe: string }[])[0]?.probe, 'opens');
  assert.deepEqual(counts(seen.command), { '$COMM == "no such" = 0': 4 });
});

test('functions of the kernel are counted, with what they were entered with', async (t) => {
  if (!(await needsKprobes(t, 'argdist', '-C', 'p::vfs_unlink()'))) {
    return;
  }
  using place = new TemporaryDirectory();
  await using actor = await Actor.start();
  const files = ['one', 'two'].map((name) => join(place.path, name));
  const own = ['--json', '-p', String(actor.pid), '-i', '100'];
  const seen = await watch(
    'argdist',
    {
      names: [...own, '-C', 'p::vfs_unlink()::dentry->d_name.name'],
      returns: [...own, '-C', 'r::vfs_unlink()'],
      entry: [...own, '-C', 'r::vfs_unlink()::$entry(dentry)->d_name.name,$retval:$latency > 0'],
      sizes: [...own, '-H', 'p::vfs_unlink()::dentry->d_name.len'],
    },
    async () => {
      await actor.perform(files.map((file) => ({ name: 'openat', args: [-100, file, 0o101, 0o600] })));
      await actor.perform(files.map((file) => ({ name: 'unlinkat', args: [-100, file, 0] })));
    },
  );
  assert.deepEqual(counts(seen.names), { 'dentry->d_name.name = "one"': 1, 'dentry->d_name.name = "two"': 1 });
  assert.deepEqual(counts(seen.returns), { 'retval = 0': 2 });
  assert.deepEqual(counts(seen.entry), {
    '$entry(dentry)->d_name.name = "one", $retval = 0': 1,
    '$entry(dentry)->d_name.name = "two", $retval = 0': 1,
  });
  assert.deepEqual(buckets(seen.sizes), { 2: 2 });
});

test('what is wrong is pointed at', async () => {
  using library = new ProbedLibrary();
  const { path } = library;
  const cases: readonly [args: readonly string[], message: RegExp][] = [
    [['-C', `p:${path}:add(a):int:a,b`], /there are 1 types for 2 values/],
    [['-C', `p:${path}:add()::b`], /there is no 'b' here/],
    [['-C', `p:${path}:add()::$latency`], /there is no '\$latency' here/],
    [['-H', `p:${path}:add()`], /a histogram is of one value, and here are 0/],
    [['-H', `p:${path}:add(char *a)::a`], /a histogram is of numbers/],
    [['-C', `p:${path}:add(a)::a:1:2`], /there is nothing behind the filter/],
    [['-z', '200', '-C', `p:${path}:add(char *a, char *b)::a,b`], /256 can be told apart/],
  ];
  for (const [args, message] of cases) {
    const { code, stderr } = await runTool('argdist', args);
    assert.equal(code, 2, `${args.join(' ')}: ${stderr}`);
    assert.match(stderr, message, args.join(' '));
    assert.match(stderr, /\n {2}.*\n {2} *\^~*\n/);
  }
});
