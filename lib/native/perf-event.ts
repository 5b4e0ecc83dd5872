import { errno, libc } from './libc.ts';

const NUMBERS: Partial<Record<NodeJS.Architecture, number>> = { x64: 298, arm64: 241 };
const ATTR_SIZE = 112;
const FREQUENCY_FLAG = 1n << 10n;
const PERF_FLAG_FD_CLOEXEC = 8;

export interface PerfEventAttr {
  /** PERF_TYPE_* or the number of a PMU. */
  readonly type: number;
  readonly config: bigint | number;
  /** Sample every that many events... */
  readonly period?: number;
  /** ...or that many times a second. */
  readonly frequency?: number;
  /** For the kprobe and uprobe PMUs: address of the name, and the offset. */
  readonly config1?: bigint;
  readonly config2?: bigint;
}

const PERF_TYPE_SOFTWARE = 1;
const PERF_COUNT_SW_CPU_CLOCK = 0;

/** How often to sample: so many times a second, or each time that so many nanoseconds have passed. */
export type ClockRate = { readonly frequency: number } | { readonly period: number };

/** Samples by a timer of the kernel: there on every machine. */
export function softwareClock(rate: ClockRate): PerfEventAttr {
  return { type: PERF_TYPE_SOFTWARE, config: PERF_COUNT_SW_CPU_CLOCK, ...rate };
}

const PERF_TYPE_HARDWARE = 0;
const counters = { 'cache references': 2, 'cache misses': 3 };

export type HardwareCounter = keyof typeof counters;

/** Samples every so many events that the processor counts: those of the last-level cache, mostly. */
export function hardwareCounter(counter: HardwareCounter, period: number): PerfEventAttr {
  return { type: PERF_TYPE_HARDWARE, config: counters[counter], period };
}

/** perf_event_open(2). @returns a descriptor, or the negative error number */
export function perfEventOpen(attr: PerfEventAttr, pid: number, cpu: number): number {
  const number = NUMBERS[process.arch];
  if (number === undefined) {
    return -38;
  }
  const bytes = new DataView(new ArrayBuffer(ATTR_SIZE));
  bytes.setUint32(0, attr.type, true);
  bytes.setUint32(4, ATTR_SIZE, true);
  bytes.setBigUint64(8, BigInt(attr.config), true);
  bytes.setBigUint64(16, BigInt(attr.frequency ?? attr.period ?? 0), true);
  bytes.setBigUint64(40, attr.frequency === undefined ? 0n : FREQUENCY_FLAG, true);
  bytes.setBigUint64(56, attr.config1 ?? 0n, true);
  bytes.setBigUint64(64, attr.config2 ?? 0n, true);
  const fd = libc.syscall(number, new Uint8Array(bytes.buffer), pid, cpu, -1, PERF_FLAG_FD_CLOEXEC);
  return fd < 0 ? -errno() : fd;
}
