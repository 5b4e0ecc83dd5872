import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type CaseResult,
  caseTable,
  decoderTargets,
  probeTable,
  type Row,
  sentence,
  targetLines,
  targetsOf,
} from '../bench/report.ts';

const MIB = 2 ** 20;

function row(name: string, details: Partial<Row> = {}): Row {
  return { name, attached: 100, added: 1000, cpu: 500, lost: 0, memory: 80 * MIB, ...details };
}

function result(rows: readonly Row[], details: Partial<CaseResult> = {}): CaseResult {
  return {
    tool: 'opensnoop',
    name: 'opensnoop',
    generic: false,
    unit: 'open',
    count: 10,
    silent: false,
    untraced: 2000,
    spread: 0.04,
    rows,
    ...details,
  };
}

const ours = row('kscope', { added: 100, cpu: 50, idle: 0.002 });
const libbpf = row('libbpf-tools', { attached: 50, memory: 13 * MIB });
const bpftrace = row('bpftrace', { attached: 90, cpu: 800, memory: 100 * MIB, lost: 3 });

test('a table has a line for each tracer, ratios to libbpf-tools, and the problem of one that did not run', () => {
  const bcc = row('bcc', { problem: 'bcc does not trace: no headers' });
  assert.equal(
    caseTable(result([ours, libbpf, bpftrace, bcc])),
    `opensnoop     attached  CPU each  ratio  added each          ratio  lost   memory  idle CPU
kscope          100 ms     50 ns  0.100      100 ns   5.0 %  0.100     0   80 MiB    0.20 %
libbpf-tools     50 ms    500 ns  1.000     1000 ns  50.0 %  1.000     0   13 MiB         -
bpftrace         90 ms    800 ns  1.600     1000 ns  50.0 %  1.000     3  100 MiB         -
bcc           bcc does not trace: no headers
10 times one open, 2000 ns (± 2 %) when nobody traces
`,
  );
});

test('where libbpf-tools has no such tool, or it does not run, bpftrace is what we are measured against', () => {
  const broken = row('libbpf-tools', { problem: 'no kprobes' });
  for (const rows of [
    [ours, bpftrace],
    [ours, broken, bpftrace],
  ]) {
    const cpu = targetsOf(result(rows)).find(({ what }) => what.includes('CPU for each event'));
    assert.equal(cpu?.value, 50 / 800);
  }
});

test('what was promised of tools that print events, and of those that sum up', () => {
  const promises = (one: CaseResult) =>
    targetsOf(one).map(({ what, value, limit }) => [what.replace('opensnoop: ', ''), value, limit]);
  assert.deepEqual(promises(result([ours, libbpf, bpftrace])), [
    ['CPU for each event, of the peer', 0.1, 0.12],
    ['time added, of the peer', 0.1, 0.15],
    ['events lost', 0, 0],
    ['time to attached, of bpftrace', 100 / 90, 1.2],
    ['peak memory, of bpftrace', 0.8, 1],
    ['idle CPU', 0.002, 0.005],
  ]);
  assert.deepEqual(promises(result([row('kscope'), libbpf], { silent: true })), [
    ['time added, of the peer', 1, 1],
    ['time to attached, of bpftrace', undefined, 1.2],
    ['peak memory, of bpftrace', undefined, 1],
  ]);
});

test('a target is met, missed, or there is nothing to compare with', () => {
  const target = { what: 'a', limit: 1 };
  assert.deepEqual(
    targetLines([
      { ...target, value: 1 },
      { ...target, value: 1.01 },
      { ...target, value: undefined },
    ]).split('\n'),
    ['met      a: 1.000 (limit 1)', 'MISSED   a: 1.010 (limit 1)', 'nothing to compare with a: - (limit 1)', ''],
  );
});

test('the sentence for the manual page', () => {
  assert.equal(
    sentence(result([ours, libbpf])),
    'what takes 2.0 µs (one open) takes 0.10 µs longer and 0.05 µs of processor time of the tool. ' +
      'With libbpf-tools it takes 1.0 µs longer and 0.50 µs of processor time.',
  );
  assert.equal(sentence(result([row('kscope', { problem: 'none' }), libbpf])), '');
  // Noise, which the machine cannot have become faster by.
  for (const added of [-50, 90]) {
    assert.match(sentence(result([row('kscope', { added })])), / takes not measurably longer and 0\.50 µs /);
  }
  assert.match(sentence(result([row('kscope', { cpu: 3 })])), / longer and less than 0\.01 µs of /);
});

test('probes that a kernel lacks say why', () => {
  assert.equal(
    probeTable([
      { kind: 'tracepoint', call: 60, added: 90 },
      { kind: 'kprobe', call: 60, added: undefined, problem: 'built without' },
    ]),
    'a probe that does nothing   call  added\ntracepoint                 60 ns  90 ns\nkprobe                     built without\n',
  );
});

test('what was promised of decoding is about the commonest records', () => {
  const costs = [
    { text: 'usual', each: 190 },
    { text: 'long', each: 400 },
  ];
  assert.match(targetLines(decoderTargets(costs)), /^met +nanoseconds to decode a record: 190\.000 \(limit 200\)\n$/);
  assert.match(targetLines(decoderTargets([])), /^nothing to compare with /);
});
