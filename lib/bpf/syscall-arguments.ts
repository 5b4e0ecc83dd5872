import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { tracefs } from './tracefs.ts';

/** An argument of a system call as the kernel declares it. */
export interface SyscallArgument {
  readonly name: string;
  /** It points to text that ends with a NUL, such as the name of a file. */
  readonly text: boolean;
}

const PREFIX = 'sys_enter_';
/** Bytes of any value, whatever their declaration looks like. */
const data = /^(buf|.*_ptr)$/;
/** What the kernel calls some calls inside. */
const otherNames: Readonly<Record<string, string>> = {
  stat: 'newstat',
  fstat: 'newfstat',
  lstat: 'newlstat',
  uname: 'newuname',
  sendfile: 'sendfile64',
  umount2: 'umount',
  _sysctl: 'sysctl',
};

/** Reads what tracefs says of the arguments of system calls, each once. */
export class SyscallArguments {
  readonly #root: string;
  readonly #known = new Map<string, readonly SyscallArgument[] | undefined>();

  /** @throws KscopeError permission or unsupported */
  constructor(root = join(tracefs(), 'events/syscalls')) {
    this.#root = root;
  }

  /** Names of all system calls that the kernel tells about. */
  names(): string[] {
    const inside = new Map(Object.entries(otherNames).map(([name, other]) => [other, name]));
    return readdirSync(this.#root)
      .filter((name) => name.startsWith(PREFIX))
      .map((name) => name.slice(PREFIX.length))
      .map((name) => inside.get(name) ?? name);
  }

  /** Undefined where the kernel does not tell. */
  of(name: string): readonly SyscallArgument[] | undefined {
    if (!this.#known.has(name)) {
      this.#known.set(name, this.#read(otherNames[name] ?? name));
    }
    return this.#known.get(name);
  }

  #read(name: string): readonly SyscallArgument[] | undefined {
    let text: string;
    try {
      text = readFileSync(join(this.#root, `${PREFIX}${name}`, 'format'), 'utf8');
    } catch {
      return undefined;
    }
    return parseArguments(text);
  }
}

/** The arguments from the file `format` of a tracepoint at the entry of a system call. */
export function parseArguments(format: string): SyscallArgument[] {
  // The first two fields of its own are the number of the call, under two names.
  const fields = [...format.matchAll(/^\tfield:([^;]*?)(\w+);\toffset:(\d+);/gm)];
  return fields
    .filter(([, , name = '', offset]) => Number(offset) >= 16 && !name.startsWith('common_') && !name.startsWith('__'))
    .map(([, type = '', name = '']) => ({ name, text: /^const char \*\s*$/.test(type) && !data.test(name) }));
}
