import type { FeatureAnswer } from './features.ts';
import { type Hook, parseSection } from './hooks.ts';

export interface Candidate {
  readonly name: string;
  readonly section: string;
}

/** How to pick programs of an object when a kernel cannot take all of them. */
export interface ChoiceRules {
  /** Plans, best first: sets of programs of which exactly one is used. */
  readonly either?: readonly (readonly string[])[];
  /** Programs that are left out, without a complaint, where the kernel lacks their hook. */
  readonly optional?: readonly string[];
  /** What else is missing here, when something is. */
  readonly lacks?: string;
  /** Programs that are not wanted in this run. */
  readonly unwanted?: readonly string[];
  /** Functions of the kernel that programs aim at whose section does not name one. */
  readonly targets?: Readonly<Record<string, string>>;
}

export interface Choice {
  readonly chosen: readonly string[];
  /** Why each of the others is left out. */
  readonly rejected: readonly { readonly program: string; readonly reason: string }[];
  /** Why the object cannot be used, when it cannot. */
  readonly problem?: string;
}

// Cheapest and most stable first, and last what only sees a part; twins `NAME__fexit` and `NAME__kprobe` need no rule.
const preference = ['tp_btf', 'raw_tp', 'tp', 'fentry', 'fexit', 'kprobe', 'kretprobe', 'cgroup'];
const twin = new RegExp(`^(.+)__(${preference.join('|')})$`);

/** Sets of programs, best first, of which the first that the kernel can take is used. */
export interface Alternatives {
  readonly plans: readonly (readonly string[])[];
  /** Whether the object is of no use where the kernel can take none of them. */
  readonly needed: boolean;
}

/** What there is to choose among programs, as far as they are wanted. */
export function alternatives(candidates: readonly Candidate[], rules: ChoiceRules): readonly Alternatives[] {
  const { either = [] } = rules;
  const unwanted = new Set(rules.unwanted);
  const optional = new Set(rules.optional);
  const planned = new Set(either.flat());
  const groups = new Map<string, Map<string, string[]>>();
  for (const { name } of candidates) {
    if (!planned.has(name) && !unwanted.has(name)) {
      const [, base = name, kind = ''] = twin.exec(name) ?? [];
      const group = groups.get(base) ?? new Map<string, string[]>();
      // The two halves of an entry and return pair stand or fall together.
      const key = kind === 'kretprobe' ? 'kprobe' : kind === 'fexit' ? 'fentry' : kind;
      group.set(key, [...(group.get(key) ?? []), name]);
      groups.set(base, group);
    }
  }
  const twins = [...groups.values()].map((group) => {
    const sorted = [...group].sort(([a], [b]) => preference.indexOf(a) - preference.indexOf(b));
    const plans = sorted.map(([, names]) => names);
    return { plans, needed: !plans.flat().every((name) => optional.has(name)) };
  });
  const first = either.map((plan) => plan.filter((name) => !unwanted.has(name)));
  return rules.either === undefined ? twins : [{ plans: first, needed: true }, ...twins];
}

/**
 * Picks the programs to load.
 * @param canAttach asks the kernel about one section
 * @param failed programs that were tried and did not load or attach
 */
export function choosePrograms(
  candidates: readonly Candidate[],
  rules: ChoiceRules,
  canAttach: (section: string) => FeatureAnswer,
  failed: ReadonlyMap<string, string> = new Map(),
): Choice {
  const sections = new Map(candidates.map(({ name, section }) => [name, aimed(section, rules.targets?.[name])]));
  const rejected = new Map<string, string>();
  const chosen = new Set<string>();
  const problems: string[] = rules.lacks === undefined ? [] : [rules.lacks];

  const answers = new Map<string, FeatureAnswer>();
  const why = (name: string): string | undefined => {
    const before = failed.get(name);
    if (before !== undefined) {
      return before;
    }
    const section = sections.get(name);
    if (section === undefined) {
      return 'the object has no such program';
    }
    let answer = answers.get(section);
    if (answer === undefined) {
      answer = canAttach(section);
      answers.set(section, answer);
    }
    return answer.supported === false ? answer.reason : undefined;
  };

  const take = ({ plans, needed }: Alternatives): void => {
    const usable = plans.findIndex((plan) => plan.every((name) => why(name) === undefined));
    plans.forEach((plan, index) => {
      for (const name of plan) {
        if (index === usable) {
          chosen.add(name);
        } else if (!chosen.has(name)) {
          rejected.set(
            name,
            why(name) ?? (usable < 0 || index < usable ? 'a program it needs is missing' : 'not needed'),
          );
        }
      }
    });
    if (usable < 0 && needed) {
      problems.push(
        ...new Set(plans.flatMap((plan) => plan.map((name) => why(name))).filter((text) => text !== undefined)),
      );
    }
  };

  alternatives(candidates, rules).forEach(take);
  for (const name of rules.unwanted ?? []) {
    if (sections.has(name)) {
      rejected.set(name, 'not needed');
    }
  }
  if (chosen.size === 0 && problems.length === 0) {
    problems.push(...new Set(rejected.values()));
  }
  return {
    chosen: [...chosen],
    rejected: [...rejected].map(([program, reason]) => ({ program, reason })),
    ...(problems.length > 0 && { problem: [...new Set(problems)].join('; ') }),
  };
}

/** The section that a program would have that aims at a function from the start. */
export function aimed(section: string, target: string | undefined): string {
  return target === undefined ? section : `${section}/${target}`;
}

/** How messages name a hook: 'tracepoint syscalls:sys_exit_openat', 'fexit tcp_v4_connect'. */
export function describeHook(section: string): string {
  const { kind, target }: Hook = parseSection(section);
  if (target === '') {
    return kind;
  }
  // At the entry of a function or at its return: the way to attach is the same.
  const name = kind === 'kprobe_multi' ? section.slice(0, section.indexOf('/')) : kind;
  return `${name} ${kind === 'tracepoint' ? target.replace('/', ':') : target}`;
}
