import type { Workload } from './workload.ts';

/** Work that needs nothing of the kernel. */
export const computing: Workload = {
  unit: 'thousand steps',
  count: 2_000_000,
  start: () => ({
    run(count) {
      let state = 1;
      for (let i = 0; i < count * 1000; i++) {
        state = (Math.imul(state, 1664525) + 1013904223) | 0;
      }
      if (state === 0) {
        process.exitCode = 0;
      }
    },
  }),
};
