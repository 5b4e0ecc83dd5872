import { accessSync, constants, readdirSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { KscopeError } from '../model/errors.ts';

/** The programs that make an object file, as full paths, and what tells one version of them from another. */
export interface Toolchain {
  readonly clang: string;
  readonly strip: string;
  readonly identity: string;
}

/**
 * Finds clang and llvm-strip: in CLANG and LLVM_STRIP, by plain name on PATH, or by the newest versioned name
 * (clang-16), which is all that some distributions install.
 * @throws KscopeError unsupported, naming what to install
 */
export function findToolchain(environment: NodeJS.ProcessEnv = process.env): Toolchain {
  const directories = (environment.PATH ?? '').split(':').filter((directory) => directory.startsWith('/'));
  const clang = environment.CLANG || findProgram('clang', directories);
  const strip = environment.LLVM_STRIP || findProgram('llvm-strip', directories);
  if (clang === undefined || strip === undefined) {
    const missing = [clang === undefined ? 'clang' : [], strip === undefined ? 'llvm-strip' : []].flat();
    throw new KscopeError('unsupported', `${missing.join(' and ')} not found: needed to compile the BPF programs`, {
      hint: 'install the packages clang and llvm (version 14 or later)',
    });
  }
  return { clang, strip, identity: `${identify(clang)} ${identify(strip)}` };
}

function findProgram(name: string, directories: readonly string[]): string | undefined {
  const plain = directories.map((directory) => join(directory, name)).find(isProgram);
  return plain ?? newestVersion(name, directories);
}

function newestVersion(name: string, directories: readonly string[]): string | undefined {
  const versioned = new RegExp(`^${name}-(\\d+)$`);
  return directories
    .flatMap((directory) =>
      list(directory).map((file) => ({ path: join(directory, file), match: versioned.exec(file) })),
    )
    .filter(({ path, match }) => Number(match?.[1]) >= 14 && isProgram(path))
    .sort((a, b) => Number(b.match?.[1]) - Number(a.match?.[1]))
    .map(({ path }) => path)[0];
}

function list(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    // PATH may well name directories that do not exist.
    return [];
  }
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

// Asking a compiler for its version takes longer than all else that a build with nothing to do does.
function identify(program: string): string {
  try {
    const path = realpathSync(program);
    const { size, mtimeMs } = statSync(path);
    return `${path}:${size}:${mtimeMs}`;
  } catch {
    return program;
  }
}
