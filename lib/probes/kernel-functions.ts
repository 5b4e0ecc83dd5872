import { readFileSync } from 'node:fs';
import { tracefs } from '../bpf/tracefs.ts';

// Code that runs because of a probe, or that cannot be hooked whatever the kernel says.
const denied =
  /^(_kbl_addr_|__?perf_|__SCT__|__pfx_|__cfi_|__bpf_|bpf_prog_|bpf_trampoline_|ftrace_|rcu_nmi_)|\.cold(\.\d+)?$/;

/**
 * Functions of the kernel that can be hooked, each name once: those that it lists for that, or else all that it has, but
 * for those that it forbids.
 */
export function kernelFunctions(matches: (name: string) => boolean): string[] {
  const forbidden = new Set(
    lines('/sys/kernel/debug/kprobes/blacklist').map((line) => line.replace(/^.*\t/, '').replace(/ \[.*$/, '')),
  );
  const listed = lines(`${tracefs()}/available_filter_functions`).map((line) => line.replace(/[ \t].*$/, ''));
  const names = listed.length > 0 ? listed : codeSymbols();
  return [...new Set(names.filter((name) => matches(name) && !denied.test(name) && !forbidden.has(name)))];
}

function codeSymbols(): string[] {
  return [...readFileSync('/proc/kallsyms', 'latin1').matchAll(/^\S+ [tTwW] (\S+)/gm)].map(([, name = '']) => name);
}

function lines(file: string): string[] {
  try {
    return readFileSync(file, 'latin1').split('\n').slice(0, -1);
  } catch {
    // Not there, or not for us.
    return [];
  }
}
