import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { blockDevices, deviceAttribute } from '../../lib/system/block-devices.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';

test('attributes are found, said as text that can be printed, and left out where there is nothing', () => {
  using directory = new TemporaryDirectory();
  const root = directory.path;
  for (const name of ['sda', 'sdb', 'loop10', 'loop9']) {
    mkdirSync(join(root, 'sys/block', name, 'device'), { recursive: true });
  }
  assert.deepEqual(blockDevices(root), ['loop9', 'loop10', 'sda', 'sdb']);
  const write = (file: string, content: string) => writeFileSync(join(root, 'sys/block/sda', file), content);
  write('uevent', 'MAJOR=8\nDEVTYPE=disk\nDISKSEQ=3\n');
  write('device/model', 'a\x1b[2Jname   \n');
  write('device/vendor', '   \n');
  const text = (...files: string[]) => deviceAttribute('sda', files, root)?.text;
  assert.equal(text('uevent:DEVTYPE'), 'disk');
  assert.equal(text('uevent:MAJOR'), '8');
  assert.equal(text('uevent:DISKSEQ'), '3');
  assert.equal(text('uevent:TYPE'), undefined);
  assert.equal(text('device/model'), 'a\\x1b[2Jname');
  assert.equal(text('device/vendor'), undefined);
  assert.equal(text('queue/none', 'device/vendor', 'device/model'), 'a\\x1b[2Jname');
  assert.equal(deviceAttribute('sda', ['none', 'uevent:MAJOR'], root)?.source, join(root, 'sys/block/sda/uevent'));
});
