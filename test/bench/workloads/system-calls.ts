import koffi from 'koffi';
import type { Workload } from './workload.ts';

/** The cheapest system call that there is, as often as can be. */
export const systemCalls: Workload = {
  unit: 'system call',
  count: 3_000_000,
  start() {
    const getppid: () => number = koffi.load(null).func('int getppid()');
    return {
      run(count) {
        for (let i = 0; i < count; i++) {
          getppid();
        }
      },
    };
  },
};
