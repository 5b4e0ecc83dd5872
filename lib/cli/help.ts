import { helpText, unknownCommand } from './command.ts';
import { type Answer, ownCommands } from './own-commands.ts';
import { aliasesOf, type Registry } from './registry.ts';

/** `kscope help [NAME]`. @throws KscopeError usage, if nothing has that name */
export async function help(registry: Registry, values: Readonly<Record<string, unknown>>): Promise<Answer> {
  const name = values.name === undefined ? undefined : String(values.name);
  return { text: await textFor(registry, name), status: 0 };
}

async function textFor(registry: Registry, name: string | undefined): Promise<string> {
  if (name === undefined || name === 'kscope') {
    return overview(registry);
  }
  const own = ownCommands[name];
  if (own !== undefined) {
    return helpText(`kscope ${name}`, own);
  }
  if (registry.has(name)) {
    return helpText(name, await registry.load(name));
  }
  const alias = await registry.alias(name);
  if (alias === undefined) {
    throw await unknownName(registry, name);
  }
  const text = helpText(name, await registry.load(alias.tool));
  return `${text}\n${name} is short for: ${[alias.tool, ...alias.args].join(' ')}\n`;
}

/** The error for a name that is neither a command nor a tool nor an alias. */
export async function unknownName(registry: Registry, name: string) {
  const aliases = aliasesOf(await registry.loadAll([]));
  return unknownCommand(name, [...Object.keys(ownCommands), ...registry.names(), ...aliases.keys()]);
}

/** What `kscope --help` says. */
export function overview(registry: Registry): string {
  const commands = Object.entries(ownCommands).map(([name, { positionals, summary }]) => {
    const term = [name, ...positionals.map((positional) => positional.name)].join(' ');
    return [term, summary.replace(/\.$/, '')] as const;
  });
  const options = [
    ['-V, --version', 'print the version'],
    ['-h, --help', 'show this help'],
  ] as const;
  const width = Math.max(...[...commands, ...options].map(([term]) => term.length));
  const lines = (items: readonly (readonly [string, string])[]) =>
    items.map(([term, what]) => `  ${term.padEnd(width)}  ${lowerFirst(what)}`);
  return [
    'Usage: kscope TOOL [options]',
    '       kscope COMMAND [options]',
    '',
    'Observability tools for Linux.',
    '',
    'Tools:',
    ...wrapWords(registry.names(), 78).map((line) => `  ${line}`),
    '',
    'Commands:',
    ...lines(commands),
    '',
    'Options:',
    ...lines(options),
    '',
    "Each tool is a command of its own, too. 'kscope list' says what each is for,",
    "'kscope help TOOL' explains one.",
    '',
  ].join('\n');
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

function wrapWords(words: readonly string[], width: number): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else {
      lines.push(word);
    }
  }
  return lines;
}
