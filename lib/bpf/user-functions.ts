import { KscopeError } from '../model/errors.ts';
import type { Elf } from './elf.ts';
import { ElfFile } from './elf-file.ts';
import type { BpfProgram } from './program.ts';

const FUNCTION = 2;
const EXECUTABLE = 0x4;
const NO_BITS = 8;

/** Which functions are meant, by their names; a list is found faster. */
export type FunctionChoice = readonly string[] | ((name: string) => boolean);

/** Functions of a binary or shared object and where they begin in the file; a place may have several names. */
export function functionsOf(elf: Elf, wanted: FunctionChoice): { name: string; offset: number }[] {
  const found: { name: string; offset: number }[] = [];
  const matches = typeof wanted === 'function' ? wanted : () => true;
  const only = { type: FUNCTION, ...(typeof wanted !== 'function' && { names: wanted }) };
  for (const { name, value, section } of [...elf.symbols('.dynsym', only), ...elf.symbols('.symtab', only)]) {
    const home = section === 0 || !matches(name) ? undefined : elf.sections[section];
    if (home === undefined || (home.flags & EXECUTABLE) === 0 || home.type === NO_BITS) {
      continue;
    }
    const within = value - home.address;
    if (within >= 0 && within < home.size) {
      found.push({ name, offset: home.offset + within });
    }
  }
  return found;
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
    using file = ElfFile.open(path, seen);
    const offsets = file === undefined ? [] : readableOffsets(file.elf, names);
    if (offsets.length > 0) {
      // By descriptor: what was read is what is attached to.
      program.attachUprobes({
        file: file?.path ?? path,
        places: offsets.map((offset) => ({ offset })),
        return: details.return ?? false,
        ...(details.pid !== undefined && { pid: details.pid }),
      });
      places += offsets.length;
    }
  }
  return places;
}

/** Where functions of these names begin in the file, each place once. */
function readableOffsets(elf: Elf, names: readonly string[]): number[] {
  try {
    return [...new Set(functionsOf(elf, names).map(({ offset }) => offset))];
  } catch (error) {
    if (error instanceof KscopeError) {
      return [];
    }
    throw error;
  }
}
