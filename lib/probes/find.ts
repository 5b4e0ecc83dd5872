import { existsSync, readdirSync } from 'node:fs';
import type { Elf } from '../bpf/elf.ts';
import { inElfFile } from '../bpf/elf-file.ts';
import { hasTracepoint, tracefs } from '../bpf/tracefs.ts';
import { functionsOf } from '../bpf/user-functions.ts';
import { KscopeError } from '../model/errors.ts';
import { escapeText } from '../model/escape.ts';
import { loaderFiles, mappedFiles } from '../system/libraries.ts';
import { returnsUnusually } from './denied.ts';
import { isLeftToKernel, type KernelFunctions, kernelFunctions, remainsOf } from './kernel-functions.ts';
import { isName, nameMatcher, type ProbePattern } from './pattern.ts';
import { usdtProbes } from './usdt-notes.ts';

/** A place in a file of a process. */
export interface UserPlace {
  readonly name: string;
  readonly offset: number;
  readonly semaphore?: number;
  /** Of a statically defined probe: where its arguments are, as the compiler wrote it. */
  readonly arguments?: string;
}

export interface UserFile {
  readonly path: string;
  readonly places: readonly UserPlace[];
}

/** What a pattern stands for on this machine; never empty. `denied` are names that match and must not be hooked. */
export type FoundProbes = { readonly denied?: readonly string[] } & FoundPlaces;

type FoundPlaces =
  | { readonly kind: 'kernel'; readonly functions: readonly string[] }
  | { readonly kind: 'tracepoint'; readonly events: readonly { readonly category: string; readonly name: string }[] }
  | { readonly kind: 'user'; readonly files: readonly UserFile[] };

export interface SearchOptions {
  readonly regularExpression?: boolean;
  /** Looks for libraries in this process; without a library, in its own program. */
  readonly pid?: number | undefined;
  /** Functions are hooked where they return: not all can be. */
  readonly returns?: boolean;
  /** Hooks those of Go, too. */
  readonly force?: boolean;
}

/**
 * Finds the places that a pattern names. A single function of the kernel is not looked for where the kernel refuses what
 * it does not have: whoever is refused asks `listedFunctions` why.
 * @throws KscopeError usage when there is none that can be hooked
 */
export function findProbes(
  pattern: ProbePattern,
  { regularExpression = false, pid, returns = false, force = false }: SearchOptions = {},
): FoundProbes {
  const matches = nameMatcher(pattern.name, regularExpression);
  const isLiteral = !regularExpression && isName(pattern.name);
  switch (pattern.kind) {
    case 'kernel': {
      const functions =
        isLiteral && isLeftToKernel(pattern.name, returns)
          ? { functions: [pattern.name] }
          : listedFunctions(pattern, { regularExpression, returns });
      return { kind: 'kernel', ...functions };
    }
    case 'tracepoint': {
      const events =
        isLiteral && isName(pattern.where)
          ? [{ category: pattern.where, name: pattern.name }].filter(isForPrograms)
          : tracepoints(nameMatcher(pattern.where, regularExpression), matches);
      return events.length > 0 ? { kind: 'tracepoint', events } : none(pattern, 'the kernel has no tracepoint');
    }
    default: {
      const seen = new Set<string>();
      const denied = new Set<string>();
      const mayReturn = ({ name }: UserPlace): boolean => {
        const may = !returns || force || !returnsUnusually(name);
        if (!may) {
          denied.add(name);
        }
        return may;
      };
      const files = userFiles(pattern, pid).flatMap((path) => {
        const places = placesIn(path, seen, returns && !force, (elf) =>
          pattern.kind === 'user'
            ? functionsOf(elf, isLiteral ? [pattern.name] : matches).filter(mayReturn)
            : usdtProbes(elf).filter(
                ({ name, provider }) => matches(name) && (pattern.provider ?? provider) === provider,
              ),
        );
        return places.length > 0 ? [{ path, places }] : [];
      });
      const [name] = denied;
      if (files.length === 0 && name !== undefined) {
        return refused(name, true);
      }
      const what = pattern.kind === 'user' ? 'function' : 'probe';
      return files.length > 0
        ? { kind: 'user', files, denied: [...denied] }
        : none(pattern, `'${escapeText(pattern.where || `process ${pid}`)}' has no ${what}`);
    }
  }
}

/**
 * Finds functions of the kernel in its list of those that can be hooked.
 * @throws KscopeError usage when there is none
 */
export function listedFunctions(
  pattern: ProbePattern,
  { regularExpression = false, returns = false }: Pick<SearchOptions, 'regularExpression' | 'returns'>,
): KernelFunctions {
  const found = kernelFunctions(nameMatcher(pattern.name, regularExpression), returns);
  if (found.functions.length > 0) {
    return found;
  }
  const [name] = found.denied;
  const remains = remainsOf(pattern.name);
  return name === undefined
    ? none(pattern, 'the kernel has no function', remains.length > 0 ? [`it has ${remains.join(', ')}`] : [])
    : refused(name, returns);
}

function none(pattern: ProbePattern, what: string, hint: readonly string[] = []): never {
  const name = pattern.kind === 'tracepoint' ? `${pattern.where}:${pattern.name}` : pattern.name;
  throw new KscopeError('usage', `${what} '${escapeText(name)}'`, { hint });
}

function refused(name: string, returns: boolean): never {
  const why = returns ? 'it, or its return, must not be hooked' : 'it must not be hooked';
  throw new KscopeError('usage', `'${escapeText(name)}' cannot be traced: ${why}`);
}

interface Tracepoint {
  readonly category: string;
  readonly name: string;
}

/** Tracepoints of the running kernel whose category and name are wanted. */
export function tracepoints(
  inCategory: (category: string) => boolean = () => true,
  matches: (name: string) => boolean = () => true,
): Tracepoint[] {
  const events = `${tracefs()}/events`;
  return foldersIn(events)
    .filter((category) => category !== OWN_OF_FTRACE && inCategory(category))
    .flatMap((category) =>
      foldersIn(`${events}/${category}`)
        .filter(matches)
        .map((name) => ({ category, name })),
    );
}

/** Events that are no tracepoints: they have formats, and no number by which a program could be attached. */
const OWN_OF_FTRACE = 'ftrace';

function isForPrograms({ category, name }: Tracepoint): boolean {
  return isFileName(category) && isFileName(name) && category !== OWN_OF_FTRACE && hasTracepoint(category, name);
}

function isFileName(text: string): boolean {
  return !text.includes('/') && !text.startsWith('.');
}

function foldersIn(path: string): string[] {
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
}

function userFiles({ where }: ProbePattern, pid: number | undefined): string[] {
  if (where !== '') {
    return filesNamed(where, pid);
  }
  if (pid === undefined) {
    throw new KscopeError('usage', 'a function without its library or program needs --pid');
  }
  return [`/proc/${pid}/exe`];
}

/**
 * Files that a library's or program's name stands for: as the process has them, or else as the loader finds them. The C
 * library is `c`, `libc` and `libc.so.6`.
 */
export function filesNamed(where: string, pid?: number): string[] {
  if (where.includes('/')) {
    return [where];
  }
  const escaped = where.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&');
  const library = new RegExp(`^(?:lib${escaped}[.-]${where.startsWith('lib') ? `|${escaped}(?:[.-]|$)` : ''})`);
  const files = [...mappedFiles(library, pid), ...(pid === undefined ? loaderFiles(library) : [])];
  return files.length > 0 ? files : programs(where);
}

function programs(name: string): string[] {
  return (process.env.PATH ?? '')
    .split(':')
    .map((folder) => `${folder}/${name}`)
    .filter((path) => existsSync(path))
    .slice(0, 1);
}

/**
 * Places of a file, each once, whatever names it has; none for what cannot be read or is no ELF file.
 * @param seen files that were looked at before, under whatever path
 * @param refuseGo refuses programs in Go that have such places
 */
function placesIn(
  path: string,
  seen: Set<string>,
  refuseGo: boolean,
  find: (elf: Elf) => readonly UserPlace[],
): UserPlace[] {
  const { all, go } = inElfFile(path, seen, (elf) => ({ all: find(elf), go: isGo(elf) })) ?? { all: [], go: false };
  const places = new Map<number, UserPlace>();
  for (const place of all) {
    if (!places.has(place.offset)) {
      places.set(place.offset, place);
    }
  }
  if (refuseGo && places.size > 0 && go) {
    throw new KscopeError('usage', `'${escapeText(path)}' is written in Go: hooking returns of functions crashes it`, {
      hint: 'Go moves its stacks, and finds a foreign return address there; --force does it all the same',
    });
  }
  return [...places.values()];
}

function isGo(elf: Elf): boolean {
  return ['.gopclntab', '.go.buildinfo', '.note.go.buildid'].some((name) => elf.section(name) !== undefined);
}
