import { readFileSync } from 'node:fs';
import { cgroupOf } from './cgroup.ts';

/** What rows say about the first thread of a process of root. */
export function taskFields(pid: number) {
  return { pid, tid: pid, uid: 0, comm: commOf(pid), cgroup: cgroupOf(pid) };
}

/** The command name of a process, as it is. */
export function commOf(pid: number): string {
  return readFileSync(`/proc/${pid}/comm`, 'utf8').replace(/\n$/, '');
}
