import { readFileSync } from 'node:fs';
import { onProcessor } from './processors.ts';
import { type RunningTool, startCommand } from './run-tool.ts';

/** Starts a process that does nothing but run, on one processor. */
export function spinOn(processor: number): RunningTool {
  return onProcessor(processor, () => startCommand(['/bin/sh', '-c', 'while :; do :; done']));
}

/** Nanoseconds that the main thread of a process has run, once it has run that much longer. */
export async function ranLonger(pid: number, nanoseconds: number): Promise<number> {
  const ran = () => Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]);
  const start = ran();
  let now = start;
  while (now < start + nanoseconds) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    now = ran();
  }
  return now - start;
}
