import type { Assembler, Label } from './assembler.ts';
import type { Value } from './value.ts';
import { helpers, type ValueWriter } from './value-writer.ts';

/** Whom a program looks at; what is absent lets everybody through. */
export interface TaskFilter {
  readonly pid?: number;
  readonly tid?: number;
  readonly uid?: number;
  /** The exact name of the command. */
  readonly comm?: Uint8Array;
  /** Not this process. */
  readonly ignoredPid?: number;
  /** A map with a cgroup at index 0, of which the task has to be below. */
  readonly cgroup?: number;
  /** Sets: of ids of cgroups, and of mount namespaces with what tells that of the task. */
  readonly cgroups?: number;
  readonly mountNamespaces?: { readonly map: number; readonly current: Value };
}

/** Goes to the label unless the current task is wanted. */
export function writeFilter(writer: ValueWriter, filter: TaskFilter, unwanted: Label): void {
  const { code } = writer;
  const { pid, tid, uid, comm, ignoredPid, cgroup, cgroups, mountNamespaces } = filter;
  if (pid !== undefined || ignoredPid !== undefined || tid !== undefined) {
    code.call(helpers.currentPidTgid).compute('=', 1, 0).compute('>>', 1, { number: 32 });
    if (ignoredPid !== undefined) {
      code.jumpIf('==', 1, { number: ignoredPid }, unwanted);
    }
    if (pid !== undefined) {
      code.jumpIf('!=', 1, { number: pid }, unwanted);
    }
    if (tid !== undefined) {
      code.extend(0, 32, false).jumpIf('!=', 0, { number: tid }, unwanted);
    }
  }
  if (uid !== undefined) {
    code
      .call(helpers.currentUidGid)
      .extend(0, 32, false)
      .set(1, BigInt(uid >>> 0))
      .jumpIf('!=', 0, 1, unwanted);
  }
  if (comm !== undefined) {
    writer.unless(
      { op: 'same text', address: { op: 'comm' }, space: 'kernel', bytes: comm, how: 'whole', equal: true },
      unwanted,
    );
  }
  if (cgroup !== undefined) {
    code.map(1, cgroup).compute('=', 2, { number: 0 }).call(helpers.currentUnderCgroup);
    code.extend(0, 32, false).jumpIf('!=', 0, { number: 1 }, unwanted);
  }
  if (cgroups !== undefined) {
    code.call(helpers.currentCgroupId);
    writeLookup(writer, code, cgroups, unwanted);
  }
  if (mountNamespaces !== undefined) {
    writer.value(mountNamespaces.current);
    writeLookup(writer, code, mountNamespaces.map, unwanted);
  }
}

/** Whether r0 is in a set. */
function writeLookup(writer: ValueWriter, code: Assembler, map: number, unwanted: Label): void {
  const at = writer.reserve(8);
  code.store(8, 10, at, 0).map(1, map).compute('=', 2, 10).compute('+', 2, { number: at });
  code.call(helpers.mapLookup).jumpIf('==', 0, { number: 0 }, unwanted);
  writer.release(8);
}
