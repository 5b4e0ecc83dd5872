import { readFileSync } from 'node:fs';
import { tracefs } from '../bpf/tracefs.ts';
import { isDenied, neverReturns } from './denied.ts';

export interface KernelFunctions {
  /** Those that can be hooked, each name once. */
  readonly functions: readonly string[];
  /** Those that match as well, but must not be hooked. */
  readonly denied: readonly string[];
  /** Those of `functions` of which there are several: only one of them is hooked. */
  readonly ambiguous: readonly string[];
}

/**
 * Functions of the kernel that can be hooked: those that it lists for that, or else all that it has, but for those that
 * it forbids. @param returns where they return
 */
export function kernelFunctions(matches: (name: string) => boolean, returns = false): KernelFunctions {
  const forbidden = new Set(
    lines('/sys/kernel/debug/kprobes/blacklist').map((line) => line.replace(/^.*\t/, '').replace(/ \[.*$/, '')),
  );
  const listed = lines(`${tracefs()}/available_filter_functions`).map((line) => line.replace(/[ \t].*$/, ''));
  const names = (listed.length > 0 ? listed : codeSymbols()).filter(matches);
  // What is not listed is not there for tracing, but somebody may have meant just that.
  const all = new Set([...names, ...[...forbidden].filter(matches)]);
  const isGood = (name: string) => !isDenied(name) && !forbidden.has(name) && !(returns && neverReturns(name));
  const functions = new Set(names.filter(isGood));
  const seen = new Set<string>();
  const ambiguous = new Set(names.filter((name) => functions.has(name) && seen.size === seen.add(name).size));
  return {
    functions: [...functions],
    denied: [...all].filter((name) => !functions.has(name)),
    ambiguous: [...ambiguous],
  };
}

/** What the compiler made of a function of the kernel, when it is no longer there as it was written: 'f.isra.0'. */
export function remainsOf(name: string): string[] {
  return codeSymbols().filter((one) => one.startsWith(`${name}.`) && !isDenied(one));
}

function codeSymbols(): string[] {
  return [...readFileSync('/proc/kallsyms', 'latin1').matchAll(/^\S+ [tTwW] (\S+)/gm)].map(([, name = '']) => name);
}

function lines(file: string): string[] {
  try {
    return readFileSync(file, 'latin1').split('\n').slice(0, -1);
  } catch {
    // Not there, or not for us.
    return [];
  }
}
