import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { KscopeError } from '../model/errors.ts';
import { type Elf, parseElf } from './elf.ts';
import type { BpfProgram } from './program.ts';

const FILE_MAX = 256 * 2 ** 20;
const FUNCTION = 2;
const EXECUTABLE = 0x4;

/** Functions of a binary or shared object and where they begin in the file; a place may have several names. */
export function functionsOf(elf: Elf, matches: (name: string) => boolean): { name: string; offset: number }[] {
  const found: { name: string; offset: number }[] = [];
  for (const { name, type, value, section } of [...elf.symbols('.dynsym'), ...elf.symbols('.symtab')]) {
    const home = section === 0 || type !== FUNCTION || !matches(name) ? undefined : elf.sections[section];
    if (home === undefined || (home.flags & EXECUTABLE) === 0) {
      continue;
    }
    const within = value - home.address;
    if (within >= 0 && within < home.bytes.length) {
      found.push({ name, offset: home.offset + within });
    }
  }
  return found;
}

/**
 * Where functions begin in a binary or shared object, as offsets in the file: those that have one of the names, each
 * place once. `bytes` may hold anything. @throws KscopeError failed for what is no ELF file
 */
export function functionOffsets(bytes: Uint8Array, names: readonly string[], what: string): number[] {
  const found = functionsOf(parseElf(bytes, what), (name) => names.includes(name));
  return [...new Set(found.map(({ offset }) => offset))];
}

/**
 * Attaches a program to functions of files, at their entry or return. Files that are gone, are no ELF files or lack the
 * functions are passed over. With `pid`, other processes do not even notice. @returns how many places it was attached to
 */
export function attachToFunctions(
  program: BpfProgram,
  files: readonly string[],
  names: readonly string[],
  details: { readonly return?: boolean; readonly pid?: number | undefined } = {},
): number {
  const seen = new Set<string>();
  let places = 0;
  for (const path of files) {
    let fd: number;
    try {
      // A FIFO in the place of a library must not stop us.
      fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    } catch {
      continue;
    }
    try {
      const stats = fstatSync(fd);
      const file = `${stats.dev}:${stats.ino}`;
      if (!stats.isFile() || stats.size > FILE_MAX || seen.has(file)) {
        continue;
      }
      seen.add(file);
      for (const offset of offsetsIn(fd, names, path)) {
        // By descriptor: what was read is what is attached to, whoever renames files meanwhile.
        program.attachUprobe({
          file: `/proc/self/fd/${fd}`,
          offset,
          return: details.return ?? false,
          ...(details.pid !== undefined && { pid: details.pid }),
        });
        places++;
      }
    } finally {
      closeSync(fd);
    }
  }
  return places;
}

function offsetsIn(fd: number, names: readonly string[], path: string): number[] {
  try {
    return functionOffsets(readFileSync(fd), names, path);
  } catch (error) {
    if (error instanceof KscopeError) {
      return [];
    }
    throw error;
  }
}
