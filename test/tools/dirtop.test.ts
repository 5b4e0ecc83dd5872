import assert from 'node:assert/strict';
import { closeSync, mkdirSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { KINDS, readAll, writeAll } from '../helpers/file-calls.ts';
import { runTool, type ToolResult } from '../helpers/run-tool.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';
import { watch } from '../helpers/watch.ts';

type DirectoryRow = Readonly<Record<'reads' | 'writes' | 'rbytes' | 'wbytes' | 'bytes', number>> & {
  readonly path: string;
};

/** Amounts by directory, in the order of the lines. */
function amounts({ messages }: ToolResult): [string, ...number[]][] {
  const rows = messages.filter(({ type }) => type === 'table').flatMap((table) => table.rows as DirectoryRow[]);
  return rows.map(({ path, reads, writes, rbytes, wbytes }) => [path, reads, writes, rbytes, wbytes]);
}

function write(path: string, times: number): void {
  const fd = openSync(path, 'w');
  for (let i = 0; i < times; i++) {
    writeSync(fd, 'text');
  }
  closeSync(fd);
}

test('what is below a directory counts for the nearest one that was named', async () => {
  using place = new TemporaryDirectory();
  const { path } = place;
  const many = Array.from({ length: 40 }, (_, i) => join(path, `many-${String(i).padStart(2, '0')}`));
  for (const one of [join(path, 'inner/deep/er'), join(path, 'odd\u001b[31m'), ...many]) {
    mkdirSync(one, { recursive: true });
  }
  const own = ['60', '--json', '-p', String(process.pid)];
  const inner = join(path, 'inner');
  const seen = await watch(
    'dirtop',
    {
      nested: [...own, '-d', `${path},${inner}`, '-d', inner],
      outer: [...own, '-d', path],
      writes: [...own, '-d', `${path}/inner,${path}/odd*`, '-s', 'writes'],
      many: [...own, '-d', `${path}/many-*`, '-s', 'wbytes', '-r', '40'],
      first: [...own, '-d', `${path}/many-*`, '-r', '1'],
      stranger: ['60', '--json', '-p', String(process.ppid), '-d', path],
      text: ['60', '-C', '-p', String(process.pid), '-d', `${path},${inner}`],
    },
    () => {
      const fd = openSync(join(path, 'inner/deep/er/file'), 'w+');
      writeAll(fd, 3000);
      readAll(fd, 2000);
      assert.equal(readSync(fd, Buffer.alloc(4096), 0, 4096, 5000), 1000);
      closeSync(fd);
      write(join(path, 'file'), 3);
      write(join(path, 'odd\u001b[31m/file'), 9);
      for (const [i, one] of many.entries()) {
        write(join(one, 'file'), i + 1);
      }
    },
  );
  const below = [KINDS + 1, KINDS, KINDS * 2000 + 1000, KINDS * 3000];
  const others = 3 + 9 + (40 * 41) / 2;
  assert.deepEqual(amounts(seen.nested), [
    [inner, ...below],
    [path, 0, others, 0, others * 4],
  ]);
  assert.deepEqual(amounts(seen.outer), [[path, KINDS + 1, KINDS + others, below[2], KINDS * 3000 + others * 4]]);
  assert.deepEqual(amounts(seen.writes), [
    [join(path, 'odd\\x1b[31m'), 0, 9, 0, 36],
    [inner, ...below],
  ]);
  assert.deepEqual(amounts(seen.many), many.map((one, i) => [one, 0, i + 1, 0, (i + 1) * 4]).reverse());
  assert.deepEqual(amounts(seen.first), [[many.at(-1), 0, 40, 0, 160]]);
  assert.deepEqual(amounts(seen.stranger), []);
  const [head = '', names = '', line = '', ...lines] = seen.text.stdout.trimEnd().split('\n');
  assert.match(head, /^\d\d:\d\d:\d\d loadavg: /);
  assert.deepEqual(names.trim().split(/ +/), ['READS', 'WRITES', 'R_Kb', 'W_Kb', 'PATH']);
  assert.deepEqual(line.trim().split(/ +/), [...below.map((n, i) => String(i < 2 ? n : Math.floor(n / 1024))), inner]);
  assert.equal(lines.length, 1);
});

test('directories with the same inode number on different file systems are told apart', async () => {
  const read = (path: string, times: number) => {
    for (let i = 0; i < times; i++) {
      const fd = openSync(path, 'r');
      readSync(fd, Buffer.alloc(1));
      closeSync(fd);
    }
  };
  const own = ['60', '--json', '-p', String(process.pid), '-s', 'reads'];
  const seen = await watch('dirtop', { both: [...own, '-d', '/proc,/sys'], root: [...own, '-d', '/'] }, () => {
    read('/proc/version', 3);
    read('/sys/kernel/notes', 2);
  });
  assert.deepEqual(amounts(seen.both), [
    ['/proc', 3, 0, 3, 0],
    ['/sys', 2, 0, 2, 0],
  ]);
  assert.deepEqual(amounts(seen.root), [['/', 5, 0, 5, 0]]);
});

test('directories must be given', async () => {
  const { code, stderr } = await runTool('dirtop', []);
  assert.equal(code, 2);
  assert.match(stderr, /^dirtop: .*no directory is given/);
});
