import assert from 'node:assert/strict';
import { choosePrograms } from '../../lib/bpf/choose.ts';
import { canAttach } from '../../lib/bpf/hooks.ts';
import { BpfObject } from '../../lib/bpf/object.ts';
import { objectFile } from '../../lib/bpf/object-file.ts';
import { parseArguments } from '../../lib/cli/command.ts';
import { aliasesOf, Registry } from '../../lib/cli/registry.ts';
import type { Tool } from '../../lib/shapes/definition.ts';
import { usualArguments } from './usual-arguments.ts';

/** A command to look at: a tool under its own name or an alias. */
export interface Subject {
  readonly name: string;
  readonly tool: Tool;
  /** What the alias puts in front. */
  readonly given: readonly string[];
  /** The arguments of the first example: how it is run here. */
  readonly usual: readonly string[];
}

const tools = await new Registry().loadAll();

/** All tools under their own names. */
export const subjects: readonly Subject[] = Array.from(tools, ([name, tool]) => subject(name, tool, []));

/** The same tools behind other names. */
export const aliases: readonly Subject[] = Array.from(aliasesOf(tools), ([name, { tool, args }]) =>
  subject(name, tools.get(tool) as Tool, args),
);

function subject(name: string, tool: Tool, given: readonly string[]): Subject {
  // A list is over at once, unless it is to be made again.
  const usual = [...usualArguments(tool), ...(tool.shape === 'snapshot' ? ['0.1'] : [])];
  return { name, tool, given, usual };
}

/** What the options of a subject are with these arguments besides. */
export function valuesOf(
  { name, tool, given, usual }: Subject,
  args: readonly string[],
): Readonly<Record<string, unknown>> {
  const parsed = parseArguments(name, tool, [...given, ...usual, ...args]);
  assert.equal(parsed.kind, 'run');
  return parsed.values;
}

/** What this kernel lacks of what the tool needs. */
export function missingFor(subject: Subject): string | undefined {
  const { tool } = subject;
  using object = BpfObject.open(objectFile(tool.skeleton));
  return choosePrograms([...object.programs.values()], tool.rules(valuesOf(subject, [])), canAttach).problem;
}

/** Whether only that is tried which depends on the kernel: that every tool loads, attaches, ends and leaves nothing. */
export const smoke = process.env.KSCOPE_VM_SCOPE === 'smoke';
