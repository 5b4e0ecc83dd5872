import { readKernelFile } from '../system/kernel-file.ts';

let symbols: Buffer | undefined;

/** Whether /proc/kallsyms lists a function; addresses may be hidden, names are not. */
export function hasKernelSymbol(name: string): boolean {
  symbols ??= readKernelFile('/proc/kallsyms');
  for (const end of ['\n', '\t']) {
    for (const type of ['t', 'T', 'w', 'W']) {
      if (symbols.includes(` ${type} ${name}${end}`)) {
        return true;
      }
    }
  }
  return false;
}
