import { readFileSync } from 'node:fs';
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

// Readings of two clocks that are this many microseconds apart are as good as it gets.
const CLOSE = 20;
const ATTEMPTS = 5;

/** What to add to the boot-time clock (suspends included) to get microseconds since the Unix epoch, right now. */
export function bootToEpochMicros(): number {
  let offset = 0;
  let closest = Number.POSITIVE_INFINITY;
  // Whatever else runs between the readings would go into the difference.
  for (let i = 0; i < ATTEMPTS && closest > CLOSE; i++) {
    const before = microseconds(CLOCK_BOOTTIME);
    const epoch = microseconds(CLOCK_REALTIME);
    const apart = microseconds(CLOCK_BOOTTIME) - before;
    if (apart < closest) {
      closest = apart;
      offset = epoch - before - Math.floor(apart / 2);
    }
  }
  ahead ??= bootTimeAhead();
  return offset + ahead;
}

let ahead: number | undefined;

/**
 * By how many microseconds the boot-time clock of this process is ahead of the kernel's own, which is the one that BPF
 * programs read: they differ in a time name space.
 */
function bootTimeAhead(): number {
  let offsets: string;
  try {
    offsets = readFileSync('/proc/self/timens_offsets', 'utf8');
  } catch {
    // A kernel without time name spaces.
    return 0;
  }
  const [, seconds = 0, nanoseconds = 0] = /^boottime\s+(-?\d+)\s+(\d+)$/m.exec(offsets) ?? [];
  return Number(seconds) * 1e6 + Number(nanoseconds) / 1e3;
}
