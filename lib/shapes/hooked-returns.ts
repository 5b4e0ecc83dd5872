import type { Frame } from '../model/message.ts';

/** What the kernel's code that waits for returns is called in the mappings of a process. */
const TRAMPOLINE = '[uprobes]';

/** What bpf/include/hooked-returns.h found at the return of a function. */
export interface HookedReturns {
  /** Where the function returns to, if the stack misses that. */
  readonly caller?: Frame | undefined;
  /** Where the calls return to that it is part of and whose return is hooked, too; the innermost first. */
  readonly returns: readonly Frame[];
}

/** The stack at the entry of a function of a program, with what was there before its return and others were hooked. */
export function unhooked(frames: readonly Frame[], { caller, returns }: HookedReturns): readonly Frame[] {
  const [own, ...callers] = frames;
  let next = 0;
  const found = callers.map((frame) => (frame.module === TRAMPOLINE ? (returns[next++] ?? frame) : frame));
  return own === undefined ? frames : [own, ...(caller === undefined ? [] : [caller]), ...found];
}
