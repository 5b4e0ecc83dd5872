import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Diagnosis, isWell, jsonLines, report } from '../../lib/cli/doctor.ts';
import { checkHost, type HostFacts } from '../../lib/cli/host-checks.ts';
import { assertGolden } from '../helpers/golden.ts';
import { startFake } from '../helpers/start-command.ts';

const files: Readonly<Record<string, string>> = {
  '/proc/self/status': 'Name:\tnode\nCapInh:\t0000000000000000\nCapEff:\t000001ffffffffff\n',
  '/proc/self/limits':
    'Limit Soft Hard Units\nMax locked memory         8388608              8388608              bytes\n',
  '/proc/self/mountinfo': '41 31 0:38 / /sys/fs/cgroup rw,relatime shared:9 - cgroup2 cgroup2 rw\n',
  '/sys/kernel/security/lockdown': '[none] integrity confidentiality\n',
  '/proc/sys/kernel/kptr_restrict': '1\n',
  '/proc/sys/kernel/perf_event_paranoid': '2\n',
  '/proc/sys/kernel/unprivileged_bpf_disabled': '2\n',
  '/sys/kernel/btf/vmlinux': '',
  '/sys/kernel/tracing/events': '',
};

function check(
  name: string,
  changes: Readonly<Record<string, string | undefined>> = {},
  facts: Partial<HostFacts> = {},
) {
  const there = { ...files, ...changes };
  const all = checkHost({
    nodeVersion: 'v20.19.0',
    kernelRelease: '6.1.0-40-amd64',
    permissionHint: 'sudo kscope doctor',
    read: (path) => there[path],
    exists: (path) => there[path] !== undefined,
    ...facts,
  });
  return all.find((one) => one.name === name) ?? assert.fail(`no check ${name}`);
}

test('a usual machine is good in everything', () => {
  const names = [
    'node',
    'kernel',
    'capabilities',
    'BTF',
    'tracefs',
    'lockdown',
    'kptr_restrict',
    'locked memory',
    'cgroup v2',
  ];
  assert.deepEqual(
    names.map((name) => check(name).state),
    names.map(() => 'good'),
  );
});

test('where only root opens tracepoints, that is said', () => {
  const setting = '/proc/sys/kernel/perf_event_paranoid';
  assert.equal(check('perf_event_paranoid').found, '2');
  assert.equal(check('perf_event_paranoid', { [setting]: '3\n' }).found, '3: tracepoints need CAP_SYS_ADMIN');
});

test('each problem has a remedy', () => {
  const status = '/proc/self/status';
  const problems = [
    check('node', {}, { nodeVersion: 'v20.9.1' }),
    check('node', {}, { nodeVersion: 'v18.20.0' }),
    check('kernel', {}, { kernelRelease: '4.18.0-553.el8' }),
    check('capabilities', { [status]: 'CapEff:\t0000000000000000\n' }),
    check('capabilities', { [status]: undefined }),
    check('BTF', { '/sys/kernel/btf/vmlinux': undefined }),
    check('tracefs', { '/sys/kernel/tracing/events': undefined }),
    check('lockdown', { '/sys/kernel/security/lockdown': 'none integrity [confidentiality]\n' }),
    check('kptr_restrict', { '/proc/sys/kernel/kptr_restrict': '2\n' }),
    check(
      'locked memory',
      { '/proc/self/limits': 'Max locked memory  65536  65536  bytes\n' },
      { kernelRelease: '5.10.0' },
    ),
    check('cgroup v2', { '/proc/self/mountinfo': '31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n' }),
  ];
  for (const { name, state, found, remedy } of problems) {
    assert.notEqual(state, 'good', name);
    assert.ok(found.length > 0 && (remedy ?? '').length > 0, name);
  }
});

test('versions are compared by their numbers', () => {
  const state = (nodeVersion: string) => check('node', {}, { nodeVersion }).state;
  assert.deepEqual(['v20.19.0', 'v20.20.1', 'v22.0.0', 'v100.1.0'].map(state), ['good', 'good', 'good', 'good']);
  assert.deepEqual(['v20.18.3', 'v20.2.0', 'v9.99.0'].map(state), ['bad', 'bad', 'bad']);
});

test('the two small capabilities are as good as the big one', () => {
  const state = (bits: bigint) =>
    check('capabilities', { '/proc/self/status': `CapEff:\t${bits.toString(16).padStart(16, '0')}\n` }).state;
  assert.equal(state(1n << 21n), 'good');
  assert.equal(state((1n << 38n) | (1n << 39n)), 'good');
  assert.equal(state(1n << 39n), 'bad');
  assert.equal(state(1n << 38n), 'bad');
});

test('locked memory does not matter where it is not counted', () => {
  const small = { '/proc/self/limits': 'Max locked memory  65536  65536  bytes\n' };
  assert.equal(check('locked memory', small, { kernelRelease: '5.11.0' }).state, 'good');
});

const diagnosis: Diagnosis = {
  checks: [
    { name: 'node', state: 'good', found: 'v20.19.0' },
    { name: 'kptr_restrict', state: 'poor', found: '2: hidden', remedy: 'sysctl kernel.kptr_restrict=1' },
  ],
  features: [
    { name: 'ring_buffer', supported: true, reason: '' },
    { name: 'kprobe', supported: false, reason: 'the kernel is built without kprobes' },
    { name: 'lsm', supported: undefined, reason: 'not permitted to try' },
  ],
  tools: [
    { name: 'rows', hooks: [{ program: 'on_event', hook: 'tracepoint fake:event' }] },
    { name: 'flood', hooks: [], problem: 'the kernel has no function f\x1b[0m' },
  ],
};

test('the report shows what was found, and what to do at the end', () => {
  assertGolden('doctor/report.txt', report(diagnosis));
  assertGolden('doctor/report.jsonl', jsonLines(diagnosis));
});

test('all is well when nothing is bad and every tool runs', () => {
  const [good] = diagnosis.tools;
  assert.equal(isWell(diagnosis), false);
  assert.equal(isWell({ ...diagnosis, tools: good === undefined ? [] : [good] }), true);
  assert.equal(isWell({ checks: [{ name: 'BTF', state: 'bad', found: 'missing' }], features: [], tools: [] }), false);
});

test('a tool whose object is missing is a finding, not an accident', { timeout: 60_000 }, async () => {
  const { status, stdout, stderr } = await startFake(['-', 'doctor', '--json']).ended;
  assert.equal(stderr, '');
  assert.equal(status, 3);
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const rows = lines.find(({ type, name }) => type === 'tool' && name === 'rows');
  assert.equal(rows.runs, false);
  assert.ok(lines.some(({ type, name }) => type === 'check' && name === 'libbpf'));
});
