import { flag } from './options.ts';

/** What programs with bpf/include/stack-sides.h understand. */
export const stackSideOptions = {
  user: flag('-U, --user-stacks-only', 'only user stacks', {
    set: 'user_only',
    group: 'filter',
    conflicts: ['kernel'],
  }),
  kernel: flag('-K, --kernel-stacks-only', 'only kernel stacks', {
    set: 'kernel_only',
    group: 'filter',
  }),
};
