import { readFileSync } from 'node:fs';
import { KscopeError } from '../model/errors.ts';
import { errno, errorText, libc } from '../native/libc.ts';

/** 'loadavg: 0.52 0.58 0.59 1/467 12345', as the kernel says it. */
export function loadAverages(): string {
  return `loadavg: ${readFileSync('/proc/loadavg', 'utf8').trim()}`;
}

// struct sysinfo of 64-bit systems: uptime, and then the averages as numbers of 1/65536.
const SYSINFO_SIZE = 112;
const LOADS = 8;

/** The load averages of 1, 5 and 15 minutes, as exactly as the kernel keeps them. @throws KscopeError failed */
export function exactLoads(): [number, number, number] {
  const info = new DataView(new ArrayBuffer(SYSINFO_SIZE));
  if (libc.sysinfo(new Uint8Array(info.buffer)) !== 0) {
    throw new KscopeError('failed', `cannot read the load averages: ${errorText(errno())}`);
  }
  const load = (index: number) => Number(info.getBigUint64(LOADS + 8 * index, true)) / 65536;
  return [load(0), load(1), load(2)];
}
