import assert from 'node:assert/strict';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { cpuPressure } from '../../lib/system/cgroup-pressure.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';

test('the pressure of a cgroup is that of the directory with its number', () => {
  using root = new TemporaryDirectory();
  const cgroup = join(root.path, 'cgroup/a/b');
  mkdirSync(cgroup, { recursive: true });
  mkdirSync(join(root.path, 'proc/self'), { recursive: true });
  writeFileSync(join(root.path, 'proc/self/mounts'), 'cgroup2 /cgroup cgroup2 rw 0 0\n');
  const id = String(statSync(cgroup).ino);
  assert.equal(cpuPressure('/a/b', id, root.path), undefined);
  writeFileSync(
    join(cgroup, 'cpu.pressure'),
    'some avg10=12.34 avg60=5.00 avg300=0.00 total=7\nfull avg10=1.00 avg60=0.00 avg300=0.00 total=3\n',
  );
  assert.deepEqual(cpuPressure('/a/b', id, root.path), { avg10: 12.34, avg60: 5 });
  assert.equal(cpuPressure('/a/b', '1', root.path), undefined);
  assert.equal(cpuPressure('/a/c', id, root.path), undefined);
  writeFileSync(join(cgroup, 'cpu.pressure'), 'nonsense');
  assert.equal(cpuPressure('/a/b', id, root.path), undefined);
});
