import { readFileSync } from 'node:fs';

/** Whether a process in the network namespace of this one gets a socket when it asks for one for MPTCP. */
export function mptcpEnabled(file = '/proc/sys/net/mptcp/enabled'): boolean {
  try {
    return readFileSync(file, 'latin1').trim() !== '0';
  } catch {
    // The kernel has none.
    return false;
  }
}
