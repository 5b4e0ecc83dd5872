import type { ChoiceRules } from '../bpf/choose.ts';
import type { BpfObject } from '../bpf/object.ts';
import type { BpfProgram } from '../bpf/program.ts';
import type { Skeleton, SkeletonTypes } from '../bpf/skeleton.ts';
import type { Area } from '../model/areas.ts';
import type { WarningMessage } from '../model/message.ts';
import type { Positional, Sample } from './definition.ts';
import { isPositional, type Option, type Options, type OptionValues, positionalsOf } from './options.ts';

/** Names of S that can be written in a definition. */
export type Text<T> = Extract<T, string>;

/** Every option may set only a constant that the program has. */
export type OptionsFor<S extends SkeletonTypes> = Readonly<
  Record<string, Option<never, Text<keyof S['rodata']>> | Option<unknown, Text<keyof S['rodata']>>>
>;

type Plans<S extends SkeletonTypes> = readonly (readonly S['programs'][])[];

/** Alternatives and optional programs, checked against the object's. */
export interface AttachRules<S extends SkeletonTypes, O> {
  /** Plans, best first: sets of programs of which exactly one is used. The best may depend on the option values. */
  readonly either?: Plans<S> | ((values: OptionValues<O>) => Plans<S>);
  readonly optional?: readonly S['programs'][];
  /** Those that these option values do not need. */
  unwanted?(values: OptionValues<O>): readonly S['programs'][];
  /** Functions of the kernel that programs aim at whose section does not name one: fentry, fexit, fmod_ret and (k|kret)probes. */
  targets?(values: OptionValues<O>): Readonly<Partial<Record<S['programs'], string>>>;
  /** What this machine lacks besides hooks for these option values, found by trying; undefined when it has it. */
  lacks?(values: OptionValues<O>): string | undefined;
  /** How to attach a program whose section does not say where. */
  readonly by?: Readonly<Partial<Record<S['programs'], (program: BpfProgram, values: OptionValues<O>) => void>>>;
}

/** What the definitions of all shapes have in common. */
export interface CommonDefinition<S extends SkeletonTypes, O> {
  /** One sentence: 'Summarize block I/O latency.' */
  readonly summary: string;
  /** Where it is listed. */
  readonly area?: Area;
  /** What the ready line says: 'Tracing block I/O'; by default the summary's words. */
  readonly activity?: string;
  /** Paragraphs for the man page: what the hooks measure, what is not seen. */
  readonly description: string;
  /** Measured cost, for the man page. */
  readonly overhead: string;
  readonly options: O;
  readonly attach?: AttachRules<S, O>;
  /** Between open and load: sizes, and constants that are no option's value. */
  prepare?(object: BpfObject, values: OptionValues<O>): void;
  /** Between load and attach: entries of maps. */
  loaded?(object: BpfObject, values: OptionValues<O>): void;
  /** What to know about a run, as soon as everything is attached: 'functions that must not be traced are left out'. */
  warnings?(values: OptionValues<O>): readonly string[];
  readonly examples: Readonly<Record<string, string>>;
  readonly aliases?: Readonly<Record<string, readonly string[]>>;
  readonly sample?: Sample | readonly Sample[];
}

/**
 * What tools of all shapes say of themselves in the same way.
 * @param positionals behind those of the definition
 */
export function commonParts(
  skeleton: Skeleton,
  definition: CommonDefinition<SkeletonTypes, Options>,
  options: Options,
  positionals: readonly Positional[] = [],
) {
  return {
    skeleton,
    summary: definition.summary,
    area: definition.area ?? 'other',
    description: definition.description,
    overhead: definition.overhead,
    options: Object.fromEntries(Object.entries(options).filter(([, option]) => !isPositional(option))),
    positionals: [...positionalsOf(options), ...positionals],
    examples: definition.examples,
    aliases: definition.aliases ?? {},
    samples: [definition.sample ?? []].flat(),
    rules: (values: Readonly<Record<string, unknown>>) => rulesOf(definition.attach, values),
  };
}

export function rulesOf<O>(
  attach: AttachRules<SkeletonTypes, O> | undefined,
  values: Readonly<Record<string, unknown>>,
): ChoiceRules {
  const given = values as OptionValues<O>;
  const { either, optional, unwanted, targets } = attach ?? {};
  const lacks = attach?.lacks?.(given);
  return {
    ...(targets !== undefined && { targets: targets(given) as Readonly<Record<string, string>> }),
    ...(lacks !== undefined && { lacks }),
    ...(optional !== undefined && { optional }),
    ...(either !== undefined && { either: typeof either === 'function' ? either(given) : either }),
    ...(unwanted !== undefined && { unwanted: unwanted(given) }),
  };
}

/** The attach functions of a definition with the option values filled in. */
export function attachersOf<O>(
  attach: AttachRules<SkeletonTypes, O> | undefined,
  values: Readonly<Record<string, unknown>>,
): Readonly<Record<string, (program: BpfProgram) => void>> {
  return Object.fromEntries(
    Object.entries(attach?.by ?? {}).map(([name, by]) => [name, (program) => by?.(program, values as OptionValues<O>)]),
  );
}

/** The warnings of a definition, as messages. */
export function warningsOf<O>(
  definition: Pick<CommonDefinition<SkeletonTypes, O>, 'warnings'>,
  values: Readonly<Record<string, unknown>>,
): WarningMessage[] {
  return (definition.warnings?.(values as OptionValues<O>) ?? []).map((text) => ({ type: 'warning', text }));
}

/** 'Trace the open(2) family.' becomes 'Tracing the open(2) family'. */
export function activityOf(definition: { readonly summary: string; readonly activity?: string }): string {
  return definition.activity ?? definition.summary.replace(/^(Trace|Summarize|Count)\b/, 'Tracing').replace(/\.$/, '');
}
