import { type CType, letter, nothing, number, u32, u64 } from './c-types.ts';
import type { Typed, Value } from './value.ts';
import { helpers } from './value-writer.ts';

const pid = number('pid_t', 4, true);

/** What can be named everywhere: who runs, and when. @param task the type of the current task, where it is known */
export function commonNames(task: () => CType | undefined): ReadonlyMap<string, Typed> {
  const ids = helpers.currentPidTgid;
  const users = helpers.currentUidGid;
  const helper = (number: number, part: 'all' | 'lower' | 'upper', type: CType): Typed => ({
    type,
    value: { op: 'helper', helper: number, part } satisfies Value,
    space: 'any',
  });
  const comm: Typed = {
    type: { is: 'array', element: () => letter, count: 16 },
    value: { op: 'comm' },
    space: 'kernel',
  };
  return new Map<string, Typed>([
    // As in bcc: a process is a thread group to the kernel, and its pid a thread's.
    ['$pid', helper(ids, 'lower', pid)],
    ['$tid', helper(ids, 'lower', pid)],
    ['$tgid', helper(ids, 'upper', pid)],
    ['$PID', helper(ids, 'upper', pid)],
    ['$uid', helper(users, 'lower', u32)],
    ['$gid', helper(users, 'upper', u32)],
    ['$cpu', helper(helpers.cpu, 'lower', u32)],
    ['$nsecs', helper(helpers.ktime, 'all', u64)],
    [
      '$task',
      { ...helper(helpers.currentTask, 'all', { is: 'pointer', target: () => task() ?? nothing }), space: 'kernel' },
    ],
    ['$comm', comm],
    ['$COMM', comm],
  ]);
}
