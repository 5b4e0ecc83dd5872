import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { nodesOfCpus } from '../../lib/system/nodes.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';

test('processors belong to nodes', () => {
  using root = new TemporaryDirectory();
  assert.deepEqual(nodesOfCpus(2, root.path), [0, 0]);
  const list = (node: number, cpus: string) => {
    const folder = join(root.path, `sys/devices/system/node/node${node}`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'cpulist'), `${cpus}\n`);
  };
  list(0, '0-1,4');
  list(1, '2-3,5-6');
  list(2, '');
  assert.deepEqual(nodesOfCpus(8, root.path), [0, 0, 1, 1, 0, 1, 1, 0]);
});
