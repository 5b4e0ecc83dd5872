import { closeSync, openSync, statSync } from 'node:fs';
import { memberOffset } from '../bpf/member-offset.ts';
import type { BpfObject } from '../bpf/object.ts';
import { commName } from '../model/comm-name.ts';
import { KscopeError } from '../model/errors.ts';
import { cgroupDirectory } from '../system/cgroups.ts';
import { userId } from '../system/users.ts';
import { flag, integer, type Option, text } from './options.ts';

const filter = { group: 'filter' } as const;
/** Above every number that a process can have. */
export const PID_MAX = 2 ** 22;

/**
 * The filters that every tool has: `...filters` in its options, `bpf/include/filter.h` in its program. They are
 * constants of the program, so that one which is off costs nothing.
 */
export const filters = {
  pid: integer('-p, --pid <PID>', 'only this process', {
    ...filter,
    set: 'filter_pid',
    min: 1,
    max: PID_MAX,
    completes: 'pid',
  }),
  tid: integer('-t, --tid <TID>', 'only this thread', { ...filter, set: 'filter_tid', min: 1, max: PID_MAX }),
  uid: user('-u, --uid <USER>', 'only this user, by name or number'),
  comm: text('--comm <NAME>', 'only commands of exactly this name, of which the first 15 bytes count', {
    ...filter,
    set: 'filter_comm',
    encode: commName,
  }),
  cgroup: text('--cgroup <PATH>', 'only tasks in this cgroup (v2) and below', { ...filter, completes: 'directory' }),
  cgroupMap: text('--cgroupmap <PATH>', 'only cgroups whose ids are in this pinned BPF map', {
    ...filter,
    completes: 'file',
  }),
  mountNamespaceMap: text('--mntnsmap <PATH>', 'only mount namespaces whose inodes are in this pinned BPF map', {
    ...filter,
    completes: 'file',
  }),
};

/** The same for tools that choose among rows themselves: by equality with what the fields of these names hold. */
export const rowFilters = {
  pid: ofRows(filters.pid),
  uid: ofRows(filters.uid),
  comm: { ...ofRows(filters.comm), parse: commName },
};

function ofRows<T>({ set, encode, ...option }: Option<T, string>): Option<T, never> {
  return option;
}

/** For programs with bpf/include/cpu-filter.h. */
export const cpuFilter = integer('-c, --cpu <CPU>', 'only this processor', { ...filter, set: 'filter_cpu' });
/** For programs with the constant `failed_only`. */
export const failedOnly = flag('-x, --failed', 'only calls that failed', { ...filter, set: 'failed_only' });
/** For `keep`. */
export const nameContains = text('-n, --name <TEXT>', 'only commands whose name contains TEXT', filter);

function user(flags: string, summary: string): Option<number | undefined, 'filter_uid'> {
  return { flags, summary, ...filter, set: 'filter_uid', completes: 'user', parse: userId };
}

/** Between open and load: the filters that are more than a constant. @throws KscopeError usage */
export function prepareFilters(object: BpfObject, values: Readonly<Record<string, unknown>>): void {
  if (typeof values.cgroup === 'string') {
    object.globals.set('filter_cgroup', true);
    // For programs that look at other tasks than the current one.
    if (object.globals.has('filter_cgroup_id')) {
      object.globals.set('filter_cgroup_id', String(statSync(cgroupDirectory(values.cgroup), { bigint: true }).ino));
    }
  }
  reusePinned(object, values.cgroupMap, 'filter_cgroupmap');
  if (typeof values.mountNamespaceMap === 'string') {
    reusePinned(object, values.mountNamespaceMap, 'filter_mntnsmap');
    object.globals.set('filter_mntnsmap_steps', [
      memberOffset('task_struct', 'nsproxy'),
      memberOffset('nsproxy', 'mnt_ns'),
      memberOffset('mnt_namespace', 'ns', 'inum'),
    ]);
  }
  if (object.globals.has('ignored_pid')) {
    object.globals.set('ignored_pid', process.pid);
  }
}

function reusePinned(object: BpfObject, path: unknown, constant: string): void {
  if (typeof path === 'string') {
    object.map(`${constant}_ids`).reusePinned(path);
    object.globals.set(constant, true);
  }
}

/** Between load and attach. @throws KscopeError usage */
export function loadFilters(object: BpfObject, values: Readonly<Record<string, unknown>>): void {
  const named = values.cgroup;
  if (typeof named !== 'string') {
    return;
  }
  const directory = cgroupDirectory(named);
  const fd = openSync(directory, 'r');
  try {
    object.map('filter_cgroup_array').set(0, fd);
  } catch (cause) {
    throw new KscopeError('failed', `cannot filter by cgroup ${directory}`, { cause });
  } finally {
    closeSync(fd);
  }
}
