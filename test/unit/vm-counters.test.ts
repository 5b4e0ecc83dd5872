import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pageBytes } from '../../lib/native/libc.ts';
import { vmCounters, vmUnit, vmUnitBytes } from '../../lib/system/vm-counters.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';

test('counters are read in their order, and nothing that is none', () => {
  using directory = new TemporaryDirectory();
  const file = join(directory.path, 'vmstat');
  writeFileSync(file, 'nr_free_pages 181\npgfault 18446744073\n\nno number\nbad-name 3\nnr_dirty -1\npgfree 7');
  assert.deepEqual(
    [...vmCounters(file)],
    [
      ['nr_free_pages', 181],
      ['pgfault', 18446744073],
      ['pgfree', 7],
    ],
  );
});

test('a counter is of pages, huge pages, kilobytes or events', () => {
  const names = {
    page: ['nr_free_pages', 'nr_anon_pages', 'pswpin', 'pgalloc_normal', 'pgfree', 'pgsteal_kswapd', 'pginodesteal'],
    'huge page': ['nr_anon_transparent_hugepages', 'nr_shmem_hugepages', 'nr_file_pmdmapped'],
    kilobyte: ['nr_kernel_stack', 'pgpgin', 'pgpgout'],
    event: ['pgfault', 'pgmajfault', 'pgreuse', 'oom_kill', 'thp_fault_alloc', 'pgscan_direct_throttle', 'numa_hit'],
  } as const;
  for (const [unit, all] of Object.entries(names)) {
    assert.deepEqual(
      all.map((name) => [name, vmUnit(name)]),
      all.map((name) => [name, unit]),
    );
  }
  assert.equal(vmUnitBytes('page'), pageBytes());
  assert.equal(vmUnitBytes('kilobyte'), 1024);
  assert.equal(vmUnitBytes('event'), undefined);
});
