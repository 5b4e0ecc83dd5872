import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { cpuFrequencies } from '../../lib/system/frequencies.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';

test('processors have the frequency that their driver tells, or are left out', () => {
  using folder = new TemporaryDirectory();
  const add = (name: string, current: string | undefined) => {
    mkdirSync(join(folder.path, name, 'cpufreq'), { recursive: true });
    if (current !== undefined) {
      writeFileSync(join(folder.path, name, 'cpufreq/scaling_cur_freq'), current);
      writeFileSync(join(folder.path, name, 'cpufreq/scaling_driver'), 'acpi-cpufreq\n');
    }
  };
  add('cpu0', '1000000\n');
  add('cpu10', '<unknown>\n');
  add('cpu2', undefined);
  add('cpufreq', '1\n');
  assert.deepEqual(
    cpuFrequencies(folder.path).sort((a, b) => a.cpu - b.cpu),
    [
      { cpu: 0, driver: 'acpi-cpufreq', current: 1000000 },
      { cpu: 10, driver: 'acpi-cpufreq', current: 0 },
    ],
  );
});
