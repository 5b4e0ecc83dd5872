import { KernelSymbols } from './kernel.ts';

let symbols: KernelSymbols | undefined;

/** The name of the kernel function that an address is in; the address itself where the kernel does not tell. */
export function kernelFunction(address: string): string {
  symbols ??= new KernelSymbols();
  const { symbol, module } = symbols.resolve(BigInt(address));
  return symbol === undefined ? address : module === undefined ? symbol : `${symbol} ${module}`;
}
