import { libc } from '../../../lib/native/libc.ts';
import { opens } from './opens.ts';
import type { Workload } from './workload.ts';

const RATE = 500_000;

/** So many a second, for as long as the number lasts: of a file that is not there, for which one processor has the time. */
export const pacedOpens: Workload = {
  ...opens,
  count: 10 * RATE,
  start() {
    const { poke } = opens.start();
    return {
      ...(poke !== undefined && { poke }),
      run(count) {
        const slice = RATE / 1000;
        const begin = performance.now();
        for (let done = 0; done < count; done += slice) {
          while (performance.now() < begin + (done / RATE) * 1000) {
            // A timer would come too late.
          }
          for (let i = Math.min(slice, count - done); i > 0; i--) {
            libc.open('/nonexistent/kscope', 0, 0);
          }
        }
      },
    };
  },
};
