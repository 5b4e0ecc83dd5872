import { filters, PID_MAX } from './filters.ts';
import { list, type Option, parseInteger } from './options.ts';

/** The filters, by several processes and threads: for programs with bpf/include/filter-lists.h. */
export const filtersByLists = {
  ...filters,
  pid: ids('-p, --pid <PIDS>', 'only these processes', 'filter_pids', 'pid'),
  tid: ids('-t, --tid <TIDS>', 'only these threads', 'filter_tids', 'none'),
};

function ids<const Set extends string>(
  flags: string,
  summary: string,
  set: Set,
  completes: 'pid' | 'none',
): Option<readonly number[] | undefined, Set> {
  return list(flags, summary, (id) => parseInteger(id, 1, PID_MAX), { group: 'filter', set, completes });
}
