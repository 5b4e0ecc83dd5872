import { readFileSync } from 'node:fs';

/** Numbers of capabilities(7) that tracing needs. */
export const CAP = { NET_ADMIN: 12, SYS_ADMIN: 21, SYS_RESOURCE: 24, PERFMON: 38, BPF: 39 } as const;

/** Whether this process has a capability now; reads /proc. */
export function hasCapability(capability: number): boolean {
  const status = readFileSync('/proc/self/status', 'utf8');
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0';
  return ((BigInt(`0x${effective}`) >> BigInt(capability)) & 1n) === 1n;
}

/**
 * Whether this process may load and attach tracing programs as far as capabilities go. Yes when nobody can tell: then
 * something else is the reason why it does not.
 */
export function mayTrace(): boolean {
  try {
    return hasCapability(CAP.SYS_ADMIN) || (hasCapability(CAP.BPF) && hasCapability(CAP.PERFMON));
  } catch {
    return true;
  }
}

/** Whether this process may load programs that see what goes through networks; yes when nobody can tell. */
export function mayFilterPackets(): boolean {
  try {
    return hasCapability(CAP.NET_ADMIN) || hasCapability(CAP.SYS_ADMIN);
  } catch {
    return true;
  }
}
