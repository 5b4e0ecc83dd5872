import { filtersByLists } from './id-lists.ts';
import { flag, integer } from './options.ts';

/** What programs with bpf/include/off-cpu.h understand. */
export const offCpuOptions = {
  ...filtersByLists,
  userThreads: flag('--user-threads-only', 'only threads of user processes', {
    set: 'user_threads',
    conflicts: ['kernelThreads'],
  }),
  kernelThreads: flag('-k, --kernel-threads-only', 'only threads of the kernel', { set: 'kernel_threads' }),
  user: flag('-U, --user-stacks-only', 'only user stacks', {
    set: 'user_only',
    hidden: ['--user'],
    conflicts: ['kernel'],
  }),
  kernel: flag('-K, --kernel-stacks-only', 'only kernel stacks', { set: 'kernel_only', hidden: ['--kernel'] }),
  least: integer('-m, --min-block-time <USECS>', 'only waits of at least so many microseconds; usually 1', {
    set: 'min_block',
  }),
  most: integer('-M, --max-block-time <USECS>', 'only waits of at most so many microseconds', { set: 'max_block' }),
  state: integer('--state <MASK>', 'only threads left in one of these states: 1 sleeps, 2 waits for a device, 0 runs', {
    set: 'state_mask',
    max: 1023,
  }),
};
