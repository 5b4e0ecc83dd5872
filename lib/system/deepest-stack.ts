import { readFileSync } from 'node:fs';

/** For how many frames the kernel follows a stack; its own default where it does not tell. */
export function deepestStack(): number {
  try {
    return Number(readFileSync('/proc/sys/kernel/perf_event_max_stack', 'utf8'));
  } catch {
    return 127;
  }
}
