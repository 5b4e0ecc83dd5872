import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CpuCgroup } from '../helpers/cpu-cgroup.ts';
import { distributionsIn } from '../helpers/distribution.ts';
import { allowedProcessors, onProcessor } from '../helpers/processors.ts';
import { type JsonMessage, type RunningTool, runTool, startCommand } from '../helpers/run-tool.ts';
import { ranLonger, spinOn } from '../helpers/spinner.ts';
import { Throng } from '../helpers/throng.ts';
import { watch } from '../helpers/watch.ts';

// Alone: hundreds of processes want one processor.

test('three that run on one processor are at least two that wait', async () => {
  const [processor = 0] = allowedProcessors();
  await using one = spinOn(processor);
  await using two = spinOn(processor);
  await using three = spinOn(processor);
  await Promise.all([one, two, three].map(({ pid }) => ranLonger(pid, 1e6)));
  const there = ['-C', String(processor)];
  const seen = await watch(
    'runqlen',
    {
      plain: ['--json', ...there, '-F', '499'],
      host: ['--json', ...there, '-H', '--per-cpu'],
      own: ['--json', ...there, '--own-queue'],
      share: ['--json', ...there, '-O', '--cpus'],
      text: [...there, '-T'],
      shareText: [...there, '--runqocc'],
    },
    () => ranLonger(one.pid, 100e6),
  );
  for (const { messages } of [seen.plain, seen.host]) {
    const [found, ...more] = distributionsIn(messages);
    assert.deepEqual(more, []);
    assert.equal(found?.unit, 'runqlen');
    assert.ok((found?.count ?? 0) > 10);
    assert.deepEqual(
      found?.buckets.filter(({ from, count }) => from < 2 && count > 0),
      [],
    );
  }
  assert.equal(distributionsIn(seen.host.messages)[0]?.cpu, processor);
  assert.ok((distributionsIn(seen.own.messages)[0]?.count ?? 0) > 10);
  const tables = seen.share.messages.filter(({ type }) => type === 'table');
  const rows = tables.flatMap(({ rows }) => rows as JsonMessage[]);
  assert.deepEqual(
    rows.map(({ cpu, share, count }) => [cpu, share, Number(count) > 10]),
    [[processor, 100, true]],
  );
  assert.match(seen.text.stdout, /^\d\d:\d\d:\d\d\n +runqlen +: count +distribution\n/);
  assert.match(seen.shareText.stdout, /^ *COUNT RUNQOCC\n +\d+ 100\.00%\n$/);
});

test('those that wait in other cgroups wait as well', async (t) => {
  const [processor = 0] = allowedProcessors();
  // Enough for all processors: nobody is throttled.
  const cgroup = () => CpuCgroup.limited(t, { quota: 10_000_000, period: 100_000 });
  using red = cgroup();
  using green = red && cgroup();
  using blue = green && cgroup();
  if (red === undefined || green === undefined || blue === undefined) {
    return;
  }
  const spinIn = (place: CpuCgroup) =>
    onProcessor(processor, () => startCommand(place.command(['/bin/sh', '-c', 'while :; do :; done'])));
  await using one = spinIn(red);
  await using two = spinIn(green);
  await using three = spinIn(blue);
  await Promise.all([one, two, three].map(({ pid }) => ranLonger(pid, 1e6)));
  const seen = await watch('runqlen', { all: ['--json', '-C', String(processor), '-F', '499'] }, () =>
    ranLonger(one.pid, 100e6),
  );
  const [all] = distributionsIn(seen.all.messages);
  assert.ok((all?.count ?? 0) > 10);
  assert.deepEqual(
    all?.buckets.filter(({ from, count }) => from < 2 && count > 0),
    [],
  );
});

test('more can wait than a byte can count', async () => {
  const [processor = 0] = allowedProcessors();
  using throng = await Throng.gather(processor, 300);
  const command = ['--json', '-C', String(processor), '-F', '499'];
  const counted = ({ messages }: RunningTool) =>
    distributionsIn(messages).some(({ buckets }) => buckets.some(({ from, count }) => from >= 256 && count > 0));
  await watch('runqlen', { all: [...command, '0.1'], own: [...command, '--own-queue', '0.1'] }, async (tools) => {
    throng.run();
    await Promise.all(Object.values(tools).map((tool) => tool.until(counted, 'a long queue')));
  });
});

test('a processor that is not there is a mistake', async () => {
  const { code, stderr } = await runTool('runqlen', ['-C', '4095']);
  assert.equal(code, 2);
  assert.match(stderr, /no processor 4095/);
});
