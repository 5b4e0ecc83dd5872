import { closeSync, constants, existsSync, fstatSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { type Elf, parseElf } from '../bpf/elf.ts';
import { tracefs } from '../bpf/tracefs.ts';
import { functionsOf } from '../bpf/user-functions.ts';
import { KscopeError } from '../model/errors.ts';
import { escapeText } from '../model/escape.ts';
import { loaderFiles, mappedFiles } from '../system/libraries.ts';
import { kernelFunctions } from './kernel-functions.ts';
import { nameMatcher, type ProbePattern } from './pattern.ts';
import { usdtProbes } from './usdt-notes.ts';

/** A place in a file of a process. */
export interface UserPlace {
  readonly name: string;
  readonly offset: number;
  readonly semaphore?: number;
}

export interface UserFile {
  readonly path: string;
  readonly places: readonly UserPlace[];
}

/** What a pattern stands for on this machine; never empty. */
export type FoundProbes =
  | { readonly kind: 'kernel'; readonly functions: readonly string[] }
  | { readonly kind: 'tracepoint'; readonly events: readonly { readonly category: string; readonly name: string }[] }
  | { readonly kind: 'user'; readonly files: readonly UserFile[] };

const FILE_MAX = 512 * 2 ** 20;

/**
 * Finds the places that a pattern names.
 * @param pid looks for libraries in this process; without a library, in its own program
 * @throws KscopeError usage when there is none
 */
export function findProbes(
  pattern: ProbePattern,
  { regularExpression = false, pid }: { readonly regularExpression?: boolean; readonly pid?: number | undefined } = {},
): FoundProbes {
  const matches = nameMatcher(pattern.name, regularExpression);
  switch (pattern.kind) {
    case 'kernel': {
      const functions = kernelFunctions(matches);
      return functions.length > 0 ? { kind: 'kernel', functions } : none(pattern, 'the kernel has no function');
    }
    case 'tracepoint': {
      const inCategory = nameMatcher(pattern.where, regularExpression);
      const events = tracepoints().filter(({ category, name }) => inCategory(category) && matches(name));
      return events.length > 0 ? { kind: 'tracepoint', events } : none(pattern, 'the kernel has no tracepoint');
    }
    default: {
      const seen = new Set<string>();
      const files = userFiles(pattern, pid).flatMap((path) => {
        const places = placesIn(path, seen, (elf) =>
          pattern.kind === 'user'
            ? functionsOf(elf, matches)
            : usdtProbes(elf).filter(
                ({ name, provider }) => matches(name) && (pattern.provider ?? provider) === provider,
              ),
        );
        return places.length > 0 ? [{ path, places }] : [];
      });
      const what = pattern.kind === 'user' ? 'function' : 'probe';
      return files.length > 0
        ? { kind: 'user', files }
        : none(pattern, `'${escapeText(pattern.where || `process ${pid}`)}' has no ${what}`);
    }
  }
}

function none(pattern: ProbePattern, what: string): never {
  const name = pattern.kind === 'tracepoint' ? `${pattern.where}:${pattern.name}` : pattern.name;
  throw new KscopeError('usage', `${what} '${escapeText(name)}'`);
}

/** Every tracepoint of the running kernel. */
export function tracepoints(): { category: string; name: string }[] {
  const events = `${tracefs()}/events`;
  return readdirSync(events, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name: category }) =>
      readdirSync(`${events}/${category}`, { withFileTypes: true })
        // Those without a number are not for programs: ftrace's own.
        .filter((entry) => entry.isDirectory() && category !== 'ftrace')
        .map(({ name }) => ({ category, name })),
    );
}

/** Files that a library's or program's name stands for: as the process has them, or else as the loader finds them. */
function userFiles({ where }: ProbePattern, pid: number | undefined): string[] {
  if (where === '') {
    if (pid === undefined) {
      throw new KscopeError('usage', 'a function without its library or program needs --pid');
    }
    return [`/proc/${pid}/exe`];
  }
  if (where.includes('/')) {
    return [where];
  }
  const escaped = where.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&');
  const library = new RegExp(`^lib${escaped}[.-]`);
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
 */
function placesIn(path: string, seen: Set<string>, find: (elf: Elf) => readonly UserPlace[]): UserPlace[] {
  const elf = readElf(path, seen);
  const places = new Map<number, UserPlace>();
  for (const place of elf === undefined ? [] : find(elf)) {
    if (!places.has(place.offset)) {
      places.set(place.offset, place);
    }
  }
  return [...places.values()];
}

function readElf(path: string, seen: Set<string>): Elf | undefined {
  let fd: number;
  try {
    // A FIFO in the place of a binary must not stop us.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  try {
    const stats = fstatSync(fd);
    const file = `${stats.dev} ${stats.ino}`;
    if (seen.has(file)) {
      return undefined;
    }
    seen.add(file);
    return stats.isFile() && stats.size <= FILE_MAX ? parseElf(readFileSync(fd), path) : undefined;
  } catch (error) {
    if (error instanceof KscopeError) {
      return undefined;
    }
    throw error;
  } finally {
    closeSync(fd);
  }
}
