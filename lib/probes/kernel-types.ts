import { readFileSync } from 'node:fs';
import { Btf } from '../bpf/btf.ts';
import { kernelBtf } from '../bpf/kernel-btf.ts';
import { readKernelFile } from '../system/kernel-file.ts';
import { BtfTypes } from './btf-types.ts';

const MODULES = '/sys/kernel/btf';

let types: BtfTypes | undefined;
let of: Btf | undefined;

/** The types of the running kernel; reading them takes a moment. @throws KscopeError unsupported without BTF */
export function kernelTypes(): BtfTypes {
  const btf = kernelBtf();
  if (types === undefined || of !== btf) {
    types = new BtfTypes(btf);
    of = btf;
  }
  return types;
}

/** Those of the kernel and of one of its modules; undefined when there are none. */
export function moduleTypes(module: string): BtfTypes | undefined {
  if (!/^\w+$/.test(module)) {
    return undefined;
  }
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(`${MODULES}/${module}`);
  } catch {
    return undefined;
  }
  return new BtfTypes(Btf.parse(bytes, kernelBtf()));
}

/** The types with which a function of the kernel, or of a module, is declared; undefined when there is none. */
export function typesOfFunction(name: string): BtfTypes | undefined {
  const home = functionHome(name);
  return home === undefined ? undefined : home === '' ? kernelTypes() : (moduleTypes(home) ?? kernelTypes());
}

const homes = new Map<string, string>();

/** Where a function of the kernel is: '' in itself, or the name of a module; undefined when there is none. */
export function functionHome(name: string): string | undefined {
  // The kernel takes long to write the list: each function is looked for once.
  const home = homes.get(name) ?? findHome(name);
  if (home !== undefined) {
    homes.set(name, home);
  }
  return home;
}

function findHome(name: string): string | undefined {
  const text = readKernelFile('/proc/kallsyms').toString('latin1');
  for (let at = text.indexOf(` ${name}`); at >= 0; at = text.indexOf(` ${name}`, at + 1)) {
    const end = text.indexOf('\n', at);
    const [found, module = ''] = text.slice(at + 1, end < 0 ? text.length : end).split('\t');
    if (found === name && /[tTwW]/.test(text[at - 1] ?? '')) {
      return module.replace(/^\[|\]$/g, '');
    }
  }
  return undefined;
}
