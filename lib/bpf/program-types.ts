/** Types of programs, as the kernel numbers them: part of its interface, as the next. */
export const PROG = { KPROBE: 2, TRACEPOINT: 5, PERF_EVENT: 7, RAW_TRACEPOINT: 17, TRACING: 26, LSM: 29 } as const;

/** What programs are attached as, where their type alone does not say it. */
export const ATTACH = {
  ...{ RAW_TP: 23, FENTRY: 24, FEXIT: 25, LSM: 27, ITER: 28 },
  ...{ KPROBE_MULTI: 42, UPROBE_MULTI: 48 },
} as const;
