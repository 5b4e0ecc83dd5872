import koffi from 'koffi';
import { firstNumber, lineOf, NUMBERS } from './numbers.ts';
import type { Workload } from './workload.ts';

/** A function of the C library that makes a system call of the same name; nobody else does. */
export const numberedCalls: Workload = {
  unit: 'call',
  count: 100_000,
  start() {
    const call: (number: number) => number = koffi.load(null).func('int sched_get_priority_max(int)');
    return {
      poke(number) {
        call(NUMBERS + number);
      },
      run(count) {
        for (let i = 0; i < count; i++) {
          call(7);
        }
      },
    };
  },
  eventLine: lineOf(7),
  firstPoke: firstNumber,
};
