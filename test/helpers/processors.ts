import { mustSyscall } from './syscall.ts';

/** Numbers of the processors that this thread may run on. */
export function allowedProcessors(): readonly number[] {
  const mask = affinity();
  return Array.from({ length: mask.length * 8 }, (_, i) => i).filter((i) => ((mask[i >> 3] as number) >> (i & 7)) & 1);
}

/** Does something with this thread, and the processes it starts, on one processor. */
export function onProcessor<T>(processor: number, work: () => T): T {
  const before = affinity();
  const mask = new Uint8Array(before.length);
  mask[processor >> 3] = 1 << (processor & 7);
  mustSyscall('sched_setaffinity', 0, mask.length, mask);
  try {
    return work();
  } finally {
    mustSyscall('sched_setaffinity', 0, before.length, before);
  }
}

function affinity(): Uint8Array {
  const mask = new Uint8Array(1024);
  return mask.subarray(0, mustSyscall('sched_getaffinity', 0, mask.length, mask));
}
