import { Argument, Command, CommanderError, Option as CommanderOption } from 'commander';
import { KscopeError } from '../model/errors.ts';
import { type Positional, tracesCommands } from '../shapes/definition.ts';
import type { Option, Options } from '../shapes/options.ts';
import { defaultValues } from './values.ts';
import { version } from './version.ts';

/** What can be said on the command line of one command; a tool is one. */
export interface CommandSpec {
  readonly summary: string;
  readonly options: Options;
  readonly positionals: readonly Positional[];
  readonly examples: Readonly<Record<string, string>>;
  /** First arguments that ask for the help text, too; the beginning of one is enough. */
  readonly helpWords?: readonly string[];
}

/** What a command line asks for: a run with these values, or a text to print. */
export type Parsed =
  | { readonly kind: 'run'; readonly values: Readonly<Record<string, unknown>> }
  | { readonly kind: 'text'; readonly text: string };

/** Heading of the options that have no group: a tool's own. */
export const ownHeading = 'Options:';
/** All headings of the help text, in their order. */
const headings = { own: ownHeading, filter: 'Filters:', column: 'Columns:', output: 'Output:', common: 'Common:' };
const order = Object.keys(headings);
const helpWidth = 80;

/** The options of a command by heading, in the order in which help and manual show them. */
export function groupedOptions(options: Options): [heading: string, options: [key: string, option: Option][]][] {
  const groups = Object.values(headings).map((heading): [string, [string, Option][]] => [heading, []]);
  for (const entry of Object.entries(options).filter(([, { unlisted }]) => unlisted !== true)) {
    groups[order.indexOf(entry[1].group ?? 'own')]?.[1].push(entry);
  }
  return groups.filter(([, members]) => members.length > 0);
}

/** What follows `--`, or `--exec` as in bcc, is a command to trace. */
export function splitCommand(argv: readonly string[]): [own: readonly string[], command: readonly string[]] {
  const at = argv.findIndex((word) => word === '--' || word === '--exec');
  return at < 0 ? [argv, []] : [argv.slice(0, at), argv.slice(at + 1)];
}

/** Reads the arguments of a command. @throws KscopeError usage */
export function parseArguments(name: string, spec: CommandSpec, argv: readonly string[]): Parsed {
  const [first = ''] = argv;
  if (first !== '' && spec.helpWords?.some((word) => word.startsWith(first))) {
    return { kind: 'text', text: helpText(name, spec) };
  }
  const command = parser(name, spec);
  const text = parse(command, argv);
  if (text !== undefined) {
    return { kind: 'text', text };
  }
  const values = defaultValues(spec);
  for (const key of Object.keys(spec.options)) {
    values[key] = command.getOptionValue(key) ?? values[key];
  }
  spec.positionals.forEach(({ key }, i) => {
    const given: unknown = command.processedArgs[i];
    // None of several is an empty list. It may have a name as well.
    values[key] = (Array.isArray(given) && given.length === 0 ? undefined : given) ?? values[key];
  });
  return { kind: 'run', values };
}

/** The text of `NAME --help`. */
export function helpText(name: string, spec: CommandSpec): string {
  return parse(parser(name, spec), ['--help']) ?? '';
}

/** Says that no command has this name, and which one is nearly called so. */
export function unknownCommand(name: string, known: readonly string[]): KscopeError {
  const command = new Command('kscope');
  for (const one of known) {
    command.command(one);
  }
  try {
    parse(command, [name]);
  } catch (error) {
    if (error instanceof KscopeError) {
      return error;
    }
  }
  return new KscopeError('usage', `unknown command '${name}'`);
}

/** Parses, or returns the text that the arguments ask for. */
function parse(command: Command, argv: readonly string[]): string | undefined {
  let text = '';
  command.exitOverride();
  command.configureOutput({
    writeOut: (part) => {
      text += part;
    },
    writeErr: () => {},
    // Help is the same wherever it is printed: it is tested, and it fits.
    getOutHelpWidth: () => helpWidth,
    getOutHasColors: () => false,
  });
  try {
    command.parse([...argv], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) {
        return text;
      }
      throw usageError(command, error);
    }
    if (error instanceof KscopeError && error.code === 'usage' && error.hints.length === 0) {
      const { message, excerpt } = error;
      throw new KscopeError('usage', message, { hint: `${command.name()} --help`, excerpt, cause: error });
    }
    throw error;
  }
  return undefined;
}

/** Our sentence for what the parser found, with its suggestion as a hint. */
function usageError(command: Command, error: CommanderError): KscopeError {
  // What was given, and is quoted, may have lines of its own.
  const [, what = '', suggestion] = /^(?:error: )?(.*?)(?:\n\(Did you mean (.*)\?\))?$/s.exec(error.message) ?? [];
  const excess = command.args[command.registeredArguments.length];
  const message =
    error.code === 'commander.excessArguments'
      ? `unexpected argument '${excess}'`
      : what.replace(/^(option '.*') argument missing$/, '$1 needs a value');
  const help = `${command.name()} --help`;
  return new KscopeError('usage', message, {
    hint: suggestion === undefined ? help : [`did you mean ${suggestion}?`, help],
  });
}

function parser(name: string, spec: CommandSpec): Command {
  const command = new Command(name);
  command.description(spec.summary);
  command.allowExcessArguments(false);
  for (const positional of spec.positionals) {
    command.addArgument(argument(positional));
  }
  if (tracesCommands(spec)) {
    command.usage(
      ['[options]', ...spec.positionals.map((positional) => positional.name), '[-- command ...]'].join(' '),
    );
  }
  const hidden: CommanderOption[] = [];
  for (const [heading, members] of groupedOptions(spec.options)) {
    for (const [key, option] of members) {
      const own = new KeyedOption(option.flags, option, key).helpGroup(heading);
      if (own.short === '-h' || own.long === '--help') {
        throw new Error(`option '${option.flags}' of ${name} takes the place of --help`);
      }
      command.addOption(own.conflicts([...(option.conflicts ?? [])]));
      const placeholder = /[<[].*$/.exec(option.flags)?.[0];
      for (const spelling of option.hidden ?? []) {
        const [opposite, off] = spelling.split('=');
        if (off !== undefined) {
          hidden.push(oppositeOf(`${opposite}`, key).hideHelp());
          continue;
        }
        const flags = placeholder === undefined || /[<[]/.test(spelling) ? spelling : `${spelling} ${placeholder}`;
        hidden.push(new KeyedOption(flags, option, key).hideHelp());
      }
    }
  }
  for (const [key, option] of Object.entries(spec.options)) {
    if (option.unlisted === true) {
      hidden.push(new KeyedOption(option.flags, option, key).hideHelp());
    }
  }
  for (const option of hidden) {
    command.addOption(option);
  }
  command.addOption(
    new KeyedOption('-V, --version', { flags: '', summary: 'print the version' }, versionKey).helpGroup(
      headings.common,
    ),
  );
  command.on('option:version', () => {
    command.configureOutput().writeOut?.(`${name} (kscope ${version()})\n`);
    throw new CommanderError(0, 'commander.version', 'version');
  });
  command.addHelpOption(new CommanderOption('-h, --help', 'show this help').helpGroup(headings.common));
  command.configureHelp({ optionDescription: describe, visibleArguments: (cmd) => [...cmd.registeredArguments] });
  const examples = exampleLines(name, spec.examples);
  if (examples.length > 0) {
    command.addHelpText('after', `\nExamples:\n${examples.join('\n')}`);
  }
  return command;
}

// No option of a tool can have this key: it is no identifier.
const versionKey = '-V';

/** An option whose value is stored under the key of the definition, whatever its spelling. */
class KeyedOption extends CommanderOption {
  readonly #key: string;

  constructor(flags: string, option: Option, key: string) {
    super(flags, option.summary);
    this.#key = key;
    // '--no-headers' is a flag like any other, not the opposite of one.
    this.negate = false;
    const { parse, repeatable } = option;
    if (option.choices !== undefined) {
      this.argChoices = [...option.choices];
    }
    if (parse !== undefined) {
      this.argParser((given: string, previous: unknown) => {
        const value = within(`option '${option.flags}'`, () => parse(given));
        return repeatable !== undefined ? [...((previous as unknown[] | undefined) ?? []), ...asList(value)] : value;
      });
    }
  }

  override attributeName(): string {
    return this.#key;
  }
}

/** `--other`, `--other=true` and `--other=false`, of which only the last is the flag with that key. */
function oppositeOf(spelling: string, key: string): CommanderOption {
  const parse = (given: string) => {
    if (given !== 'true' && given !== 'false') {
      throw new KscopeError('usage', `'${given}' is not true or false`);
    }
    return given === 'false';
  };
  return new KeyedOption(`${spelling} [VALUE]`, { flags: spelling, summary: '', parse }, key).preset('true');
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}

function argument({ name, summary, parse }: Positional): Argument {
  const written = /^[<[]/.test(name) ? name : `[${name}]`;
  const parsed = new Argument(written, summary);
  parsed.argParser((given: string, previous: unknown) => {
    const value = within(`argument '${written}'`, () => parse(given));
    return parsed.variadic ? [...((previous as unknown[] | undefined) ?? []), ...asList(value)] : value;
  });
  return parsed;
}

/** Says in which option or argument a value was wrong. */
function within<T>(where: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof KscopeError && error.code === 'usage') {
      const { message, hints, excerpt } = error;
      throw new KscopeError('usage', `${where}: ${message}`, { hint: hints, excerpt, cause: error });
    }
    throw error;
  }
}

function describe(option: CommanderOption): string {
  const choices = option.argChoices === undefined ? '' : `: ${option.argChoices.join(', ')}`;
  return option.description + choices;
}

/** Indented lines of the examples: the command and, beside or below it, what it does. */
export function exampleLines(name: string, examples: Readonly<Record<string, string>>): string[] {
  const commands = Object.entries(examples).map(([args, what]) => [`${name} ${args}`.trimEnd(), what] as const);
  const width = Math.max(0, ...commands.map(([command]) => command.length));
  const beside = commands.map(([command, what]) => `  ${command.padEnd(width)}  ${what}`);
  return beside.every((line) => line.length <= helpWidth)
    ? beside
    : commands.flatMap(([command, what]) => [`  ${command}`, `      ${what}`]);
}
