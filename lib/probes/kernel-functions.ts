import { readFileSync } from 'node:fs';
import { tracefs } from '../bpf/tracefs.ts';
import { isDenied, isPart, neverReturns } from './denied.ts';

export interface KernelFunctions {
  /** Those that can be hooked, each name once. */
  readonly functions: readonly string[];
  /** Those that match as well, but must not be hooked. */
  readonly denied: readonly string[];
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
  const names = (listed.length > 0 ? listed : codeSymbols()).filter((name) => matches(name) && !isPart(name));
  // What is not listed is not there for tracing, but somebody may have meant just that.
  const all = new Set([...names, ...[...forbidden].filter(matches)]);
  const isGood = (name: string) => !isDenied(name) && !forbidden.has(name) && !(returns && neverReturns(name));
  const functions = new Set(names.filter(isGood));
  return { functions: [...functions], denied: [...all].filter((name) => !functions.has(name)) };
}

/** Where functions of the kernel begin. */
export interface KernelAddresses {
  readonly addresses: BigUint64Array;
  /** Names that are those of several functions, of which nobody can tell which can be hooked. */
  readonly ambiguous: readonly string[];
}

/**
 * Where these functions begin: all of a name, as far as the kernel tells which of them can be hooked (6.5).
 * @returns undefined where the kernel hides addresses
 */
export function kernelAddresses(functions: readonly string[]): KernelAddresses | undefined {
  const wanted = new Set(functions);
  const listed = addressesIn(lines(`${tracefs()}/available_filter_functions_addrs`), /^([0-9a-f]{16}) ([^ ]+)/, wanted);
  const all =
    listed.size > 0 ? listed : addressesIn(lines('/proc/kallsyms'), /^([0-9a-f]{16}) [tTwW] ([^\t]+)/, wanted);
  const isCertain = ([, addresses]: readonly [string, readonly bigint[]]) => listed.size > 0 || addresses.length === 1;
  const addresses = [...all].filter(isCertain).flatMap(([, one]) => one);
  return addresses.length === 0 || addresses.includes(0n)
    ? undefined
    : {
        addresses: BigUint64Array.from(new Set(addresses)),
        ambiguous: [...all].filter((one) => !isCertain(one)).map(([name]) => name),
      };
}

function addressesIn(text: readonly string[], line: RegExp, wanted: ReadonlySet<string>): Map<string, bigint[]> {
  const found = new Map<string, bigint[]>();
  for (const one of text) {
    const [, address = '', name = ''] = line.exec(one) ?? [];
    if (wanted.has(name)) {
      found.set(name, [...(found.get(name) ?? []), BigInt(`0x${address}`)]);
    }
  }
  return found;
}

/** What the compiler made of a function of the kernel, when it is no longer there as it was written: 'f.isra.0'. */
export function remainsOf(name: string): string[] {
  return codeSymbols().filter((one) => one.startsWith(`${name}.`) && !isPart(one));
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
