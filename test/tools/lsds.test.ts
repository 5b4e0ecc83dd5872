import assert from 'node:assert/strict';
import { readFileSync, realpathSync, statSync } from 'node:fs';
import { test } from 'node:test';
import { LoopDisk } from '../helpers/loop-disk.ts';
import { runTool } from '../helpers/run-tool.ts';
import { tableRows } from '../helpers/tables.ts';

const SIZE = 7 * 2 ** 20;

test('a disk is listed with its attributes, in a line or in one for each, and with their files', async () => {
  using disk = new LoopDisk(SIZE, ['--read-only', '--sector-size', '4096'], 'cl\x1b[2Jear');
  const { name } = disk;
  const [json, text, chosen, pivot, real, other, listed] = await Promise.all([
    runTool('lsds', ['--json', disk.path]),
    runTool('lsds', [name]),
    runTool('lsds', ['-c', 'devname,size,ro,behind', name]),
    runTool('lsds', ['--json', '-p', '-a', 'LOGSEC', name]),
    runTool('lsds', ['--json', '-v', '-r', '-c', 'NR_RQ', name]),
    runTool('lsds', ['--json', `${name}?`]),
    runTool('lsds', ['--json', '-l']),
  ]);
  const [row, ...more] = tableRows(json.messages);
  const { rdev } = statSync(disk.path);
  const told = (file: string) => readFileSync(`/sys/block/${name}/${file}`, 'utf8').trim();
  assert.deepEqual(more, []);
  assert.deepEqual(
    [row?.devname, row?.maj_min, row?.size, row?.ro, row?.type, row?.logsec],
    [name, `${rdev >> 8}:${rdev & 255}`, SIZE, 1, 'disk', 4096],
  );
  assert.deepEqual([row?.nr_rq, row?.rot], [Number(told('queue/nr_requests')), Number(told('queue/rotational'))]);
  assert.equal(row?.sched, /\[(.+)\]/.exec(told('queue/scheduler'))?.[1] ?? told('queue/scheduler'));
  const shown = disk.file.replace('\x1b', '\\x1b');
  assert.equal(row?.behind, shown);
  const words = (output: string) =>
    output
      .trimEnd()
      .split('\n')
      .map((line) => line.trim().split(/ +/));
  const [head, line] = words(text.stdout);
  assert.equal(head?.join(' '), 'DEVNAME MAJ:MIN SIZE RO TYPE SCHED NR_RQ ROT VENDOR MODEL QDEPTH WCACHE');
  assert.deepEqual(line?.slice(0, 5), [name, row?.maj_min, '7.0M', '1', 'disk']);
  assert.deepEqual(words(chosen.stdout), [
    ['DEVNAME', 'SIZE', 'RO', 'BEHIND'],
    [name, '7.0M', '1', shown],
  ]);
  const lines = tableRows(pivot.messages).map(({ devname, column, value }) => [devname, column, value].join(' '));
  assert.ok(lines.includes(`${name} LOGSEC 4096`) && lines.includes(`${name} SIZE ${SIZE}`));
  assert.ok(!lines.some((one) => one.includes('BEHIND')));
  assert.deepEqual(tableRows(real.messages), [
    {
      devname: name,
      column: 'NR_RQ',
      value: told('queue/nr_requests'),
      source: `${realpathSync(`/sys/block/${name}`)}/queue/nr_requests`,
    },
  ]);
  assert.deepEqual(tableRows(other.messages), []);
  assert.ok(
    tableRows(listed.messages).some(({ column, source }) => column === 'LOGSEC' && /logical/.test(String(source))),
  );
});

test('a device without a size is left out, and a column that there is not is said', async () => {
  const { code, stderr } = await runTool('lsds', ['-a', 'nothing']);
  assert.equal(code, 2);
  assert.match(stderr, /there is no column 'nothing'/);
  using disk = new LoopDisk(0);
  const [without, all] = await Promise.all([
    runTool('lsds', ['--json', disk.name]),
    runTool('lsds', ['--json', '--all', disk.name]),
  ]);
  assert.deepEqual(tableRows(without.messages), []);
  assert.deepEqual(
    tableRows(all.messages).map(({ devname, size }) => [devname, size]),
    [[disk.name, 0]],
  );
});
