import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { cpuFrequencies } from '../../lib/system/frequencies.ts';
import { inVirtualMachine } from '../helpers/deadline.ts';
import { type JsonMessage, runTool, startTool } from '../helpers/run-tool.ts';
import { ranLonger, spinOn } from '../helpers/spinner.ts';
import { watch } from '../helpers/watch.ts';

interface Bucket {
  readonly from: number;
  readonly count: number;
}

/** Has processors 0 and 1 work at what they are told, where that disturbs nobody. */
function setFrequencies(t: TestContext): ((cpu: number, mhz: number) => void) | undefined {
  const modprobe = (...args: string[]) => spawnSync('modprobe', args).status === 0;
  if (!inVirtualMachine || !modprobe('-a', 'acpi-cpufreq', 'cpufreq_userspace') || cpuFrequencies().length < 2) {
    return undefined;
  }
  t.after(() => modprobe('-r', 'acpi-cpufreq'));
  const write = (cpu: number, file: string, text: string) =>
    writeFileSync(`/sys/devices/system/cpu/cpu${cpu}/cpufreq/${file}`, text);
  for (const cpu of [0, 1]) {
    write(cpu, 'scaling_governor', 'userspace');
  }
  return (cpu, mhz) => write(cpu, 'scaling_setspeed', String(mhz * 1000));
}

/** The frequencies that samples were taken at: where their buckets begin. */
function frequenciesOf(messages: readonly JsonMessage[]): number[] {
  return messages
    .filter(({ type }) => type === 'histogram')
    .flatMap(({ buckets }) => (buckets as Bucket[]).filter(({ count }) => count > 0).map(({ from }) => from));
}

test('samples are counted at the frequency that the processor has been given', async (t) => {
  const set = setFrequencies(t);
  if (set === undefined) {
    const { code, stderr } = await runTool('cpufreq', ['--duration', '0.1']);
    assert.equal(code, cpuFrequencies().length > 0 ? 0 : 3, stderr);
    t.skip('there is no driver that sets frequencies, or they are not for tests to set');
    return;
  }
  await using zero = spinOn(0);
  await using one = spinOn(1);
  set(0, 1000);
  set(1, 3000);
  const usual = ['--json', '-F', '499'];
  // What it is at the start, and each change: an interval of the change may have both.
  await using changing = startTool('cpufreq', [...usual, '-p', String(zero.pid), '0.1']);
  await changing.ready();
  for (const [before, mhz] of [
    [1000, 1000],
    [1000, 2200],
    [2200, 3000],
    [3000, 1000],
  ] as const) {
    const since = changing.messages.length;
    set(0, mhz);
    const lately = () => changing.messages.slice(since).map((message) => frequenciesOf([message]));
    await changing.until(
      () => lately().some((seen) => seen.length === 1 && seen[0] === mhz),
      `samples at ${mhz} MHz only`,
    );
    assert.deepEqual(new Set([...lately().flat(), before, mhz]), new Set([before, mhz]));
  }
  await changing.end();

  const both = await watch(
    'cpufreq',
    {
      each: [...usual, '--per-cpu', '-P', '--comm', 'sh'],
      all: [...usual, '-e', '-p', String(one.pid)],
      nobody: [...usual, '-p', String(one.pid), '-C', '0'],
    },
    () => Promise.all([ranLonger(zero.pid, 200e6), ranLonger(one.pid, 200e6)]),
  );
  const rows = both.each.messages.filter(({ type }) => type === 'histogram');
  assert.deepEqual(rows.map(({ cpu, comm }) => `${cpu} ${comm}`).sort(), ['0 sh', '1 sh']);
  for (const { cpu, count, total, unit, ...row } of rows) {
    assert.deepEqual(frequenciesOf([{ ...row, type: 'histogram' }]), [cpu === 0 ? 1000 : 3000]);
    assert.deepEqual([unit, total], ['MHz', Number(count) * (cpu === 0 ? 1000 : 3000)]);
  }
  const [all] = both.all.messages.filter(({ type }) => type === 'histogram');
  assert.equal(all?.average, 3000);
  assert.deepEqual(frequenciesOf(both.nobody.messages), []);
});
