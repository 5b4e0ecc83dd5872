import { KscopeError } from '../../model/errors.ts';
import { escapeText } from '../../model/escape.ts';
import { KernelSymbols } from './kernel.ts';

let symbols: KernelSymbols | undefined;

/** Where the code of a kernel function begins and ends. @throws KscopeError usage | permission */
export function kernelFunctionExtent(name: string): readonly [bigint, bigint] {
  symbols ??= new KernelSymbols();
  if (symbols.hidden) {
    throw new KscopeError('permission', 'the kernel does not tell where its functions are', {
      hint: 'sysctl kernel.kptr_restrict=1',
    });
  }
  const [extent, ...others] = symbols.extents(name);
  if (extent === undefined) {
    throw new KscopeError('usage', `the kernel has no function ${escapeText(name)}`);
  }
  if (others.length > 0) {
    throw new KscopeError('usage', `${others.length + 1} functions of the kernel are called ${escapeText(name)}`, {
      hint: 'only one that shares its name with no other can be named here',
    });
  }
  return extent;
}

/** The name of the kernel function that an address is in; the address itself where the kernel does not tell. */
export function kernelFunction(address: string): string {
  symbols ??= new KernelSymbols();
  const { symbol, module } = symbols.resolve(BigInt(address));
  return symbol === undefined ? address : module === undefined ? symbol : `${symbol} ${module}`;
}
