import { choosePrograms } from '../../lib/bpf/choose.ts';
import { canAttach } from '../../lib/bpf/hooks.ts';
import { objectSpec } from '../../lib/bpf/object-file.ts';
import { parseArguments } from '../../lib/cli/command.ts';
import { Registry } from '../../lib/cli/registry.ts';
import { KscopeError } from '../../lib/model/errors.ts';
import type { Tool } from '../../lib/shapes/definition.ts';
import { usualArguments } from '../helpers/usual-arguments.ts';

/** What became of a tool: the programs and hooks that it attached, or its error. */
export interface Tried {
  readonly tool: string;
  readonly hooks?: readonly string[];
  /** What the kernel seemed to be able to do, and then refused. */
  readonly refused?: readonly string[];
  readonly code?: string;
  readonly message?: string;
  readonly hints?: readonly string[];
  /** Neither done nor an error that the tool has foreseen. */
  readonly crash?: string;
}

/** The programs that are best by all that the kernel says about itself. */
function chosen(tool: Tool, values: Readonly<Record<string, unknown>>): readonly string[] {
  const { programs } = objectSpec(tool.skeleton);
  return choosePrograms(programs, tool.rules(values), canAttach).chosen;
}

/** Starts a tool as its first example does, and ends it when it is attached. */
async function attempt(name: string, tool: Tool): Promise<Tried> {
  const end = new AbortController();
  try {
    const parsed = parseArguments(name, tool, usualArguments(tool));
    if (parsed.kind !== 'run') {
      return { tool: name, crash: 'its first example does not run' };
    }
    let hooks: string[] | undefined;
    let refused: string[] = [];
    for await (const message of tool.run({ values: parsed.values, signal: end.signal })) {
      if (message.type === 'ready') {
        const used = new Set(message.hooks.map(({ program }) => program));
        hooks = message.hooks.map(({ program, hook }) => `${program} (${hook})`);
        refused = chosen(tool, parsed.values).filter((program) => !used.has(program));
        end.abort();
      }
    }
    return hooks === undefined ? { tool: name, crash: 'it ended without being ready' } : { tool: name, hooks, refused };
  } catch (error) {
    return error instanceof KscopeError
      ? { tool: name, code: error.code, message: error.message, hints: error.hints }
      : { tool: name, crash: error instanceof Error ? `${error.stack}` : String(error) };
  }
}

// One process for all: where Node takes seconds to start, that is what can be afforded. A line of JSON for each tool.
const registry = new Registry();
const names = process.argv.length > 2 ? process.argv.slice(2) : registry.names();
for (const name of names) {
  process.stdout.write(`${JSON.stringify(await attempt(name, await registry.load(name)))}\n`);
}
