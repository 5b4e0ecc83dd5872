import { frameName } from '../../model/frames.ts';
import { UserSymbols } from './user.ts';

const NAMES_MAX = 2 ** 14;

const symbols = new UserSymbols();
const names = new Map<string, string>();

/**
 * The name of the function of a process that an address is in, or the file or the address where that is all there is.
 * To be asked while the process lives: one that is gone cannot tell any more.
 * @param comm what the process is called: another program has other functions
 */
export function userFunction(pid: number, comm: string, address: string): string {
  const key = `${pid} ${address} ${comm}`;
  let name = names.get(key);
  if (name === undefined) {
    symbols.remember(pid);
    name = frameName(symbols.resolve(pid, BigInt(address)));
    if (names.size >= NAMES_MAX) {
      names.clear();
    }
    names.set(key, name);
  }
  return name;
}
