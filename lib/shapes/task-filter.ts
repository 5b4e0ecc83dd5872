import { Checker } from '../probes/check.ts';
import { commonNames } from '../probes/common-scope.ts';
import type { ProgramMaps } from '../probes/compile.ts';
import type { TaskFilter } from '../probes/filter-code.ts';
import { kernelTypes } from '../probes/kernel-types.ts';
import { ExpressionParser } from '../probes/parse-expression.ts';

const mountNamespace = '$task->nsproxy->mnt_ns->ns.inum';

/**
 * The filters of the command line for programs that are written at run time, as bpf/include/filter.h has them for
 * others: the maps are the same. After load.
 */
export function taskFilterOf(
  object: Pick<ProgramMaps, 'map'>,
  values: Readonly<Record<string, unknown>>,
  ignoredPid: number | undefined,
): TaskFilter {
  const { pid, tid, uid, comm, cgroup, cgroupMap, mountNamespaceMap } = values;
  return {
    ...(ignoredPid !== undefined && { ignoredPid }),
    ...(typeof pid === 'number' && { pid }),
    ...(typeof tid === 'number' && { tid }),
    ...(typeof uid === 'number' && { uid }),
    ...(typeof comm === 'string' && { comm: Buffer.from(comm).subarray(0, 15) }),
    ...(typeof cgroup === 'string' && { cgroup: object.map('filter_cgroup_array').fd }),
    ...(typeof cgroupMap === 'string' && { cgroups: object.map('filter_cgroupmap_ids').fd }),
    ...(typeof mountNamespaceMap === 'string' && {
      mountNamespaces: { map: object.map('filter_mntnsmap_ids').fd, current: currentMountNamespace() },
    }),
  };
}

function currentMountNamespace() {
  const names = commonNames(() => kernelTypes().find('struct', 'task_struct'));
  const scope = { find: (name: string) => names.get(name), names: () => names.keys(), type: () => undefined };
  return new Checker(mountNamespace, scope).condition(new ExpressionParser(mountNamespace).expression());
}
