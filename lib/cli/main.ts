import { KscopeError } from '../model/errors.ts';
import { Status } from '../output/status.ts';
import { Writer } from '../output/writer.ts';
import type { Answer } from './own-commands.ts';
import { type Definitions, Registry } from './registry.ts';
import { runTool } from './run.ts';
import { defaultValues } from './values.ts';

export interface MainDetails {
  /** The name that the command was called by, if it is not the tool's: an alias. */
  readonly name?: string;
  /** The definitions, or the folder of their modules, if it is not the one beside this. */
  readonly tools?: URL | Definitions;
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
  const [first, ...rest] = argv;
  if (first === undefined) {
    const { overview } = await import('./help.ts');
    return print({ text: overview(registry), status: 2 }, 2);
  }
  if (first === '-h' || first === '--help') {
    const { overview } = await import('./help.ts');
    return print({ text: overview(registry), status: 0 });
  }
  if (first === '-V' || first === '--version') {
    const { version } = await import('./version.ts');
    return print({ text: `kscope ${version()}\n`, status: 0 });
  }
  if (first.startsWith('-')) {
    throw new KscopeError('usage', `unknown option '${first}'`, { hint: 'kscope --help' });
  }
  const { ownCommands } = await import('./own-commands.ts');
  const own = Object.hasOwn(ownCommands, first) ? ownCommands[first] : undefined;
  if (own !== undefined) {
    const { parseArguments } = await import('./command.ts');
    const parsed = parseArguments(`kscope ${first}`, own, rest);
    if (parsed.kind === 'run' && own.run !== undefined) {
      return own.run(parsed.values, registry);
    }
    const answer =
      parsed.kind === 'text' ? { text: parsed.text, status: 0 } : await own.answer?.(parsed.values, registry);
    return answer === undefined ? 0 : print(answer);
  }
  if (registry.has(first)) {
    return startNamed(first, first, rest, registry);
  }
  const alias = await registry.alias(first);
  if (alias !== undefined) {
    return startNamed(first, alias.tool, [...alias.args, ...rest], registry);
  }
  const { unknownName } = await import('./help.ts');
  throw await unknownName(registry, first);
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
  if (argv.length === 0 && tool.positionals.every(({ name }) => name.startsWith('['))) {
    // A bare command starts sooner when nothing has to be parsed.
    return runTool(name, tool, defaultValues(tool));
  }
  const { parseArguments, splitCommand } = await import('./command.ts');
  const [own, command] = splitCommand(argv);
  const parsed = parseArguments(name, tool, own);
  return parsed.kind === 'text' ? print({ text: parsed.text, status: 0 }) : runTool(name, tool, parsed.values, command);
}

/** Prints a text that is all there is to say. */
async function print({ text, status, problems = [] }: Answer, fd = 1): Promise<number> {
  const writer = new Writer(fd);
  writer.write(text);
  await writer.flush();
  if (writer.failure !== undefined) {
    throw writer.failure;
  }
  for (const problem of problems) {
    await fail('kscope', problem, []);
  }
  return status;
}

async function fail(name: string, error: unknown, argv: readonly string[]): Promise<number> {
  const writer = new Writer(2);
  // Not parsed, perhaps not parsable: whoever wrote -v wants to know more.
  const verbose = argv.includes('-v') || argv.includes('--verbose');
  new Status(writer, name, { verbose }).error(error);
  await writer.flush(1000);
  return error instanceof KscopeError ? error.exitCode : 1;
}
