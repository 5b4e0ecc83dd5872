import { type Alternatives, alternatives, type Candidate, type ChoiceRules, describeHook } from '../bpf/choose.ts';
import { parseSection } from '../bpf/hooks.ts';
import { objectSpec } from '../bpf/object-file.ts';
import type { Tool } from '../shapes/definition.ts';
import { roffEntry, roffProse } from './roff.ts';

/** For HOOKS: where the programs of a tool are attached, and which of several places the kernel decides about. */
export function hookLines(tool: Tool): readonly string[] {
  const { programs } = objectSpec(tool.skeleton);
  if (programs.length === 0) {
    return roffProse('None: nothing runs in the kernel.');
  }
  if (tool.shape === 'custom') {
    return roffProse('Those that the arguments name.');
  }
  return hookEntries(programs, tool.rules({})).flatMap(([term, meaning]) => roffEntry(term, `${meaning}.`));
}

/** Hooks, by how they are chosen. */
export function hookEntries(
  programs: readonly Candidate[],
  rules: ChoiceRules,
): readonly (readonly [term: string, hooks: string])[] {
  const sections = new Map(programs.map(({ name, section }) => [name, section]));
  const section = (name: string) => sections.get(name) ?? '';
  const hooks = (names: readonly string[]) => described(names.map(section));
  const isPlaced = (name: string) => parseSection(section(name)).target !== '';
  const unplaced = programs.map(({ name }) => name).filter((name) => !isPlaced(name));
  const isSample = (name: string) => section(name) === 'perf_event';
  // What is optional may be part of a plan on one architecture only: the page is the same on all.
  const either = rules.either?.map((plan) => plan.filter((name) => rules.optional?.includes(name) !== true));
  const groups = alternatives(programs, { ...rules, ...(either !== undefined && { either }) })
    .map(({ plans, ...group }) => {
      // Plans that only differ in what the verifier takes are at the same places.
      const places = new Map(plans.map((plan) => [hooks(plan), plan]));
      return { ...group, plans: [...places.values()] };
    })
    .filter(({ plans }) => plans.flat().some(isPlaced));
  const single = (need: boolean) =>
    groups.flatMap(({ plans, needed }) => (plans.length === 1 && needed === need ? plans.flat() : []));
  const entries: readonly (readonly [term: string, hooks: string])[] = [
    ['Usually', hooks(single(true))],
    ...merged(groups.filter(({ plans }) => plans.length > 1)).map(
      ({ plans, needed }) =>
        [`The first that the kernel has${needed ? '' : ', if any'}`, plans.map(hooks).join('; or ')] as const,
    ),
    ['Where the kernel has it', hooks(single(false))],
    ['With some options', hooks((rules.unwanted ?? []).filter(isPlaced))],
    ['At places that are chosen when it starts', hooks(unplaced.filter((name) => !isSample(name)))],
    ['At samples of processors', hooks(unplaced.filter(isSample))],
  ];
  return entries.filter(([, found]) => found !== '');
}

/** 'fentry vfs_read and vfs_write, tracepoint sched:sched_switch': the kind is said once. */
function described(sections: readonly string[]): string {
  const targets = new Map<string, string[]>();
  for (const section of new Set(sections)) {
    const [kind = '', target] = describeHook(section).split(' ');
    targets.set(kind, [...(targets.get(kind) ?? []), ...(target === undefined ? [] : [target])]);
  }
  return [...targets].map(([kind, places]) => `${kind} ${listed(places)}`.trimEnd()).join(', ');
}

function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

/** Twins, as `read__fexit` and `read__kprobe`, are decided about one by one, by one rule: they are one entry. */
function merged(groups: readonly Alternatives[]): readonly Alternatives[] {
  const found = new Map<string, Alternatives>();
  for (const group of groups) {
    const kinds = group.plans.map((plan) => plan.map((name) => name.replace(/^.*__/, '')).join()).join(';');
    const key = `${group.needed} ${kinds}`;
    const plans = found.get(key)?.plans ?? [];
    found.set(key, { ...group, plans: group.plans.map((plan, i) => [...(plans[i] ?? []), ...plan]) });
  }
  return [...found.values()];
}
