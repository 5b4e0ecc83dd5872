import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Candidate, type ChoiceRules, choosePrograms, describeHook } from '../../lib/bpf/choose.ts';
import type { FeatureAnswer } from '../../lib/bpf/features.ts';
import { parseSection } from '../../lib/bpf/hooks.ts';

/** Programs named 'BASE__KIND', in the section that follows from it. */
function candidates(...names: string[]): Candidate[] {
  return names.map((name) => ({ name, section: `${name.split('__')[1] ?? 'tp'}/${name.split('__')[0]}` }));
}

/** A kernel that has every hook but those whose section matches. */
function lacking(missing: RegExp = /^$/): (section: string) => FeatureAnswer {
  return (section) =>
    missing.test(section) ? { supported: false, reason: `no ${section}` } : { supported: true, reason: '' };
}

function choose(programs: Candidate[], rules: ChoiceRules = {}, missing?: RegExp, failed?: Record<string, string>) {
  const choice = choosePrograms(programs, rules, lacking(missing), new Map(Object.entries(failed ?? {})));
  return {
    chosen: [...choice.chosen].sort(),
    rejected: Object.fromEntries(choice.rejected.map(({ program, reason }) => [program, reason])),
    problem: choice.problem,
  };
}

test('programs without alternatives are all taken', () => {
  assert.deepEqual(choose(candidates('a__tp', 'b__tp_btf', 'c')), {
    chosen: ['a__tp', 'b__tp_btf', 'c'],
    rejected: {},
    problem: undefined,
  });
});

test('one that the kernel lacks, and that has no alternative, is a problem', () => {
  const { problem, chosen } = choose(candidates('a__tp', 'b__tp_btf'), {}, /^tp_btf/);
  assert.equal(problem, 'no tp_btf/b');
  assert.deepEqual(chosen, ['a__tp']);
});

test('of twins the cheapest that the kernel has is taken, in whichever order they are written', () => {
  const twins = ['x__cgroup', 'x__kprobe', 'x__fentry', 'x__tp', 'x__raw_tp', 'x__tp_btf'];
  const best = ['x__tp_btf', 'x__raw_tp', 'x__tp', 'x__fentry', 'x__kprobe', 'x__cgroup'];
  const kinds = ['tp_btf', 'raw_tp', 'tp', 'fentry', 'kprobe', 'cgroup'];
  for (const programs of [twins, twins.toReversed()]) {
    for (const [i, name] of best.entries()) {
      const gone = new RegExp(`^(${kinds.slice(0, i).join('|') || '-'})/`);
      const { chosen, rejected, problem } = choose(candidates(...programs), {}, gone);
      assert.deepEqual(chosen, [name]);
      assert.equal(problem, undefined);
      assert.deepEqual(Object.keys(rejected).sort(), best.filter((other) => other !== name).sort());
      for (const [other, reason] of Object.entries(rejected)) {
        assert.equal(reason, best.indexOf(other) < i ? `no ${other.split('__')[1]}/x` : 'not needed');
      }
    }
  }
});

test('the same reason of several programs is said once', () => {
  const missing = choosePrograms(candidates('a__tp', 'b__tp'), {}, () => ({ supported: false, reason: 'locked down' }));
  assert.equal(missing.problem, 'locked down');
});

test('no twin at all is a problem that names each', () => {
  const { chosen, problem } = choose(candidates('x__fentry', 'x__kprobe'), {}, /./);
  assert.deepEqual(chosen, []);
  assert.equal(problem, 'no fentry/x; no kprobe/x');
});

test('the two halves of a pair stand or fall together', () => {
  const pairs = candidates('x__fentry', 'x__fexit', 'x__kprobe', 'x__kretprobe');
  assert.deepEqual(choose(pairs).chosen, ['x__fentry', 'x__fexit']);
  const { chosen, rejected } = choose(pairs, {}, /^fexit/);
  assert.deepEqual(chosen, ['x__kprobe', 'x__kretprobe']);
  assert.deepEqual(rejected, { x__fentry: 'a program it needs is missing', x__fexit: 'no fexit/x' });
});

test('what is optional is left out without a complaint, and taken where it is', () => {
  const programs = candidates('a__tp', 'b__tp');
  const { chosen, rejected, problem } = choose(programs, { optional: ['b__tp'] }, /b$/);
  assert.deepEqual(chosen, ['a__tp']);
  assert.deepEqual(rejected, { b__tp: 'no tp/b' });
  assert.equal(problem, undefined);
  assert.deepEqual(choose(programs, { optional: ['b__tp'] }).chosen, ['a__tp', 'b__tp']);
});

test('twins and pairs that are optional are left out together', () => {
  const names = ['x__fentry', 'x__kprobe', 'x__kretprobe'];
  const { chosen, rejected, problem } = choose(candidates('a__tp', ...names), { optional: names }, /x$/);
  assert.deepEqual(chosen, ['a__tp']);
  assert.deepEqual(Object.keys(rejected).sort(), names);
  assert.equal(problem, undefined);
  assert.equal(choose(candidates('a__tp', ...names), { optional: ['x__fentry'] }, /x$/).problem?.split(';').length, 3);
});

test('when all are optional and the kernel has none, there is nothing to run', () => {
  const { chosen, problem } = choose(candidates('a__tp', 'b__tp'), { optional: ['a__tp', 'b__tp'] }, /./);
  assert.deepEqual(chosen, []);
  assert.equal(problem, 'no tp/a; no tp/b');
});

test('what is not wanted is left out, whatever the kernel has', () => {
  const { chosen, rejected, problem } = choose(candidates('a__tp', 'b__tp'), { unwanted: ['b__tp'] });
  assert.deepEqual(chosen, ['a__tp']);
  assert.deepEqual(rejected, { b__tp: 'not needed' });
  assert.equal(problem, undefined);
});

const plans: ChoiceRules = { either: [['a__fexit', 'b__fexit'], ['a__kprobe', 'b__kprobe'], ['c__tp_btf']] };
const planned = candidates('a__fexit', 'b__fexit', 'a__kprobe', 'b__kprobe', 'c__tp_btf', 'd__tp');

test('of several plans the first whose programs all have their hook is taken, and the rest as well', () => {
  assert.deepEqual(choose(planned, plans).chosen, ['a__fexit', 'b__fexit', 'd__tp']);
  assert.deepEqual(choose(planned, plans, /^fexit\/b/).chosen, ['a__kprobe', 'b__kprobe', 'd__tp']);
  assert.deepEqual(choose(planned, plans, /^(fexit|kprobe)/).chosen, ['c__tp_btf', 'd__tp']);
  const { problem } = choose(planned, plans, /^(fexit|kprobe|tp_btf)/);
  assert.equal(problem, 'no fexit/a; no fexit/b; no kprobe/a; no kprobe/b; no tp_btf/c');
});

test('a plan goes without what is not wanted', () => {
  const { chosen, problem } = choose(planned, { ...plans, unwanted: ['b__fexit'] }, /^fexit\/b/);
  assert.deepEqual(chosen, ['a__fexit', 'd__tp']);
  assert.equal(problem, undefined);
});

test('a plan with a program that the object does not have is never taken', () => {
  const { chosen, rejected } = choose(candidates('a__tp'), { either: [['missing__tp'], ['a__tp']] });
  assert.deepEqual(chosen, ['a__tp']);
  assert.deepEqual(rejected, { missing__tp: 'the object has no such program' });
});

test('what was tried and refused is not tried again', () => {
  const { chosen, rejected } = choose(candidates('x__fentry', 'x__kprobe'), {}, undefined, { x__fentry: 'EPERM' });
  assert.deepEqual(chosen, ['x__kprobe']);
  assert.deepEqual(rejected, { x__fentry: 'EPERM' });
  assert.equal(choose(candidates('x__fentry'), {}, undefined, { x__fentry: 'EPERM' }).problem, 'EPERM');
});

test('who does not know whether a hook is there lets it be tried', () => {
  const unknown = (): FeatureAnswer => ({ supported: undefined, reason: 'not permitted to try' });
  assert.deepEqual(choosePrograms(candidates('a__fentry', 'a__kprobe'), {}, unknown).chosen, ['a__fentry']);
});

test('a program whose section names no function is asked for with its own', () => {
  const bare = [
    { name: 'a__fentry', section: 'fentry' },
    { name: 'a__kprobe', section: 'kprobe' },
  ];
  const only =
    (known: string) =>
    (section: string): FeatureAnswer => ({ supported: section === known, reason: section });
  const targets = { a__fentry: 'f', a__kprobe: 'f' };
  assert.deepEqual(choosePrograms(bare, { targets }, only('fentry/f')).chosen, ['a__fentry']);
  assert.deepEqual(choosePrograms(bare, { targets }, only('kprobe/f')).chosen, ['a__kprobe']);
  assert.match(choosePrograms(bare, { targets }, only('fentry')).problem ?? '', /fentry\/f; kprobe\/f/);
});

test('the kernel is asked once for each section', () => {
  const asked: string[] = [];
  const answer = (section: string): FeatureAnswer => {
    asked.push(section);
    return { supported: false, reason: 'no' };
  };
  choosePrograms([...candidates('a__tp', 'a__kprobe'), { name: 'b', section: 'tp/a' }], {}, answer);
  assert.deepEqual(asked.toSorted(), ['kprobe/a', 'tp/a']);
});

const hooks: Readonly<Record<string, readonly [kind: string, target: string, described: string]>> = {
  'tp/syscalls/sys_exit_openat': ['tracepoint', 'syscalls/sys_exit_openat', 'tracepoint syscalls:sys_exit_openat'],
  'tracepoint/sched/sched_switch': ['tracepoint', 'sched/sched_switch', 'tracepoint sched:sched_switch'],
  'tp_btf/sched_process_exit': ['tp_btf', 'sched_process_exit', 'tp_btf sched_process_exit'],
  'raw_tp/sys_enter': ['raw_tp', 'sys_enter', 'raw_tp sys_enter'],
  'raw_tracepoint/sys_enter': ['raw_tp', 'sys_enter', 'raw_tp sys_enter'],
  'fentry.s/vfs_read': ['fentry', 'vfs_read', 'fentry vfs_read'],
  'lsm.s/file_open': ['lsm', 'file_open', 'lsm file_open'],
  '?kprobe/vfs_read': ['kprobe', 'vfs_read', 'kprobe vfs_read'],
  'kprobe.multi/vfs_*': ['kprobe_multi', 'vfs_*', 'kprobe.multi vfs_*'],
  'kretprobe.multi/vfs_*': ['kprobe_multi', 'vfs_*', 'kretprobe.multi vfs_*'],
  'uprobe//usr/bin/bash:readline': ['uprobe', '/usr/bin/bash:readline', 'uprobe /usr/bin/bash:readline'],
  'iter/task': ['iter', 'task', 'iter task'],
  perf_event: ['perf_event', '', 'perf_event'],
};

for (const [section, [kind, target, described]] of Object.entries(hooks)) {
  test(`the section ${section} is understood`, () => {
    assert.deepEqual(parseSection(section), { kind, target });
    assert.equal(describeHook(section), described);
  });
}

test('what is missing besides hooks is a problem as well', () => {
  assert.equal(choose(candidates('a__tp'), { lacks: 'there is no counter' }).problem, 'there is no counter');
  assert.equal(
    choose(candidates('a__tp'), { lacks: 'there is no counter' }, /a/).problem,
    'there is no counter; no tp/a',
  );
});
