import { tracefs } from '../bpf/tracefs.ts';
import { readKernelFile } from '../system/kernel-file.ts';
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
  const forbidden = contents('/sys/kernel/debug/kprobes/blacklist')
    .split('\n')
    .slice(0, -1)
    .map((line) => line.replace(/^.*\t/, '').replace(/ \[.*$/, ''));
  const isForbidden = new Set(forbidden);
  const isGood = (name: string) => !isDenied(name) && !isForbidden.has(name) && !(returns && neverReturns(name));
  const names = listed(matches);
  return {
    functions: names.filter(isGood),
    // What is not listed is not there for tracing, but somebody may have meant just that.
    denied: [...new Set([...names.filter((name) => !isGood(name)), ...forbidden.filter(matches)])],
  };
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
  const isKnown = functionList().withAddresses;
  const all = isKnown ? listedAddresses(functions) : symbolAddresses(new Set(functions));
  const isCertain = ([, addresses]: readonly [string, readonly bigint[]]) => isKnown || addresses.length === 1;
  const addresses = [...all].filter(isCertain).flatMap(([, one]) => one);
  return addresses.length === 0 || addresses.includes(0n)
    ? undefined
    : {
        addresses: BigUint64Array.from(new Set(addresses)),
        ambiguous: [...all].filter((one) => !isCertain(one)).map(([name]) => name),
      };
}

/** What the kernel says of the functions that can be hooked: each line a function; since 6.5 also where it begins. */
interface FunctionList {
  readonly text: string;
  readonly withAddresses: boolean;
}

let list: FunctionList | undefined;

/** Read once: what the kernel writes there it looks up name by name, tens of thousands of them. */
function functionList(): FunctionList {
  if (list === undefined) {
    const text = contents(`${tracefs()}/available_filter_functions_addrs`);
    list =
      text === ''
        ? { text: contents(`${tracefs()}/available_filter_functions`), withAddresses: false }
        : { text, withAddresses: true };
  }
  return list;
}

/** Where in the list are the functions that somebody looked for. */
const linesOf = new Map<string, readonly number[]>();

function listed(matches: (name: string) => boolean): string[] {
  const { text, withAddresses } = functionList();
  if (text === '') {
    return [...new Set(codeSymbols().filter((name) => matches(name) && !isPart(name)))];
  }
  const found = new Map<string, number[]>();
  eachFunction(text, withAddresses, (name, line) => {
    if (matches(name) && !isPart(name)) {
      const lines = found.get(name);
      if (lines === undefined) {
        found.set(name, [line]);
      } else {
        lines.push(line);
      }
    }
  });
  for (const [name, lines] of found) {
    linesOf.set(name, lines);
  }
  return [...found.keys()];
}

/**
 * Reads lines of 'NAME', or of 'ADDRESS NAME' in hexadecimal, with whatever behind it: a module, or what is hooked
 * already. `visit` gets the name and where its line begins.
 */
export function eachFunction(text: string, withAddresses: boolean, visit: (name: string, line: number) => void): void {
  for (let at = 0, end = 0; at < text.length; at = end + 1) {
    end = text.indexOf('\n', at);
    end = end < 0 ? text.length : end;
    let start = at;
    if (withAddresses) {
      while (start < end && text.charCodeAt(start) !== SPACE) {
        start++;
      }
      start++;
    }
    let stop = start;
    while (stop < end && text.charCodeAt(stop) !== SPACE && text.charCodeAt(stop) !== TAB) {
      stop++;
    }
    if (stop > start) {
      visit(text.slice(start, stop), at);
    }
  }
}

const SPACE = 0x20;
const TAB = 0x09;

function listedAddresses(functions: readonly string[]): Map<string, bigint[]> {
  const unseen = new Set(functions.filter((name) => !linesOf.has(name)));
  if (unseen.size > 0) {
    listed((name) => unseen.has(name));
  }
  const { text } = functionList();
  const found = new Map<string, bigint[]>();
  for (const name of functions) {
    for (const line of linesOf.get(name) ?? []) {
      add(found, name, text.slice(line, text.indexOf(' ', line)));
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
  const text = readKernelFile('/proc/kallsyms').toString('latin1');
  return [...text.matchAll(/^\S+ [tTwW] (\S+)/gm)].map(([, name = '']) => name);
}

function contents(file: string): string {
  try {
    return readKernelFile(file).toString('latin1');
  } catch {
    // Not there, or not for us.
    return '';
  }
}
