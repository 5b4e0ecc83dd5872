import { KscopeError } from '../model/errors.ts';
import { Status } from '../output/status.ts';
import { Writer } from '../output/writer.ts';
import { parseTool } from './command.ts';
import { aliasesOf, Registry } from './registry.ts';
import { runTool } from './run.ts';

export interface MainDetails {
  /** The name that the command was called by, if it is not the tool's: an alias. */
  readonly name?: string;
  /** The folder of the compiled definitions. */
  readonly tools?: URL;
}

/**
 * The command line. `argv` is without node and script; with `tool`, it is the arguments of that tool,
 * otherwise those of `kscope`. Resolves to the exit status when all output is written; never rejects.
 */
export async function main(argv: readonly string[], tool?: string, details: MainDetails = {}): Promise<number> {
  const registry = new Registry(details.tools);
  const name = details.name ?? tool ?? 'kscope';
  try {
    return tool === undefined ? await kscope(argv, registry) : await start(name, tool, argv, registry);
  } catch (error) {
    return fail(name, error, argv);
  }
}

async function kscope(argv: readonly string[], registry: Registry): Promise<number> {
  const [first] = argv;
  if (first === undefined || first.startsWith('-') || !registry.has(first)) {
    const found = first === undefined || first.startsWith('-') ? undefined : await alias(first, registry);
    if (found !== undefined && first !== undefined) {
      return startNamed(first, found.tool, [...found.args, ...argv.slice(1)], registry);
    }
    throw new KscopeError('usage', `unknown command '${first}'`);
  }
  return startNamed(first, first, argv.slice(1), registry);
}

async function alias(name: string, registry: Registry) {
  return aliasesOf(await registry.loadAll()).get(name);
}

/** Errors of a tool carry its name, also when it was started through `kscope`. */
async function startNamed(name: string, tool: string, argv: readonly string[], registry: Registry): Promise<number> {
  try {
    return await start(name, tool, argv, registry);
  } catch (error) {
    return fail(name, error, argv);
  }
}

async function start(name: string, toolName: string, argv: readonly string[], registry: Registry): Promise<number> {
  const tool = await registry.load(toolName);
  const parsed = parseTool(name, tool, argv);
  return parsed.kind === 'text' ? print(parsed.text) : runTool(name, tool, parsed.values);
}

/** Prints a text that is all there is to say. */
async function print(text: string): Promise<number> {
  const writer = new Writer(1);
  writer.write(text);
  await writer.flush();
  if (writer.failure !== undefined) {
    throw writer.failure;
  }
  return 0;
}

async function fail(name: string, error: unknown, argv: readonly string[]): Promise<number> {
  const writer = new Writer(2);
  // Not parsed, perhaps not parsable: whoever wrote -v wants to know more.
  const verbose = argv.includes('-v') || argv.includes('--verbose');
  new Status(writer, name, { verbose }).error(error);
  await writer.flush(1000);
  return error instanceof KscopeError ? error.exitCode : 1;
}
