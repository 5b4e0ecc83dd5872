import { readFileSync } from 'node:fs';
import { Btf } from '../bpf/btf.ts';
import { kernelBtf } from '../bpf/kernel-btf.ts';
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

/** Where a function of the kernel is: '' in itself, or the name of a module; undefined when there is none. */
export function functionHome(name: string, symbols = '/proc/kallsyms'): string | undefined {
  const text = readFileSync(symbols, 'latin1');
  for (let at = text.indexOf(` ${name}`); at >= 0; at = text.indexOf(` ${name}`, at + 1)) {
    const end = text.indexOf('\n', at);
    const [found, module = ''] = text.slice(at + 1, end < 0 ? text.length : end).split('\t');
    if (found === name && /[tTwW]/.test(text[at - 1] ?? '')) {
      return module.replace(/^\[|\]$/g, '');
    }
  }
  return undefined;
}
