import { probeFeature } from '../bpf/features.ts';
import { isShared } from '../bpf/shared-names.ts';
import { tracefs } from '../bpf/tracefs.ts';
import { KscopeError } from '../model/errors.ts';
import { escapeText } from '../model/escape.ts';
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
  const forbidden = forbiddenFunctions();
  const isForbidden = new Set(forbidden);
  const isGood = (name: string) => !isDenied(name) && !isForbidden.has(name) && !(returns && neverReturns(name));
  const names = listed(matches);
  return {
    functions: names.filter(isGood),
    // What is not listed is not there for tracing, but somebody may have meant just that.
    denied: [...new Set([...names.filter((name) => !isGood(name)), ...forbidden.filter(matches)])],
  };
}

/**
 * Whether this name can be left to the kernel, which finds one function sooner than it writes its list of all of them:
 * it is not known to be one that must not be hooked, and somebody can be refused who hooks it. @param returns as above
 */
export function isLeftToKernel(name: string, returns: boolean): boolean {
  return (
    /^[\w.$]+$/.test(name) &&
    !(isDenied(name) || isPart(name) || (returns && neverReturns(name))) &&
    !forbiddenFunctions().includes(name) &&
    (probeFeature('kprobe_multi').supported === true || probeFeature('kprobe').supported === true)
  );
}

function forbiddenFunctions(): readonly string[] {
  return contents('/sys/kernel/debug/kprobes/blacklist')
    .split('\n')
    .slice(0, -1)
    .map((line) => line.replace(/^.*\t/, '').replace(/ \[.*$/, ''));
}

/** Where functions of the kernel begin. */
export interface KernelAddresses {
  readonly addresses: BigUint64Array;
  /** Names that are those of several functions, of which nobody can tell which can be hooked. */
  readonly ambiguous: readonly string[];
}

/**
 * Where these functions begin: all of a name, as far as the kernel tells which of them can be hooked: it lists where they
 * begin (6.5), or as many of a name as there are.
 * @returns undefined where the kernel hides addresses
 */
export function kernelAddresses(functions: readonly string[]): KernelAddresses | undefined {
  const { withAddresses } = functionList();
  lookUp(functions);
  const all = withAddresses ? listedAddresses(functions) : symbolAddresses(new Set(functions));
  const isCertain = ([name, addresses]: readonly [string, readonly bigint[]]) =>
    withAddresses || addresses.length === 1 || addresses.length === linesWith(name).length;
  const addresses = [...all].filter(isCertain).flatMap(([, one]) => one);
  return addresses.length === 0 || addresses.includes(0n)
    ? undefined
    : {
        addresses: BigUint64Array.from(new Set(addresses)),
        ambiguous: [...all].filter((one) => !isCertain(one)).map(([name]) => name),
      };
}

/** Functions of the kernel and its modules that have one name. */
export interface SharedName {
  /** Where those begin that can be hooked, as far as the kernel tells which. */
  readonly addresses: readonly bigint[];
  /** How many there are, with those that cannot. */
  readonly count: number;
}

/** Looked for once: a run asks for its function at several steps. */
const sharing = new Map<string, SharedName | undefined>();

/**
 * The functions that share a name; undefined for the name of one, or of none.
 * @throws KscopeError permission where the kernel hides addresses
 */
export function sharingFunctions(name: string): SharedName | undefined {
  if (!sharing.has(name)) {
    sharing.set(name, isShared(name) ? sharedNames([name]).get(name) : undefined);
  }
  return sharing.get(name);
}

/** Of these names those of several functions. @throws KscopeError permission where the kernel hides addresses */
export function sharedNames(names: readonly string[]): ReadonlyMap<string, SharedName> {
  const shared = new Map<string, SharedName>();
  for (const [name, all] of symbolAddresses(new Set(names))) {
    const addresses = [...new Set(all)];
    if (all.length > 1 && (addresses.length > 1 || addresses[0] === 0n)) {
      const listed = functionList().withAddresses ? listedAddresses([name]).get(name) : undefined;
      shared.set(name, { addresses: listed ?? addresses, count: all.length });
    }
  }
  for (const [name, { addresses, count }] of shared) {
    if (addresses.includes(0n)) {
      const where = 'and the kernel hides where they are';
      throw new KscopeError('permission', `${count} functions are called '${escapeText(name)}', ${where}`, {
        hint: 'sysctl kernel.kptr_restrict=1',
      });
    }
  }
  return shared;
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
  const nextSpace = finder(text, ' ');
  const nextTab = finder(text, '\t');
  const nextEnd = finder(text, '\n');
  for (let at = 0, end = 0; at < text.length; at = end + 1) {
    end = nextEnd(at);
    const start = withAddresses ? Math.min(nextSpace(at) + 1, end) : at;
    const stop = Math.min(nextSpace(start), nextTab(start), end);
    if (stop > start) {
      visit(text.slice(start, stop), at);
    }
  }
}

/** Says where a character is next, or that the text ends; asked further and further on, it passes the text once. */
function finder(text: string, character: string): (from: number) => number {
  let found = -1;
  return (from) => {
    if (found < from) {
      found = text.indexOf(character, from);
      found = found < 0 ? text.length : found;
    }
    return found;
  };
}

function listedAddresses(functions: readonly string[]): Map<string, bigint[]> {
  lookUp(functions);
  const { text } = functionList();
  const found = new Map<string, bigint[]>();
  for (const name of functions) {
    for (const line of linesWith(name)) {
      add(found, name, text.slice(line, text.indexOf(' ', line)));
    }
  }
  return found;
}

/** Looks for those that nobody looked for before. */
function lookUp(functions: readonly string[]): void {
  const unseen = new Set(functions.filter((name) => !linesOf.has(name)));
  if (unseen.size > 0) {
    listed((name) => unseen.has(name));
  }
}

function linesWith(name: string): readonly number[] {
  return linesOf.get(name) ?? [];
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
    const known = found.get(name);
    const number = BigInt(`0x${address}`);
    known === undefined ? found.set(name, [number]) : known.push(number);
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
