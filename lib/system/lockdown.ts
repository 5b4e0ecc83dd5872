import { readFileSync } from 'node:fs';

/** Where the kernel says what it forbids even root: kernel_lockdown(7). */
export const LOCKDOWN = '/sys/kernel/security/lockdown';

/** The mode in what that file says: 'none', 'integrity' or 'confidentiality'; 'none' for kernels that have no file. */
export function lockdownMode(text: string | undefined): string {
  return /\[(\w+)\]/.exec(text ?? '')?.[1] ?? 'none';
}

/** Whether programs may not read the kernel's memory, and nobody sees its tracepoints. Only root is told. */
export function isConfidential(): boolean {
  try {
    return lockdownMode(readFileSync(LOCKDOWN, 'utf8')) === 'confidentiality';
  } catch {
    return false;
  }
}

/** What the kernel is said to be when that is why something is missing. */
export const lockedDown = 'locked down';

/** What can be done about it. */
export const unlock = 'boot with lockdown=integrity, or without lockdown';
