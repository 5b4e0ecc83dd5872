import { readFileSync } from 'node:fs';
import { Btf } from '../bpf/btf.ts';
import { kernelBtf } from '../bpf/kernel-btf.ts';
import { isOfKernelAlone } from '../bpf/shared-names.ts';
import { readKernelFile } from '../system/kernel-file.ts';
import { BtfTypes } from './btf-types.ts';
import { commonSignature } from './shared-name.ts';

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
function moduleTypes(module: string): BtfTypes | undefined {
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
  const [home] = functionHomes(name);
  return home === undefined ? undefined : typesAt(home);
}

/** Parameters and result of a function; undefined where they are not told, or not the same for all of that name. */
export function signatureOf(name: string) {
  return commonSignature([...new Set(functionHomes(name))].flatMap((home) => typesAt(home).signatures(name)));
}

function typesAt(home: string): BtfTypes {
  return home === '' ? kernelTypes() : (moduleTypes(home) ?? kernelTypes());
}

const homes = new Map<string, readonly string[]>();

/** Where functions of a name are: '' in the kernel itself, or the name of a module; one of each function. */
export function functionHomes(name: string): readonly string[] {
  // The kernel takes long to write the list: each function is looked for once.
  const known = homes.get(name) ?? (isOfKernelAlone(name) && kernelTypes().signature(name) ? [''] : findHomes(name));
  if (known.length > 0) {
    homes.set(name, known);
  }
  return known;
}

function findHomes(name: string): string[] {
  const text = readKernelFile('/proc/kallsyms').toString('latin1');
  const found: string[] = [];
  for (let at = text.indexOf(` ${name}`); at >= 0; at = text.indexOf(` ${name}`, at + 1)) {
    const end = text.indexOf('\n', at);
    const [one, module = ''] = text.slice(at + 1, end < 0 ? text.length : end).split('\t');
    if (one === name && /[tTwW]/.test(text[at - 1] ?? '')) {
      found.push(module.replace(/^\[|\]$/g, ''));
    }
  }
  return found;
}
