import { flag } from './options.ts';

const output = { group: 'output' } as const;

/** For tools whose usual unit is another one. */
export const milliseconds = flag('-m, --milliseconds', 'print times in milliseconds', output);
export const microseconds = flag('-u, --microseconds', 'print times in microseconds', output);
export const nanoseconds = flag('-N, --nanoseconds', 'print times in nanoseconds', output);
