import { opens } from './opens.ts';
import type { Workload } from './workload.ts';

const RATE = 500_000;

/** So many a second, for as long as the number lasts. */
export const pacedOpens: Workload = {
  ...opens,
  count: 10 * RATE,
  start() {
    const { run, poke } = opens.start();
    return {
      ...(poke !== undefined && { poke }),
      run(count) {
        const slice = RATE / 1000;
        const begin = performance.now();
        for (let done = 0; done < count; done += slice) {
          while (performance.now() < begin + (done / RATE) * 1000) {
            // A timer would come too late.
          }
          run(Math.min(slice, count - done));
        }
      },
    };
  },
};
