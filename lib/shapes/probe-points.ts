import type { BpfProgram } from '../bpf/program.ts';
import { KscopeError } from '../model/errors.ts';
import { escapeText } from '../model/escape.ts';
import { once } from '../model/once.ts';
import { type FoundProbes, findProbes, listedFunctions } from '../probes/find.ts';
import { kernelAddresses, sharedNames, sharingFunctions } from '../probes/kernel-functions.ts';
import { type ProbePattern, parseProbePattern } from '../probes/pattern.ts';
import { attachToAll, sharedName } from '../probes/shared-name.ts';
import { demangle } from '../system/symbols/demangle.ts';
import { KernelSymbols } from '../system/symbols/kernel.ts';
import { flag, type Option } from './options.ts';
import { attachOne, attachToPlaces, otherPlans, userPlans } from './places.ts';

/** Places that are attached to one by one: each takes some milliseconds, and as much at the end. */
const ONE_BY_ONE_MAX = 1000;

/** Places of programs that are attached to at once: a process that runs into all of them is slow enough. */
const AT_ONCE_MAX = 20_000;

interface PointValues {
  readonly pattern: ProbePattern;
  readonly regexp: boolean;
  readonly pid?: number | undefined;
}

const patternOption: Option<ProbePattern, never> = {
  flags: '<pattern>',
  summary: "functions or events: 'vfs_*', 'c:malloc', 't:sched:*', 'u:/usr/bin/node:gc__*'",
  parse: parseProbePattern,
};

/** The options of tools that trace what the user names. */
export const probePointOptions = {
  pattern: patternOption,
  regexp: flag('-r, --regexp', 'the pattern is a regular expression, not one with * and ?'),
};

/** What a pattern stands for in this run, and the names of the places by the numbers that programs see. */
class ProbePoints {
  readonly found: FoundProbes;
  /** Names that are left out because they are those of several functions. */
  ambiguous: readonly string[] = [];
  /** Those that the kernel cannot put a breakpoint at. */
  refused: readonly string[] = [];
  readonly #names: string[] = [];
  #symbols: KernelSymbols | undefined;

  constructor({ pattern, regexp, pid }: PointValues) {
    this.found = findProbes(pattern, { regularExpression: regexp, pid });
  }

  /** @returns the number by which programs know the place */
  add(name: string): number {
    return this.#names.push(name) - 1;
  }

  nameOf(id: bigint): string {
    if (this.found.kind !== 'kernel') {
      return this.#names[Number(id)] ?? '?';
    }
    const [only = '', another] = this.found.functions;
    const single = another === undefined;
    if (single && sharingFunctions(only) === undefined) {
      return only;
    }
    this.#symbols ??= new KernelSymbols();
    const { symbol, offset = 0 } = this.#symbols.resolve(id);
    const start = `0x${(id - BigInt(offset)).toString(16)}`;
    return symbol === undefined ? start : single ? `${symbol} at ${start}` : symbol;
  }
}

/** A pattern is read once for each run. */
const pointsOf = once(
  (values: PointValues) => new ProbePoints(values),
  ({ pattern }) => pattern,
);

/** Name of the place that a program was called at: `id` is what bpf/include/probe-points.h gives it. */
export function probePointName(id: bigint, values: PointValues): string {
  return pointsOf(values).nameOf(id);
}

/** How many places a pattern stands for, at most: what is kept for each needs no more room. */
export function probePointCount(values: PointValues): number {
  const { found } = pointsOf(values);
  switch (found.kind) {
    case 'kernel':
      // Names of which some are those of several functions.
      return found.functions.length === 1
        ? (sharingFunctions(found.functions[0] ?? '')?.addresses.length ?? 1)
        : Math.min(1024 + 4 * found.functions.length, 65_536);
    case 'tracepoint':
      return found.events.length;
    default:
      return found.files.reduce((sum, { places }) => sum + places.length, 0);
  }
}

/** What of a pattern is not traced; all that, when everything is attached. */
export function probePointWarnings(values: PointValues): string[] {
  const { found, ambiguous, refused } = pointsOf(values);
  return [...ofSharedName(found), ...notTraced(found.denied ?? [], ambiguous, refused)];
}

/** What is to be said of a single name that is not that of one function. */
function ofSharedName(found: FoundProbes): readonly string[] {
  return found.kind === 'kernel' ? sharedNameWarnings(found.functions) : [];
}

/**
 * Attaches to functions of the kernel at once; by their addresses where names are not those of one only.
 * @returns names that are left out because they are those of several functions
 */
export function attachMulti(
  program: BpfProgram,
  functions: readonly string[],
  details: { return?: boolean } = {},
): readonly string[] {
  const [only = '', another] = functions;
  const shared = another === undefined ? sharingFunctions(only) : undefined;
  if (shared !== undefined) {
    attachToAll(only, shared, () => program.attachKprobeAddresses(BigUint64Array.from(shared.addresses), details));
    return [];
  }
  const known = another === undefined ? undefined : kernelAddresses(functions);
  if (known === undefined) {
    saysWhyNot(functions, details.return, () => program.attachKprobeMulti(functions, details));
    return [];
  }
  program.attachKprobeAddresses(known.addresses, details);
  return known.ambiguous;
}

/** Attaches to functions of the kernel one by one, and to all of a name. @param details where they return */
export function attachKprobes(
  program: BpfProgram,
  functions: readonly string[],
  details: { return?: boolean } = {},
): void {
  const [only, another] = functions;
  const one = only === undefined || another !== undefined ? undefined : sharingFunctions(only);
  const shared = another === undefined ? new Map(one && [[only, one]]) : sharedNames(functions);
  for (const name of functions) {
    const sharing = shared.get(name);
    if (sharing === undefined) {
      saysWhyNot(functions, details.return, () => program.attachKprobe(name, details));
    } else {
      attachToAll(name, sharing, () => sharing.addresses.map((address) => program.attachKprobe(address, details)));
    }
  }
}

/** Attaches; a single function was not looked for before, and may be none. @throws KscopeError usage for such a one */
function saysWhyNot(functions: readonly string[], returns: boolean | undefined, attach: () => unknown): void {
  try {
    attach();
  } catch (error) {
    const [name = '', another] = functions;
    if (another === undefined && error instanceof KscopeError && error.code !== 'permission') {
      listedFunctions({ text: name, kind: 'kernel', where: '', name }, { returns: returns === true });
    }
    throw error;
  }
}

/** Says of a single function that others share its name, and are traced, too. */
export function sharedNameWarnings(functions: readonly string[]): readonly string[] {
  const [name = '', another] = functions;
  const shared = another === undefined ? sharingFunctions(name) : undefined;
  return shared === undefined ? [] : [`${sharedName(name, shared)} are traced`];
}

/** Warnings about names that match and are not traced. */
export function notTraced(
  denied: readonly string[],
  ambiguous: readonly string[],
  refused: readonly string[],
): string[] {
  return [
    ...(denied.length > 0 ? [`not traced, since that must not be: ${some(denied)}`] : []),
    ...(ambiguous.length > 0 ? [`not traced, since other functions have the same names: ${some(ambiguous)}`] : []),
    ...(refused.length > 0 ? [`not traced, since the kernel cannot stop there: ${some(refused)}`] : []),
  ];
}

function some(names: readonly string[]): string {
  const shown = names.slice(0, 10).map(escapeText).join(', ');
  return names.length > 10 ? `${shown} and ${names.length - 10} more` : shown;
}

/** Without a pattern the question is whether there is anything that could be named: there always are events. */
function kindOf(values: PointValues): FoundProbes['kind'] {
  return (values.pattern as ProbePattern | undefined) === undefined ? 'tracepoint' : pointsOf(values).found.kind;
}

const programs = {
  kernel: [['function__multi'], ['function__kprobe']],
  tracepoint: [['tracepoint_event']],
  user: [['user_function__multi'], ['user_function']],
} as const;

/** How to attach the programs of bpf/include/probe-points.h, for `attach`. */
export const atProbePoints = {
  either: (values: PointValues) => {
    const kind = kindOf(values);
    return kind === 'user' ? userPlans(values, programs.user) : programs[kind];
  },
  unwanted: (values: PointValues) => [
    ...Object.entries(programs).flatMap(([kind, plans]) => (kind === kindOf(values) ? [] : plans.flat())),
    ...(kindOf(values) === 'user' ? otherPlans(values, programs.user) : []),
  ],
  by: {
    function__multi: (program: BpfProgram, values: PointValues) => {
      const own = pointsOf(values);
      if (own.found.kind === 'kernel') {
        own.ambiguous = attachMulti(program, own.found.functions);
      }
    },
    function__kprobe: (program: BpfProgram, values: PointValues) => {
      const { found } = pointsOf(values);
      const functions = found.kind === 'kernel' ? found.functions : [];
      refuseTooMany(functions.length, values, program);
      attachKprobes(program, functions);
    },
    tracepoint_event: (program: BpfProgram, values: PointValues) => {
      const own = pointsOf(values);
      const events = own.found.kind === 'tracepoint' ? own.found.events : [];
      refuseTooMany(events.length, values, program);
      for (const { category, name } of events) {
        const cookie = own.add(`${category}:${name}`);
        attachOne(cookie, () => program.attachTracepoint(category, name, { cookie }));
      }
    },
    user_function__multi: attachToUser,
    user_function: attachToUser,
  },
};

function attachToUser(program: BpfProgram, values: PointValues): void {
  const own = pointsOf(values);
  const files = own.found.kind === 'user' ? own.found.files : [];
  const places = files.flatMap(({ path, places }) =>
    places.map((place) => ({ ...place, path, number: own.add(demangle(place.name)) })),
  );
  refuseTooMany(places.length, values, program);
  const refused = attachToPlaces(program, places, values.pid === undefined ? {} : { pid: values.pid });
  own.refused = refused.map(({ name }) => demangle(name));
}

/** How to attach the programs of KERNEL_POINTS to all functions of the kernel that match one pattern, and their names. */
export function atKernelFunctions(text: string) {
  const values: PointValues = { pattern: parseProbePattern(text), regexp: false };
  const { function__multi: multi, function__kprobe: kprobe } = atProbePoints.by;
  return {
    attach: {
      either: programs.kernel,
      by: {
        function__multi: (program: BpfProgram) => multi(program, values),
        function__kprobe: (program: BpfProgram) => kprobe(program, values),
      },
    },
    nameOf: (id: bigint) => probePointName(id, values),
  };
}

export function refuseTooMany(
  count: number,
  { pattern }: Pick<PointValues, 'pattern'>,
  { section }: Pick<BpfProgram, 'section'>,
): void {
  const most = section.endsWith('.multi') ? AT_ONCE_MAX : ONE_BY_ONE_MAX;
  if (count > most) {
    throw new KscopeError('usage', `'${pattern.text}' matches ${count} places: ${most} can be traced`, {
      hint: 'a longer pattern means fewer',
    });
  }
}
