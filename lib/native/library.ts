import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { LibraryHandle } from 'koffi';
import { KscopeError } from '../model/errors.ts';
import { koffi } from './koffi.ts';

/** Address in this process; null is NULL. */
export type Pointer = bigint | null;
/** Memory that a native function may read or write for the length of the call. */
export type Memory = Pointer | Uint8Array;

/**
 * Binds a table of C prototypes to a shared library. A function is looked up when it is first used, so that declaring
 * many costs nothing and a symbol that an older library lacks fails only where it is needed.
 */
export function bind<Functions extends object>(
  open: () => LibraryHandle,
  prototypes: Readonly<Record<keyof Functions, string>>,
): Functions {
  const bound = {} as Functions;
  let library: LibraryHandle | undefined;
  for (const name of Object.keys(prototypes) as (keyof Functions)[]) {
    Object.defineProperty(bound, name, {
      configurable: true,
      get() {
        library ??= open();
        const value = lookUp(library, prototypes[name], String(name));
        Object.defineProperty(bound, name, { value });
        return value;
      },
    });
  }
  return bound;
}

function lookUp(library: LibraryHandle, prototype: string, name: string) {
  try {
    return library.func(prototype);
  } catch (cause) {
    throw new KscopeError('unsupported', `the installed library has no function ${name}`, {
      hint: 'install libbpf 1.0 or newer',
      cause,
    });
  }
}

/**
 * Opens libbpf: the file that KSCOPE_LIBBPF names, else a copy that came with the package, else the system's.
 * @throws KscopeError unsupported, with the package to install
 */
export function openLibbpf(): LibraryHandle {
  const chosen = process.env.KSCOPE_LIBBPF || undefined;
  const bundled = fileURLToPath(new URL(`../../native/${process.arch}/libbpf.so.1`, import.meta.url));
  const file = chosen ?? (existsSync(bundled) ? bundled : 'libbpf.so.1');
  try {
    return koffi().load(file);
  } catch (cause) {
    throw new KscopeError('unsupported', `cannot load libbpf (${file}): ${reasonOf(cause)}`, {
      hint:
        chosen === undefined
          ? `install it: ${installCommand()}`
          : 'unset KSCOPE_LIBBPF, or set it to the path of libbpf.so.1',
      cause,
    });
  }
}

function reasonOf(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  return /no such file/i.test(text) ? 'no such file' : text.replace(/^Failed to load shared library: /, '');
}

function installCommand(): string {
  const packages: Record<string, string> = {
    debian: 'apt install libbpf1',
    ubuntu: 'apt install libbpf1',
    fedora: 'dnf install libbpf',
    rhel: 'dnf install libbpf',
    centos: 'dnf install libbpf',
    suse: 'zypper install libbpf1',
    arch: 'pacman -S libbpf',
    alpine: 'apk add libbpf',
  };
  let release = '';
  try {
    release = readFileSync('/etc/os-release', 'utf8');
  } catch {
    // A system without the file gets the general name of the package.
  }
  const words = [...release.matchAll(/^ID(?:_LIKE)?="?([^"\n]*)"?$/gm)].flatMap((match) => match[1]?.split(' ') ?? []);
  return words.map((word) => packages[word]).find((command) => command !== undefined) ?? 'the package is called libbpf';
}
