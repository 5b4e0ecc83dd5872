import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { KscopeError } from '../model/errors.ts';
import { MappedMemory } from '../native/memory.ts';
import { Btf } from './btf.ts';

export const KERNEL_BTF = '/sys/kernel/btf/vmlinux';

let file = KERNEL_BTF;
let cached: Btf | undefined;
let running: Btf | undefined;

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
      bytes = mapped(file) ?? readFileSync(file);
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

/** That by whose numbers the running kernel knows its types, whatever file was named. @throws KscopeError failed */
export function runningBtf(): Btf {
  if (file === KERNEL_BTF) {
    return kernelBtf();
  }
  running ??= Btf.parse(mapped(KERNEL_BTF) ?? readFileSync(KERNEL_BTF));
  return running;
}

/** The kernel's own can be mapped since Linux 6.16, which takes 8 ms less than to read it page by page. It stays mapped. */
function mapped(path: string): Uint8Array | undefined {
  if (path !== KERNEL_BTF) {
    return undefined;
  }
  const fd = openSync(path, 'r');
  try {
    const { size } = fstatSync(fd);
    return new Uint8Array(MappedMemory.readOnly(fd, size).buffer);
  } catch {
    return undefined;
  } finally {
    closeSync(fd);
  }
}
