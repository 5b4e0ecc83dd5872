import { probeFeature } from './features.ts';
import { parseSection } from './hooks.ts';
import type { BpfObject } from './object.ts';
import { architecture } from './object-file.ts';

/** The constant that tells the programs of an object that they are at functions: see bpf/include/syscall-exit.h. */
const AT_FUNCTIONS = 'syscalls_at_functions';

/**
 * Whether programs at the tracepoints of system calls can be preempted in the running kernel, and so miss what happens
 * meanwhile, while those at functions cannot.
 */
export function tracepointsMissSyscalls(): boolean {
  return probeFeature('sleepable_tracepoint').supported === true && probeFeature('kprobe_multi').supported === true;
}

/**
 * The section that hooks the function of a system call as the tracepoint in `section` hooks the call: at its entry or its
 * return. Undefined for all other sections.
 */
export function functionSection(section: string): string | undefined {
  const { kind, target } = parseSection(section);
  const [, side, name] = kind === 'tracepoint' ? (/^syscalls\/sys_(enter|exit)_(\w+)$/.exec(target) ?? []) : [];
  if (name === undefined) {
    return undefined;
  }
  const prefix = architecture() === 'x86' ? 'x64' : architecture();
  return `${side === 'enter' ? 'kprobe' : 'kretprobe'}.multi/__${prefix}_sys_${name}`;
}

/** The section of a program of an object with these variables as the running kernel makes it. */
export function sectionInUse(section: string, variables: { has(name: string): boolean }): string {
  const other = variables.has(AT_FUNCTIONS) ? functionSection(section) : undefined;
  return other !== undefined && tracepointsMissSyscalls() ? other : section;
}

/**
 * Before load: hooks the programs named to the functions of their system calls. @returns whether there was anything to
 * move, in an object whose programs are made for both
 */
export function moveToSyscallFunctions(object: BpfObject, names: Iterable<string>): boolean {
  const moves = [...names].flatMap((name) => {
    const program = object.program(name);
    const section = sectionInUse(program.section, object.globals);
    return section === program.section ? [] : [{ program, section }];
  });
  for (const { program, section } of moves) {
    program.moveTo(section);
  }
  if (moves.length > 0) {
    object.globals.set(AT_FUNCTIONS, true);
  }
  return moves.length > 0;
}
