import assert from 'node:assert/strict';
import { lstatSync, mkdirSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { functionDeclaration } from '../../lib/bpf/btf-declaration.ts';
import { kernelBtf } from '../../lib/bpf/kernel-btf.ts';
import { Actor } from '../helpers/actor.ts';
import { needsKprobes } from '../helpers/needs-kprobes.ts';
import { type JsonMessage, runTool } from '../helpers/run-tool.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';
import { watch } from '../helpers/watch.ts';

/** What is known of a row, by its values. */
function told(rows: readonly JsonMessage[]): unknown[][] {
  return rows.map(({ func, event, values }) => [func, event, values]);
}

interface Structure extends Readonly<Record<string, unknown>> {
  readonly d_name: { readonly len: number };
  readonly i_uid: { readonly val: number };
  readonly i_gid: { readonly val: number };
  readonly i_sb: string;
}

test('structures of the kernel are as /proc and the file say, and calls are chosen by their values', async (t) => {
  if (!(await needsKprobes(t, 'ksnoop', 'vfs_unlink'))) {
    return;
  }
  using place = new TemporaryDirectory();
  await using actor = await Actor.start();
  const names = ['one', 'three', 'dir'];
  const paths = names.map((name) => join(place.path, name));
  const [one = '', three = '', dir = ''] = paths;
  writeFileSync(one, 'hello', { mode: 0o640 });
  writeFileSync(three, '', { mode: 0o400 });
  mkdirSync(dir);
  const [file, folder] = [lstatSync(one), lstatSync(place.path)];
  const own = ['--json', '-p', String(actor.pid)];
  const name = 'dentry->d_name.name';
  const length = 'dentry->d_name.len';
  const refused = ['dentry->d_sb->s_type->name', 'return < 0'];
  const seen = await watch(
    'ksnoop',
    {
      whole: [...own, '--struct-size', '4096', 'trace', 'vfs_unlink', 'vfs_unlink(dentry->d_inode, $comm)'],
      chosen: [
        ...[...own, '--struct-size', '64', 'vfs_unlink(dentry)', 'vfs_unlink(return == -21)'],
        ...[
          `vfs_unlink(${name}, ${length} > 3, return)`,
          `vfs_unlink(${refused})`,
          `vfs_unlink(${length}, return > 0)`,
        ],
        ...[`vfs_unlink(${name} != "one", dir->i_sb->s_magic, return == 0)`, `security_inode_unlink(${length})`],
      ],
      ordered: [...own, '-s', `vfs_unlink(${name})`, 'security_inode_unlink(return)'],
      reversed: [...own, '-s', 'security_inode_unlink', 'vfs_unlink'],
      text: ['-p', String(actor.pid), '-P', '64', 'vfs_unlink(dir->i_uid, dentry->d_inode, return)'],
    },
    () => actor.perform(paths.map((path) => ({ name: 'unlinkat', args: [-100, path, 0] }))),
  );

  const rows = seen.whole.rows.filter(({ values }) => values !== undefined && !('$comm' in (values as object)));
  const [call, back] = rows as [JsonMessage, JsonMessage];
  assert.deepEqual(
    rows.map(({ event, pid }) => [event, pid]),
    names.flatMap(() => [
      ['entry', actor.pid],
      ['return', actor.pid],
    ]),
  );
  assert.deepEqual(back.values, { return: 0 });
  const values = call.values as { readonly dir: Structure; readonly dentry: Structure };
  const parameters = /\((.*)\)/.exec(functionDeclaration(kernelBtf(), 'vfs_unlink') ?? '')?.[1]?.split(', ') ?? [];
  assert.deepEqual(
    Object.keys(values),
    parameters.map((parameter) => /\w+$/.exec(parameter)?.[0]),
  );
  assert.deepEqual(
    [values.dir.i_mode, values.dir.i_ino, values.dir.i_uid.val, values.dentry.d_name.len],
    [folder.mode, String(folder.ino), folder.uid, 3],
  );
  assert.equal(call.partial, undefined);

  const inode = seen.whole.rows.find((row) => !rows.includes(row)) as JsonMessage;
  const some = inode.values as Readonly<Record<string, Structure>>;
  const { i_mode, i_ino, i_size, i_nlink, i_uid, i_gid, i_sb } = some['dentry->d_inode'] as Structure;
  assert.deepEqual(
    { i_mode, i_ino, i_size, i_nlink, uid: i_uid.val, gid: i_gid.val },
    {
      ...{ i_mode: file.mode, i_ino: String(file.ino), i_size: '5', i_nlink: 1 },
      ...{ uid: file.uid, gid: file.gid },
    },
  );
  assert.equal(i_sb, values.dir.i_sb);
  const addresses = inode.addresses as Readonly<Record<string, string>>;
  assert.equal(addresses['dentry->d_inode'], values.dentry.d_inode);
  assert.equal(some.$comm, call.comm);

  const of = (...keys: readonly string[]) =>
    told(seen.chosen.rows.filter(({ values: own = {} }) => String(Object.keys(own as object)) === String(keys)));
  const entry = (told: object) => ['vfs_unlink', 'entry', told];
  const inner = (told: object) => ['security_inode_unlink', 'entry', told];
  assert.deepEqual(of(name, length), [entry({ [name]: 'three', [length]: 5 })]);
  const { type } = statfsSync(place.path);
  assert.deepEqual(of(name, 'dir->i_sb->s_magic'), [entry({ [name]: 'three', 'dir->i_sb->s_magic': String(type) })]);
  // What is no file is refused before the security modules are asked.
  assert.deepEqual(of(length), [inner({ [length]: 3 }), inner({ [length]: 5 })]);
  assert.equal(of('dentry->d_sb->s_type->name').length, 1);
  // Of three specifications: -21 of two that want it, and 0 of the two that saw 'three'.
  assert.deepEqual(
    of('return')
      .map(([, , values]) => (values as { readonly return: number }).return)
      .sort(),
    [-21, -21, 0, 0],
  );
  const size = kernelBtf().findByName('dentry', 'struct')?.size;
  assert.deepEqual(
    seen.chosen.rows.flatMap(({ partial = [] }) => partial),
    names.map(() => ({ dentry: { read: 64, size } })),
  );

  const then = [
    ['security_inode_unlink', 'entry', undefined],
    ['security_inode_unlink', 'return', { return: 0 }],
  ];
  assert.deepEqual(told(seen.ordered.rows), [entry({ [name]: 'one' }), ...then, entry({ [name]: 'three' }), ...then]);
  assert.deepEqual(seen.reversed.rows, []);

  const [header = '', first = '', ...lines] = seen.text.stdout.split('\n');
  assert.match(header, /^TIME +CPU +PID COMM +FUNC$/);
  assert.match(first, new RegExp(`^\\S+ +\\d+ +${actor.pid} \\S+ +vfs_unlink$`));
  assert.equal(lines.filter((line) => line === '    return = 0').length, 2);
  assert.equal(lines.filter((line) => line === '    return = -21').length, 1);
  assert.ok(lines.includes(`        i_mode = ${file.mode}`) && lines.includes('        i_size = 5'));
  // Members that are 0 are left out.
  assert.equal(lines.filter((line) => line === '        i_size = 0').length, 0);
});

test('declarations need no right to trace, and what is wrong is pointed at', async () => {
  const shown = await runTool('ksnoop', ['info', 'vfs_read', 'vfs_write']);
  assert.equal(shown.code, 0, shown.stderr);
  assert.match(
    shown.stdout,
    /^PROTOTYPE\nssize_t vfs_read\(struct file \*\w+, char \*\w+, size_t \w+, loff_t \*\w+\);\nssize_t vfs_write\(struct file \*\w+, const char \*\w+, .*\);\n$/,
  );
  for (const word of ['help', 'he']) {
    const help = await runTool('ksnoop', [word]);
    assert.equal(help.code, 0, help.stderr);
    assert.match(help.stdout, /^Usage: ksnoop \[options\] <function\.\.\.>/);
  }
  const listed = await runTool('ksnoop', ['--json', 'i', 'vfs_read']);
  const [row] = (listed.messages.find(({ type }) => type === 'table')?.rows ?? []) as { func: string }[];
  assert.equal(row?.func, 'vfs_read');
  const cases: readonly [args: readonly string[], message: RegExp][] = [
    [
      ['info', 'vfs_reed'],
      /no types of a function 'vfs_reed'\n {2}vfs_reed\n {2}\^~{7}\nhint: did you mean: vfs_read,/,
    ],
    [['info'], /'info' needs the name of a function/],
    [['vfs_read(file file)'], /a comma or a \) here\n {2}vfs_read\(file file\)\n {16}\^~~~\n/],
  ];
  for (const [args, message] of cases) {
    const { code, stderr } = await runTool('ksnoop', args);
    assert.equal(code, 2, stderr);
    assert.match(stderr, message);
  }
});

test('values that a function does not have are pointed at', async (t) => {
  if (!(await needsKprobes(t, 'ksnoop', 'vfs_unlink'))) {
    return;
  }
  const cases: readonly [specification: string, message: RegExp][] = [
    [
      'vfs_unlink(dentri)',
      /there is no 'dentri' here\n {2}vfs_unlink\(dentri\)\n {13}\^~{5}\nhint: did you mean: dentry\n/,
    ],
    ['vfs_unlink(dentry->d_nam)', /struct dentry has no member 'd_nam'\n.*\n {21}\^~~~~\nhint: did you mean: d_name\b/],
    ['vfs_unlink(dentry.d_name)', /this is a pointer: write ->d_name\n/],
    ['vfs_unlnk(dentry)', /the kernel has no function 'vfs_unlnk'\n.*\n {2}\^~{8}\nhint: did you mean: vfs_unlink\b/],
    ['d_drop(return)', /d_drop returns nothing\n.*\n {9}\^~{5}\n/],
  ];
  for (const [specification, message] of cases) {
    const { code, stderr } = await runTool('ksnoop', [specification]);
    assert.equal(code, 2, stderr);
    assert.match(stderr, message);
  }
});
