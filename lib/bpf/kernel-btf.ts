import { readFileSync } from 'node:fs';
import { KscopeError } from '../model/errors.ts';
import { Btf } from './btf.ts';

export const KERNEL_BTF = '/sys/kernel/btf/vmlinux';

let file = KERNEL_BTF;
let cached: Btf | undefined;

/** Says where the BTF of the running kernel is, for kernels that do not carry it. */
export function setKernelBtf(path: string): void {
  if (path !== file) {
    file = path;
    cached = undefined;
  }
}

/** Types of the running kernel, parsed when first asked for. @throws KscopeError unsupported without BTF */
export function kernelBtf(): Btf {
  if (cached === undefined) {
    let bytes: Uint8Array;
    try {
      bytes = readFileSync(file);
    } catch (cause) {
      throw new KscopeError('unsupported', `the kernel has no BTF (${file} cannot be read)`, {
        hint: ['use a kernel built with CONFIG_DEBUG_INFO_BTF', 'or give its BTF with --btf FILE'],
        cause,
      });
    }
    cached = Btf.parse(bytes);
  }
  return cached;
}
