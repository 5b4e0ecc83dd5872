import assert from 'node:assert/strict';
import { openSync } from 'node:fs';
import { test } from 'node:test';
import { BpfObject } from '../../lib/bpf/object.ts';
import { objectFile } from '../../lib/bpf/object-file.ts';
import { RunCounting } from '../../lib/bpf/run-counting.ts';
import { Registry } from '../../lib/cli/registry.ts';
import type { StatsMessage } from '../../lib/model/message.ts';
import { lineSchema } from '../../lib/output/line-schema.ts';
import { schemaProblems } from '../helpers/json-schema.ts';
import { type JsonMessage, startCommand, startTool, toolCommand } from '../helpers/run-tool.ts';
import { syscall } from '../helpers/syscall.ts';

// Alone: whoever else asks for counts has the kernel count all programs.

const tool = await new Registry().load('opensnoop');
const schema = lineSchema(tool.schema());
/** Runs at the end of a system call that no program around here makes by itself. */
const program = 'openat2__tp';
const own = ['-p', String(process.pid)];

/** Makes calls that end with an error. */
function openTimes(count: number): void {
  for (let i = 0; i < count; i++) {
    assert.equal(syscall('openat2', -1, '/nonexistent', new Uint8Array(24), 24), -2);
  }
}

function statsIn(messages: readonly JsonMessage[]): (StatsMessage & JsonMessage)[] {
  const found = messages.filter(({ type }) => type === 'stats');
  for (const message of found) {
    assert.deepEqual(schemaProblems(schema, message), []);
  }
  return found as unknown as (StatsMessage & JsonMessage)[];
}

function runsOf(stats: StatsMessage | undefined): number | undefined {
  return stats?.programs.find((one) => one.program === program)?.runs;
}

test('--stats: as many runs as there were calls, and the time they took', async () => {
  await using json = startTool('opensnoop', [...own, '--json', '--stats']);
  await using text = startTool('opensnoop', [...own, '--stats']);
  await Promise.all([json.ready(), text.ready()]);
  openTimes(1000);
  const { messages, stderr } = await json.end();
  const [stats, ...others] = statsIn(messages);
  assert.deepEqual(others, []);
  assert.equal(messages.at(-1), stats);
  assert.equal(runsOf(stats), 1000);
  const time = stats?.programs.find((one) => one.program === program)?.run_ns ?? 0;
  assert.ok(time > 1000 * 20 && time < 1e9 * (stats?.seconds ?? 0), `${time} ns`);
  assert.ok(stats !== undefined && stats.cpu_seconds.user + stats.cpu_seconds.system > 0 && stats.memory > 2 ** 20);
  assert.deepEqual(stats.lost, []);
  // A record has a time, a name and a path at least.
  const [ring] = stats.rings;
  assert.ok(ring !== undefined && ring.ring === 'events' && ring.peak >= 48 && ring.peak <= ring.size);
  assert.match(stderr, /^opensnoop: program openat2__tp \(.*\): 1000 runs, \d+ ns each, /m);

  const said = await text.end();
  assert.match(said.stderr, /^opensnoop: program openat2__tp \(.*\): 1000 runs, \d+ ns each, /m);
  assert.match(said.stderr, /^opensnoop: after [\d.]+ s: own CPU time .*, nothing lost$/m);
  assert.doesNotMatch(said.stdout, / runs|CPU time/);
});

test('--stats: a buffer that was too small is full, and what it could not hold is lost', async () => {
  await using json = startTool('opensnoop', [...own, '--json', '--stats', '--buffer-size', '4096']);
  await json.ready();
  json.process.kill('SIGSTOP');
  openTimes(500);
  json.process.kill('SIGCONT');
  const { messages, rows } = await json.end();
  const [stats] = statsIn(messages);
  const [ring] = stats?.rings ?? [];
  assert.ok(ring !== undefined && ring.peak > 3500 && ring.peak <= 4096 && ring.size === 4096, `${ring?.peak}`);
  const events = stats?.lost.find(({ what }) => what === 'events')?.total ?? 0;
  const here = rows.filter(({ path }) => path === '/nonexistent').length;
  assert.ok(here < 500 && events >= 500 - here);
});

test('--stats-interval: also when there is nothing else to say', async () => {
  await using json = startTool('opensnoop', ['-p', '1', '--json', '--stats-interval', '0.05']);
  await json.ready();
  openTimes(10);
  await json.until(({ messages }) => runsOf(statsIn(messages).at(-1)) === 10);
  openTimes(10);
  await json.until(({ messages }) => runsOf(statsIn(messages).at(-1)) === 20);
  const all = statsIn((await json.end()).messages);
  assert.ok(all.length >= 3);
  for (const [i, { seconds }] of all.entries()) {
    assert.ok(seconds >= (all[i - 1]?.seconds ?? 0));
  }
});

test('entries of a map are counted as they come and go', () => {
  using object = BpfObject.open(objectFile(tool.skeleton));
  const map = object.map<bigint, number>('filter_mntnsmap_ids');
  map.maxEntries = 10;
  assert.equal(map.entryCount, undefined);
  for (const one of object.programs.values()) {
    one.autoload = false;
  }
  object.load();
  assert.equal(map.entryCount, 0);
  for (let key = 1n; key <= 10n; key++) {
    map.set(key, 1);
    assert.equal(map.entryCount, Number(key));
  }
  map.delete(3n);
  assert.equal(map.entryCount, 9);
});

test('root without CAP_SYS_ADMIN is told why runs are not counted', async (t) => {
  const capabilities = ['--bounding-set', '-all,+cap_38,+cap_39', '--inh-caps', '-all', '--ambient-caps', '-all'];
  const command = toolCommand('opensnoop', [...own, '--json', '--stats']);
  await using json = startCommand(['setpriv', ...capabilities, ...command], { json: true });
  await Promise.race([json.ready(), json.ended()]);
  if (/not permitted|Permission denied/i.test(json.stderr)) {
    t.skip('this kernel does not trace with CAP_BPF and CAP_PERFMON alone');
    return;
  }
  openTimes(10);
  const { code, messages, rows, stderr } = await json.end();
  assert.equal(code, 0, stderr);
  assert.equal(rows.filter(({ path }) => path === '/nonexistent').length, 10);
  const [stats] = statsIn(messages);
  assert.equal(runsOf(stats), undefined);
  assert.match(String(stats?.uncounted), /^counting runs needs CAP_SYS_ADMIN .*: Operation not permitted \(EPERM\)$/);
  assert.match(stderr, /^opensnoop: program openat2__tp \(.*\): runs not counted$/m);
});

test('the kernel counts while somebody asks for it, and not after he was killed', async () => {
  using object = BpfObject.open(objectFile(tool.skeleton));
  for (const one of object.programs.values()) {
    one.autoload = one.name === program;
  }
  object.load();
  object.attach();
  const counted = (): number => {
    const before = object.program(program).runs.count;
    openTimes(20);
    return object.program(program).runs.count - before;
  };
  assert.equal(counted(), 0);
  using counting = new RunCounting();
  assert.equal(counting.problem, undefined);
  assert.equal(counted(), 20);
  counting.close();
  assert.equal(counted(), 0);

  await using json = startTool('opensnoop', [...own, '--json', '--stats']);
  await json.ready();
  assert.equal(counted(), 20);
  assert.equal((await json.end('SIGKILL')).signal, 'SIGKILL');
  assert.equal(counted(), 0);
});

test('without --stats nothing is counted or said', async () => {
  await using json = startTool('opensnoop', [...own, '--json']);
  await json.ready();
  assert.throws(() => openSync('/nonexistent/file', 'r'));
  const { messages, stderr } = await json.end();
  assert.deepEqual(statsIn(messages), []);
  assert.doesNotMatch(stderr, /CPU time|runs/);
});
