import { KscopeError } from '../model/errors.ts';
import type { Positional } from './definition.ts';

/**
 * One command-line option as data: help, man page, completion and parsing are derived from it.
 * `set` names the rodata variable (checked against the object by the compiler) that takes the value before load.
 */
export interface Option<T = unknown, Set extends string = string> {
  /**
   * As people write it: '-p, --pid <PID>'. The long name is not repeated anywhere else. An option that is given by its
   * place, without a name, is written '[min_ms]'.
   */
  readonly flags: string;
  /** An option that has a name may be given by its place as well, written so: '[pid]'. */
  readonly place?: string;
  /** One line, lower case, no final period. */
  readonly summary: string;
  readonly set?: Set;
  /** What the rodata variable takes when that is not the value itself. */
  encode?(value: NonNullable<T>): unknown;
  /** Text to value; absent for flags, which are true or false. */
  parse?(text: string): NonNullable<T>;
  /** May be given several times, or also have several values with commas between; the values are concatenated. */
  readonly repeatable?: 'again' | 'commas';
  readonly default?: T;
  readonly choices?: readonly string[];
  /**
   * Other spellings that are accepted but not shown: '--extended_fields'. A flag can be the opposite of one that others
   * have, and that is on there: '--ignore-errors=false'.
   */
  readonly hidden?: readonly string[];
  /** Accepted as elsewhere, for the sake of those who know other tools, and told nowhere: what it asks for is so anyway. */
  readonly unlisted?: boolean;
  /** Options (by key) that cannot be given together with this one. */
  readonly conflicts?: readonly string[];
  /** What completion offers for the value: 'file', 'directory', 'pid', 'user', 'none'. */
  readonly completes?: 'file' | 'directory' | 'pid' | 'user' | 'none';
  /** Group heading in help: own options have none. */
  readonly group?: 'filter' | 'column' | 'output' | 'common';
}

export type Options = Readonly<Record<string, Option>>;

/** Values by option key, as the shape and the tool's own functions receive them. */
export type OptionValues<O> = { readonly [K in keyof O]: O[K] extends Option<infer T> ? T : never };

/** A tool's own options, and of the others those that it does not describe itself, to give them another letter. */
export function withOwn(own: Options, others: Options): Options {
  return { ...own, ...Object.fromEntries(Object.entries(others).filter(([key]) => own[key] === undefined)) };
}

/** The same option under another letter, or without any, where its own means something else. */
export function lettered<O extends { readonly flags: string }>(option: O, letter?: string): O {
  const named = option.flags.replace(/^-\w, /, '');
  return { ...option, flags: letter === undefined ? named : `-${letter}, ${named}` };
}

type Details<T, Set extends string> = Omit<Option<T, Set>, 'flags' | 'summary' | 'parse'>;

/** A switch: false unless given. */
export function flag<const Set extends string = never>(
  flags: string,
  summary: string,
  details: Details<boolean, Set> = {},
): Option<boolean, Set> {
  return { flags, summary, ...details };
}

/** What other tools have an option for, and what is so here without one. */
export function accepted(flags: string): Option<boolean | string | undefined, never> {
  const summary = 'accepted, and so anyway';
  return { flags, summary, unlisted: true, ...(flags.includes('<') && { parse: (given: string) => given }) };
}

/** Free text. */
export function text<const Set extends string = never>(
  flags: string,
  summary: string,
  details: Details<string | undefined, Set> = {},
): Option<string | undefined, Set> {
  return { flags, summary, parse: (given) => given, ...details };
}

/** Whether an option is given by its place and not by a name. */
export function isPositional({ flags }: Option): boolean {
  return !flags.startsWith('-');
}

/** Those of the options that can be given by their place, in their order. */
export function positionalsOf(options: Options): Positional[] {
  return Object.entries(options).flatMap(([key, option]) => {
    const name = isPositional(option) ? option.flags : option.place;
    return name !== undefined && option.parse !== undefined
      ? [{ key, name, summary: option.summary, parse: option.parse }]
      : [];
  });
}

/** A whole number in [min, max]; decimal, or hexadecimal with 0x. */
export function integer<const Set extends string = never>(
  flags: string,
  summary: string,
  details: Details<number | undefined, Set> & { readonly min?: number; readonly max?: number } = {},
): Option<number | undefined, Set> {
  const { min = 0, max = 2 ** 31 - 1, ...rest } = details;
  return { flags, summary, parse: (given) => parseInteger(given, min, max), ...rest };
}

/** One of a fixed set of words. */
export function choice<const C extends string, const Set extends string = never>(
  flags: string,
  summary: string,
  choices: readonly C[],
  details: Omit<Details<C | undefined, Set>, 'choices'> = {},
): Option<C | undefined, Set> {
  return {
    flags,
    summary,
    choices,
    parse: (given) => {
      const found = choices.find((word) => word === given);
      if (found === undefined) {
        throw new KscopeError('usage', `'${given}' is not one of ${choices.join(', ')}`);
      }
      return found;
    },
    ...details,
  };
}

/** A comma-separated list, each element read by `parse`; given several times, the lists are joined. */
export function list<T, const Set extends string = never>(
  flags: string,
  summary: string,
  parse: (element: string) => T,
  details: Details<readonly T[] | undefined, Set> = {},
): Option<readonly T[] | undefined, Set> {
  return {
    flags,
    summary,
    repeatable: 'commas',
    parse: (given) => given.split(',').map((element) => parse(element.trim())),
    ...details,
  };
}

/** A regular expression. */
export function pattern<const Set extends string = never>(
  flags: string,
  summary: string,
  details: Details<RegExp | undefined, Set> = {},
): Option<RegExp | undefined, Set> {
  return { flags, summary, parse: parsePattern, ...details };
}

function parsePattern(given: string): RegExp {
  try {
    return new RegExp(given, 'u');
  } catch (cause) {
    throw new KscopeError('usage', `'${given}' is not a regular expression`, { cause });
  }
}

/** Reads a whole number in [min, max]. @throws KscopeError usage */
export function parseInteger(given: string, min: number, max: number): number {
  const value = /^(-?\d+|0x[0-9a-f]+)$/i.test(given) ? Number(given) : Number.NaN;
  if (!Number.isSafeInteger(value) || value < min || value > max) {
    throw new KscopeError('usage', `'${given}' is not a whole number from ${min} to ${max}`);
  }
  return value;
}

/** The long name of an option without dashes: 'pid' for '-p, --pid <PID>'. */
export function longName(option: Option): string {
  const match = /--([a-z0-9][a-z0-9-]*)/.exec(option.flags);
  if (match?.[1] === undefined) {
    throw new KscopeError('failed', `option '${option.flags}' has no long name`);
  }
  return match[1];
}
