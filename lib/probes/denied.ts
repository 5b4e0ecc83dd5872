/** Code of the kernel that runs because of a probe, or that cannot be hooked whatever the kernel says. */
const deniedPrefixes = /^(_kbl_addr_|_{0,2}perf_|__SCT__|__bpf_|bpf_prog_|bpf_trampoline_|ftrace_|rcu_nmi_)/;

/** Whether a symbol is no function but a part of one, what precedes one, or what is left of one that was taken out. */
export function isPart(name: string): boolean {
  return /^__(pfx|cfi|ftrace_invalid_address_)_|\.cold(\.\d+)?$/.test(name);
}

/** Whether a function of the kernel must not be hooked, whatever the kernel says. */
export function isDenied(name: string): boolean {
  return deniedPrefixes.test(name);
}

/** Functions of the kernel that never return: what waits for that keeps its room for ever. */
const endless = new Set([
  'cpu_startup_entry',
  'do_exit',
  'do_group_exit',
  'kthread_complete_and_exit',
  'kthread_exit',
  'make_task_dead',
  'module_put_and_kthread_exit',
  'panic',
  'rest_init',
  'rewind_stack_and_make_dead',
  'start_kernel',
  'start_secondary',
  'stop_this_cpu',
]);

/** Whether a function of the kernel is one whose return cannot be hooked. */
export function neverReturns(name: string): boolean {
  return (
    endless.has(name) || /^__(x64|ia32|arm64|arm64_compat)_sys_(exit|exit_group|rt_sigreturn|sigreturn)$/.test(name)
  );
}

/**
 * Functions of programs that return twice, or to somewhere else, or look at return addresses: hooking their return, which
 * is done by putting another address in its place, kills the program.
 */
const unusual =
  /^(_?_?(sig)?setjmp|_?_?(sig)?longjmp|vfork|__vfork|(get|set|make|swap)context|_Unwind_\w+|__restore_rt|_dl_runtime_resolve\w*)$/;

/** Whether hooking the return of a function of a program would break the program. */
export function returnsUnusually(name: string): boolean {
  return unusual.test(name);
}
