import { choosePrograms, describeHook } from '../bpf/choose.ts';
import { canAttach } from '../bpf/hooks.ts';
import { objectSpec } from '../bpf/object-file.ts';
import { sectionInUse } from '../bpf/syscall-functions.ts';
import type { AttachedHook } from '../model/message.ts';
import type { Tool } from './definition.ts';

/** Whether the running kernel has what a tool needs, without loading it. */
export interface ToolCheck {
  /** The hooks that a run without options would use. */
  readonly hooks: readonly AttachedHook[];
  /** Why the tool cannot run here, when it cannot. */
  readonly problem?: string;
}

/** Asks the kernel about the hooks of a tool; the answers to equal questions are remembered. @throws KscopeError */
export function checkTool(tool: Tool): ToolCheck {
  const { programs, variables } = objectSpec(tool.skeleton);
  const { chosen, problem } = choosePrograms(programs, tool.rules({}), canAttach);
  const hooks = chosen.map((program) => ({
    program,
    hook: describeHook(sectionInUse(programs.find(({ name }) => name === program)?.section ?? '', variables)),
  }));
  return problem === undefined ? { hooks } : { hooks, problem };
}
