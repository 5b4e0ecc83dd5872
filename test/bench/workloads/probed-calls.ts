import { ProbedLibrary } from '../../helpers/probed-library.ts';
import { firstNumber, lineOf, NUMBERS } from './numbers.ts';
import type { Workload } from './workload.ts';

/** Where the library of that workload is, by the process that started it. */
export function probedLibraryOf(parent: number): string {
  return `/tmp/kscope-bench-${parent}/libprobed.so`;
}

/** A function with a statically defined probe. */
export const probedCalls: Workload = {
  unit: 'call',
  count: 100_000,
  start() {
    const library = new ProbedLibrary(probedLibraryOf(process.ppid));
    process.on('exit', () => library[Symbol.dispose]());
    return {
      poke(number) {
        library.add(0, NUMBERS + number);
      },
      run(count) {
        for (let i = 0; i < count; i++) {
          library.add(0, 7);
        }
      },
    };
  },
  eventLine: lineOf(7),
  firstPoke: firstNumber,
};
