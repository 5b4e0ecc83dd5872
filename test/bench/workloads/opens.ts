import { closeSync, openSync } from 'node:fs';
import type { Workload } from './workload.ts';

const prefix = (pid: number) => `/nonexistent/kscope-bench-${pid}-`;

export const opens: Workload = {
  unit: 'open',
  count: 1_000_000,
  start: () => ({
    poke(number) {
      try {
        openSync(prefix(process.pid) + number, 'r');
      } catch {
        // It is not there.
      }
    },
    run(count) {
      for (let i = 0; i < count; i++) {
        closeSync(openSync('/etc/hostname', 'r'));
      }
    },
  }),
  eventLine: (pid) => new RegExp(`(^|\\D)${pid}\\D.*/etc/hostname`),
  firstPoke(text, pid) {
    const at = text.indexOf(prefix(pid));
    const number = at < 0 ? undefined : /^\d+(?=[\s"])/.exec(text.slice(at + prefix(pid).length))?.[0];
    return number === undefined ? undefined : Number(number);
  },
};
