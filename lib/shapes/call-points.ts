import type { BpfProgram } from '../bpf/program.ts';
import { KscopeError } from '../model/errors.ts';
import { once } from '../model/once.ts';
import { findProbes, type UserFile } from '../probes/find.ts';
import { sharingFunctions } from '../probes/kernel-functions.ts';
import { type ProbePattern, parseProbePattern } from '../probes/pattern.ts';
import { demangle } from '../system/symbols/demangle.ts';
import { KernelSymbols } from '../system/symbols/kernel.ts';
import { flag, type Option } from './options.ts';
import { attachToPlaces, otherPlans, userPlans } from './places.ts';
import { attachKprobes, attachMulti, notTraced, refuseTooMany, sharedNameWarnings } from './probe-points.ts';

interface CallValues {
  readonly pattern: ProbePattern | readonly ProbePattern[];
  readonly regexp: boolean;
  readonly kprobes: boolean;
  readonly force: boolean;
  readonly pid?: number | undefined;
  /** Registers of arguments are wanted: kprobes have them. */
  readonly arguments?: number | undefined;
}

const summary = "functions: 'vfs_read', 'vfs_*', 'c:malloc', '/usr/bin/node:uv_*'";

const onePattern: Option<ProbePattern, never> = { flags: '<pattern>', summary, parse: parseProbePattern };
const patterns: Option<readonly ProbePattern[], never> = {
  flags: '<pattern...>',
  summary,
  parse: (text) => [parseProbePattern(text)],
};

const modes = {
  regexp: flag('-r, --regexp', 'the pattern is a regular expression, not one with * and ?'),
  kprobes: flag('-k, --kprobes', 'use kprobes where fentry and fexit would do'),
  force: flag('--force', 'hook returns of functions also where that may crash the program, as in Go'),
};

/** The options of tools that trace calls of functions that the user names, from entry to return: one pattern... */
export const callPointOptions = { pattern: onePattern, ...modes };

/** ...or several. */
export const callPointsOptions = { pattern: patterns, ...modes };

interface UserCall {
  readonly path: string;
  readonly offset: number;
  readonly name: string;
}

/** What the patterns of a run stand for, and the names of the functions by the numbers that programs see. */
class CallPoints {
  /** Functions of the kernel; undefined when they are those of programs. */
  readonly kernel: readonly string[] | undefined;
  /** Functions of programs, in the order of their numbers. */
  readonly user: readonly UserCall[];
  readonly denied: readonly string[];
  readonly first: ProbePattern;
  /** Names that are left out because they are those of several functions. */
  ambiguous: readonly string[] = [];
  /** Those that the kernel cannot put a breakpoint at. */
  readonly refused = new Set<string>();
  #symbols: KernelSymbols | undefined;

  constructor({ pattern, regexp, pid, force }: CallValues) {
    const all = Array.isArray(pattern) ? (pattern as readonly ProbePattern[]) : [pattern as ProbePattern];
    const found = all.map((one) => {
      if (one.kind === 'tracepoint' || one.kind === 'usdt') {
        throw new KscopeError('usage', `'${one.text}' is no function: only those return`);
      }
      return findProbes(one, { regularExpression: regexp, pid, force, returns: true });
    });
    const functions = found.flatMap((one) => (one.kind === 'kernel' ? one.functions : []));
    const files = found.flatMap((one) => (one.kind === 'user' ? one.files : []));
    if (functions.length > 0 && files.length > 0) {
      throw new KscopeError('usage', 'functions of the kernel and of programs cannot be traced together');
    }
    this.kernel = functions.length > 0 ? [...new Set(functions)] : undefined;
    this.user = eachOnce(files);
    this.denied = [...new Set(found.flatMap(({ denied = [] }) => denied))];
    this.first = all[0] as ProbePattern;
  }

  /** The only function, if it is one of the kernel. */
  get single(): string | undefined {
    return this.kernel?.length === 1 ? this.kernel[0] : undefined;
  }

  nameOf(place: bigint): string {
    if (this.kernel === undefined) {
      return this.user[Number(place)]?.name ?? '?';
    }
    this.#symbols ??= new KernelSymbols();
    return this.single ?? this.#symbols.resolve(place).symbol ?? `0x${place.toString(16)}`;
  }
}

function eachOnce(files: readonly UserFile[]): UserCall[] {
  const calls = files.flatMap(({ path, places }) =>
    places.map(({ name, offset }): [string, UserCall] => [`${path} ${offset}`, { path, offset, name: demangle(name) }]),
  );
  return [...new Map(calls).values()];
}

/** Patterns are read once for each run. */
const pointsOf = once(
  (values: CallValues) => new CallPoints(values),
  ({ pattern }) => pattern,
);

/** Name of the function whose `place` a program of bpf/include/call-points.h was given. */
export function callPointName(place: bigint, values: CallValues): string {
  return pointsOf(values).nameOf(place);
}

/** What of the patterns is not traced; all that, when everything is attached. */
export function callPointWarnings(values: CallValues): readonly string[] {
  const { kernel = [], denied, ambiguous, refused } = pointsOf(values);
  return [...sharedNameWarnings(kernel), ...notTraced(denied, ambiguous, [...refused])];
}

// The return comes first: a call that is seen to return only is no call, but one that only begins keeps its room.
const traced = ['call__fexit', 'call__fentry'] as const;
const multi = ['return__multi', 'call__multi'] as const;
const kprobe = ['return__kprobe', 'call__kprobe'] as const;
const user = [
  ['user_return__multi', 'user_call__multi'],
  ['user_return', 'user_call'],
] as const;

function kernelPrograms(returns: boolean) {
  return {
    multi: (program: BpfProgram, values: CallValues) => {
      const points = pointsOf(values);
      points.ambiguous = attachMulti(program, points.kernel ?? [], { return: returns });
    },
    kprobe: (program: BpfProgram, values: CallValues) => {
      const { kernel = [], first } = pointsOf(values);
      refuseTooMany(kernel.length, { pattern: first }, program);
      attachKprobes(program, kernel, { return: returns });
    },
  };
}

function attachUser(returns: boolean) {
  return (program: BpfProgram, values: CallValues) => {
    const { user: calls, first, refused } = pointsOf(values);
    refuseTooMany(calls.length, { pattern: first }, program);
    const places = calls.map((call, number) => ({ ...call, number }));
    const pid = values.pid === undefined ? {} : { pid: values.pid };
    for (const { name } of attachToPlaces(program, places, { return: returns, ...pid })) {
      refused.add(name);
    }
  };
}

/** Whether these are functions of the kernel; without a pattern the question is whether there is anything to trace. */
function inKernel(values: CallValues): boolean {
  return (values.pattern as unknown) !== undefined && pointsOf(values).kernel !== undefined;
}

/** The function that fentry and fexit are to be used for: those find it by its name. */
function tracedFunction(values: CallValues): string | undefined {
  const hooked = values.kprobes || values.arguments !== undefined || !inKernel(values);
  const name = hooked ? undefined : pointsOf(values).single;
  return name !== undefined && sharingFunctions(name) === undefined ? name : undefined;
}

/** How to attach the programs of bpf/include/call-points.h, for `attach`. */
export const atCallPoints = {
  either: (values: CallValues) => {
    if (!inKernel(values)) {
      return userPlans(values, user);
    }
    return tracedFunction(values) === undefined ? [multi, kprobe] : [traced, multi, kprobe];
  },
  unwanted: (values: CallValues) => [
    ...(inKernel(values) ? user.flat() : [...multi, ...kprobe, ...otherPlans(values, user)]),
    ...(tracedFunction(values) === undefined ? traced : []),
  ],
  targets: (values: CallValues) => {
    const name = tracedFunction(values);
    return name === undefined ? {} : { call__fentry: name, call__fexit: name };
  },
  by: {
    call__multi: kernelPrograms(false).multi,
    return__multi: kernelPrograms(true).multi,
    call__kprobe: kernelPrograms(false).kprobe,
    return__kprobe: kernelPrograms(true).kprobe,
    user_call__multi: attachUser(false),
    user_return__multi: attachUser(true),
    user_call: attachUser(false),
    user_return: attachUser(true),
  },
};
