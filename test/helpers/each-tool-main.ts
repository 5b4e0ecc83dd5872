import { parseArguments } from '../../lib/cli/command.ts';
import { Registry } from '../../lib/cli/registry.ts';
import { KscopeError } from '../../lib/model/errors.ts';
import type { Tool } from '../../lib/shapes/definition.ts';
import { usualArguments } from './usual-arguments.ts';

/** What became of a tool: the programs and hooks that it attached, or its error. */
export interface Tried {
  readonly tool: string;
  readonly hooks?: readonly string[];
  /** Why the verifier does not take programs that others have replaced. */
  readonly refused?: readonly string[];
  readonly code?: string;
  readonly message?: string;
  readonly hints?: readonly string[];
  /** Neither done nor an error that the tool has foreseen. */
  readonly crash?: string;
}

const file = process.env.KSCOPE_BTF;
const btf = file === undefined ? {} : { btf: file };
const refusal = /: the verifier refused it: .*; trying the next hook$/s;

/** Starts a tool as its first example does, and ends it when it is attached. */
async function attempt(name: string, tool: Tool): Promise<Tried> {
  const end = new AbortController();
  try {
    const parsed = parseArguments(name, tool, usualArguments(tool));
    if (parsed.kind !== 'run') {
      return { tool: name, crash: 'its first example does not run' };
    }
    let hooks: string[] | undefined;
    const refused: string[] = [];
    const debug = (line: string) => {
      if (refusal.test(line)) {
        refused.push(line);
      }
    };
    for await (const message of tool.run({ values: parsed.values, signal: end.signal, debug, ...btf })) {
      if (message.type === 'ready') {
        hooks = message.hooks.map(({ program, hook }) => `${program} (${hook})`);
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
