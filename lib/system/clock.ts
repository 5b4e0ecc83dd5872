import { libc } from '../native/libc.ts';

const CLOCK_REALTIME = 0;
const CLOCK_BOOTTIME = 7;

const time = new Uint8Array(16);
const view = new DataView(time.buffer);

function microseconds(clock: number): number {
  libc.clock_gettime(clock, time);
  return Number(view.getBigInt64(0, true)) * 1e6 + Math.floor(Number(view.getBigInt64(8, true)) / 1000);
}

/** Now, in microseconds since the Unix epoch. */
export function now(): number {
  return microseconds(CLOCK_REALTIME);
}

/** What to add to the boot-time clock (suspends included) to get microseconds since the Unix epoch, right now. */
export function bootToEpochMicros(): number {
  return microseconds(CLOCK_REALTIME) - microseconds(CLOCK_BOOTTIME);
}
