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
  const { names: listed } = functionList();
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
  const listed = functionList();
  const isKnown = listed.addresses !== undefined;
  const all = isKnown ? listedAddresses(listed, wanted) : symbolAddresses(wanted);
  const isCertain = ([, addresses]: readonly [string, readonly bigint[]]) => isKnown || addresses.length === 1;
  const addresses = [...all].filter(isCertain).flatMap(([, one]) => one);
  return addresses.length === 0 || addresses.includes(0n)
    ? undefined
    : {
        addresses: BigUint64Array.from(new Set(addresses)),
        ambiguous: [...all].filter((one) => !isCertain(one)).map(([name]) => name),
      };
}

/** The functions that the kernel lists as those that can be hooked; since 6.5 also where they begin, in hexadecimal. */
interface FunctionList {
  readonly names: readonly string[];
  readonly addresses?: readonly string[];
}

let list: FunctionList | undefined;

/** Read once: what the kernel writes there it looks up name by name, tens of thousands of them. */
function functionList(): FunctionList {
  list ??= readFunctionList(contents(`${tracefs()}/available_filter_functions_addrs`), true);
  if (list.names.length === 0) {
    list = readFunctionList(contents(`${tracefs()}/available_filter_functions`), false);
  }
  return list;
}

/** Reads lines of 'NAME', or of 'ADDRESS NAME', with whatever behind it: a module, or what is hooked already. */
export function readFunctionList(text: string, withAddresses: boolean): FunctionList {
  const names: string[] = [];
  const addresses: string[] = [];
  for (let at = 0, end = 0; at < text.length; at = end + 1) {
    end = text.indexOf('\n', at);
    end = end < 0 ? text.length : end;
    const space = withAddresses ? text.indexOf(' ', at) : at - 1;
    if (space >= end || (withAddresses && space < 0)) {
      continue;
    }
    let stop = space + 1;
    while (stop < end && text.charCodeAt(stop) !== SPACE && text.charCodeAt(stop) !== TAB) {
      stop++;
    }
    names.push(text.slice(space + 1, stop));
    if (withAddresses) {
      addresses.push(text.slice(at, space));
    }
  }
  return withAddresses ? { names, addresses } : { names };
}

const SPACE = 0x20;
const TAB = 0x09;

function listedAddresses({ names, addresses = [] }: FunctionList, wanted: ReadonlySet<string>): Map<string, bigint[]> {
  const found = new Map<string, bigint[]>();
  for (const [i, name] of names.entries()) {
    if (wanted.has(name)) {
      add(found, name, addresses[i] ?? '');
    }
  }
  return found;
}

function symbolAddresses(wanted: ReadonlySet<string>): Map<string, bigint[]> {
  const found = new Map<string, bigint[]>();
  for (const [, address = '', name = ''] of contents('/proc/kallsyms').matchAll(/^([0-9a-f]+) [tTwW] (\S+)/gm)) {
    if (wanted.has(name)) {
      add(found, name, address);
    }
  }
  return found;
}

function add(found: Map<string, bigint[]>, name: string, address: string): void {
  if (/^[0-9a-f]{1,16}$/.test(address)) {
    found.set(name, [...(found.get(name) ?? []), BigInt(`0x${address}`)]);
  }
}

/** What the compiler made of a function of the kernel, when it is no longer there as it was written: 'f.isra.0'. */
export function remainsOf(name: string): string[] {
  return codeSymbols().filter((one) => one.startsWith(`${name}.`) && !isPart(one));
}

function codeSymbols(): string[] {
  return [...readFileSync('/proc/kallsyms', 'latin1').matchAll(/^\S+ [tTwW] (\S+)/gm)].map(([, name = '']) => name);
}

function lines(file: string): string[] {
  return contents(file).split('\n').slice(0, -1);
}

function contents(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    // Not there, or not for us.
    return '';
  }
}
