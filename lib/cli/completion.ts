import { KscopeError } from '../model/errors.ts';
import { commonOptions } from '../shapes/common-options.ts';
import type { Tool } from '../shapes/definition.ts';
import { longName, type Option, type Options } from '../shapes/options.ts';
import { bashCompletion } from './completion-bash.ts';
import { fishCompletion } from './completion-fish.ts';
import { zshCompletion } from './completion-zsh.ts';
import { type Answer, ownCommands } from './own-commands.ts';
import { aliasesOf, type Registry } from './registry.ts';

/** What can follow an option or stand as an argument. */
export type Candidates =
  | { readonly kind: 'file' | 'directory' | 'pid' | 'user' | 'none' }
  /** `list`: several, separated by commas. */
  | { readonly kind: 'words'; readonly words: readonly string[]; readonly list: boolean };

/** An option as a shell has to know it. */
export interface CompletedOption {
  /** '-p', if it has a letter. */
  readonly short?: string;
  /** '--pid'. */
  readonly long: string;
  readonly summary: string;
  /** Name of the value, and what it can be; undefined for switches. */
  readonly value?: { readonly name: string; readonly candidates: Candidates };
  readonly repeatable: boolean;
}

/** A command as a shell has to know it. */
export interface CompletedCommand {
  readonly summary: string;
  readonly options: readonly CompletedOption[];
  readonly arguments: readonly Candidates[];
}

/** All that the scripts are made of. */
export interface CompletedCommands {
  /** Tools and aliases: commands of their own, and of kscope. */
  readonly tools: ReadonlyMap<string, CompletedCommand>;
  /** Commands of kscope only. */
  readonly own: ReadonlyMap<string, CompletedCommand>;
}

const scripts = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion };
export type Shell = keyof typeof scripts;

/** `kscope completion SHELL`. @throws KscopeError usage, for a shell that we do not know */
export async function completion(registry: Registry, values: Readonly<Record<string, unknown>>): Promise<Answer> {
  const shell = String(values.shell);
  if (!isShell(shell)) {
    const known = Object.keys(scripts).join(', ');
    throw new KscopeError('usage', `there is no completion for '${shell}'`, { hint: `shells: ${known}` });
  }
  const problems: KscopeError[] = [];
  const text = completionScript(shell, completedCommands(await registry.loadAll(problems)));
  return { text, status: problems.length > 0 ? 1 : 0, problems };
}

export function completionScript(shell: Shell, commands: CompletedCommands): string {
  return scripts[shell](commands);
}

function isShell(text: string): text is Shell {
  return Object.hasOwn(scripts, text);
}

/** Reads the definitions of all tools. */
export function completedCommands(tools: ReadonlyMap<string, Tool>): CompletedCommands {
  const found = new Map(Array.from(tools, ([name, tool]) => [name, completedTool(tool)]));
  const aliases = aliasesOf(tools);
  for (const [name, { tool, args }] of aliases) {
    const target = found.get(tool);
    if (target !== undefined) {
      found.set(name, { ...target, summary: `Short for: ${[tool, ...args].join(' ')}` });
    }
  }
  const words = { tools: [...found.keys()].sort(), commands: [...Object.keys(ownCommands), ...found.keys()].sort() };
  const own = Object.entries(ownCommands).map(([name, command]): [string, CompletedCommand] => [
    name,
    {
      summary: command.summary,
      options: [...listed(command.options).map((option) => completedOption(option)), help],
      arguments: command.positionals.map(({ words: kind }) =>
        kind === 'files'
          ? { kind: 'file' }
          : { kind: 'words', words: typeof kind === 'string' ? words[kind] : kind, list: false },
      ),
    },
  ]);
  return { tools: found, own: new Map(own) };
}

const help: CompletedOption = { short: '-h', long: '--help', summary: 'show this help', repeatable: false };
const version: CompletedOption = { short: '-V', long: '--version', summary: 'print the version', repeatable: false };

/** The options of kscope itself. */
export const globalOptions: readonly CompletedOption[] = [help, version];

function completedTool(tool: Tool): CompletedCommand {
  const fields = tool.columns().map(({ name }) => name);
  const options = listed(tool.options).map((option) =>
    completedOption(option, option === commonOptions.fields ? fields : undefined),
  );
  return {
    summary: tool.summary,
    options: [...options, help, version],
    arguments: tool.positionals.map(() => ({ kind: 'none' })),
  };
}

function completedOption(option: Option, words = option.choices): CompletedOption {
  const short = /^-[^-]/.exec(option.flags)?.[0];
  const name = /[<[]([^>\]]*)/.exec(option.flags)?.[1];
  const repeatable = option.repeatable !== undefined;
  return {
    ...(short === undefined ? {} : { short }),
    long: `--${longName(option)}`,
    summary: option.summary,
    ...(name === undefined ? {} : { value: { name, candidates: candidatesFor(option, words) } }),
    repeatable,
  };
}

function candidatesFor(option: Option, words: readonly string[] | undefined): Candidates {
  return words === undefined
    ? { kind: option.completes ?? 'none' }
    : { kind: 'words', words, list: option.repeatable === 'commas' };
}

/** The spellings of an option: '-p' and '--pid'. */
export function spellings({ short, long }: CompletedOption): readonly string[] {
  return short === undefined ? [long] : [short, long];
}

function listed(options: Options): Option[] {
  return Object.values(options).filter(({ unlisted }) => unlisted !== true);
}
