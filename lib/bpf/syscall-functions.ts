import { probeFeature } from './features.ts';
import { parseSection } from './hooks.ts';
import type { BpfObject } from './object.ts';
import { architecture } from './object-file.ts';

/** The constant that tells the programs of an object that they are at functions: see bpf/include/syscall-exit.h. */
const AT_FUNCTIONS = 'syscalls_at_functions';

/**
 * Whether programs at the tracepoints of system calls can be preempted in the running kernel, and so miss what happens
 * meanwhile, while those at the returns of functions cannot.
 */
export function tracepointsMissSyscalls(): boolean {
  return probeFeature('sleepable_tracepoint').supported === true && probeFeature('kprobe_multi').supported === true;
}

/** The function of the system call whose return the tracepoint of a section is at; undefined for all other sections. */
export function syscallFunction(section: string): string | undefined {
  const { kind, target } = parseSection(section);
  const [, name] = kind === 'tracepoint' ? (/^syscalls\/sys_exit_(\w+)$/.exec(target) ?? []) : [];
  return name === undefined ? undefined : `__${architecture() === 'x86' ? 'x64' : architecture()}_sys_${name}`;
}

/** The section of a program of an object with these variables as the running kernel makes it. */
export function sectionInUse(section: string, variables: { has(name: string): boolean }): string {
  const to = variables.has(AT_FUNCTIONS) ? syscallFunction(section) : undefined;
  return to !== undefined && tracepointsMissSyscalls() ? `kretprobe.multi/${to}` : section;
}

/**
 * Before load: hooks the programs named to the functions of their system calls. @returns whether there was anything to
 * move, in an object whose programs are made for both
 */
export function moveToSyscallFunctions(object: BpfObject, names: Iterable<string>): boolean {
  const moves = [...names].flatMap((name) => {
    const program = object.program(name);
    const to = syscallFunction(program.section);
    return to === undefined ? [] : [{ program, to }];
  });
  if (moves.length === 0 || !object.globals.has(AT_FUNCTIONS) || !tracepointsMissSyscalls()) {
    return false;
  }
  for (const { program, to } of moves) {
    program.moveToReturn(to);
  }
  object.globals.set(AT_FUNCTIONS, true);
  return true;
}
