import { statSync } from 'node:fs';
import { KscopeError } from '../model/errors.ts';

/** The inode of a process's network namespace: what `ls -L -i /proc/PID/ns/net` shows. @throws KscopeError usage */
export function networkNamespace(pid: number, proc = '/proc'): number {
  try {
    return statSync(`${proc}/${pid}/ns/net`).ino;
  } catch (cause) {
    throw new KscopeError('usage', `process ${pid} has no network namespace to look at`, { cause });
  }
}

/** The inode of the host's own, where this process may know it: that of the first process. */
export function hostNetwork(): number | undefined {
  try {
    return statSync('/proc/1/ns/net').ino;
  } catch {
    return undefined;
  }
}
