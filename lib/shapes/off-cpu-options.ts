import { filtersByLists } from './id-lists.ts';
import { flag, integer } from './options.ts';
import { stackSideOptions } from './stack-sides.ts';

/** How long a wait that counts may be: for programs with the constants `min_block` and `max_block`. */
export const blockTimeOptions = {
  minimum: integer('-m, --min-block-time <US>', 'only waits that took at least this many microseconds; usually 1', {
    set: 'min_block',
    group: 'filter',
  }),
  maximum: integer('-M, --max-block-time <US>', 'only waits that took at most this many microseconds', {
    set: 'max_block',
    group: 'filter',
  }),
};

/** What programs with bpf/include/off-cpu.h understand. */
export const offCpuOptions = {
  ...filtersByLists,
  userThreads: flag('--user-threads-only', 'only threads of user processes', {
    set: 'user_threads',
    group: 'filter',
    conflicts: ['kernelThreads'],
  }),
  kernelThreads: flag('-k, --kernel-threads-only', 'only threads of the kernel', {
    set: 'kernel_threads',
    group: 'filter',
  }),
  ...stackSideOptions,
  ...blockTimeOptions,
  state: integer('--state <MASK>', 'only threads left in one of these states: 1 sleeps, 2 waits for a device, 0 runs', {
    set: 'state_mask',
    group: 'filter',
    max: 1023,
  }),
};
