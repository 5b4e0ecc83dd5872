import { readKernelFile } from '../kernel-file.ts';

const limits = ['__sched_text_start', '__sched_text_end', '__lock_text_start', '__lock_text_end'];

/**
 * Where the kernel has the functions that wait, and those that take spinlocks: start and end of each of the two
 * sections. Zeros where the kernel does not tell.
 */
export function lockFunctions(file = '/proc/kallsyms'): readonly bigint[] {
  const found = new Map(limits.map((name) => [name, 0n]));
  for (const [, address = '0', name = ''] of readKernelFile(file)
    .toString('latin1')
    .matchAll(/^([0-9a-f]+) \w (__\w+_text_\w+)$/gm)) {
    if (found.has(name)) {
      found.set(name, BigInt(`0x${address}`));
    }
  }
  return [...found.values()];
}
