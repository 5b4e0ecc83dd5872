import { functionsTaking } from '../bpf/functions-taking.ts';
import { kernelBtf } from '../bpf/kernel-btf.ts';
import type { BpfProgram } from '../bpf/program.ts';
import { KscopeError } from '../model/errors.ts';
import { once } from '../model/once.ts';
import { kernelFunctions } from '../probes/kernel-functions.ts';
import { attachKprobes, attachMulti } from './probe-points.ts';

const POSITIONS = [1, 2, 3, 4, 5] as const;
/** Functions that are hooked one by one: each takes some milliseconds, and as much at the end. */
const ONE_BY_ONE_MAX = 1000;

type Kind = 'multi' | 'kprobe';
type ProgramName<K extends Kind> = `argument${(typeof POSITIONS)[number]}__${K}`;

function names<const K extends Kind>(kind: K): ProgramName<K>[] {
  return POSITIONS.map((position): ProgramName<K> => `argument${position}__${kind}`);
}

/**
 * How to attach programs to all functions of the kernel that take a pointer to a structure and whose names match:
 * ARGUMENT_POINTS of bpf/include/probe-points.h makes one for each place that the argument can have. `all` hooks them in
 * one step (kprobe.multi), `each` one by one.
 */
export function atFunctionsTaking<V extends object>(structure: string, pattern: (values: V) => RegExp | undefined) {
  // Looked for once in each run, and not for each position.
  const functionsOf = once((values: V) => {
    const wanted = pattern(values);
    const taking = functionsTaking(kernelBtf(), structure);
    const matches = (name: string) => taking.has(name) && (wanted === undefined || wanted.test(name));
    const { functions } = kernelFunctions(matches);
    if (functions.length === 0) {
      throw new KscopeError('usage', `no function that takes a ${structure} matches ${wanted}`);
    }
    return { taking, functions };
  });
  const attach = (kind: Kind) => (position: number) => (program: BpfProgram, values: V) => {
    const wanted = pattern(values);
    const { functions, taking } = functionsOf(values);
    if (kind === 'kprobe' && functions.length > ONE_BY_ONE_MAX) {
      throw new KscopeError(
        'usage',
        `${wanted} matches ${functions.length} functions: ${ONE_BY_ONE_MAX} can be traced`,
      );
    }
    const here = functions.filter((name) => taking.get(name) === position);
    if (kind === 'kprobe') {
      attachKprobes(program, here);
    } else if (here.length > 0) {
      attachMulti(program, here);
    }
  };
  const by = <const K extends Kind>(kind: K) =>
    Object.fromEntries(names(kind).map((name, i) => [name, attach(kind)(i + 1)])) as Record<
      ProgramName<K>,
      (program: BpfProgram, values: V) => void
    >;
  return { all: names('multi'), each: names('kprobe'), by: { ...by('multi'), ...by('kprobe') } };
}
