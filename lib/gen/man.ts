import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { groupedOptions, ownHeading } from '../cli/command.ts';
import { type Alias, aliasesOf, Registry } from '../cli/registry.ts';
import type { JsonSchema } from '../model/json.ts';
import { type Tool, type ToolColumn, tracesCommands } from '../shapes/definition.ts';
import { networkPrivilege } from '../shapes/network-privilege.ts';
import { longName, type Option } from '../shapes/options.ts';
import { hookLines } from './hook-lines.ts';
import { roffArgument, roffEntry, roffLine, roffParagraphs, roffProse, roffText } from './roff.ts';

/** The page that no definition makes. */
const byHand = 'kscope.8';

/**
 * Writes a manual page for each tool in `dist/tools`, and one for each alias, to `folder`, and removes those of tools
 * that are no more. Returns the file names.
 * Pages carry no date and no version: they change when what they say changes.
 */
export async function writeManPages(dist: string, folder: string, measured: Measured = {}): Promise<string[]> {
  const pages = await manPages(new Registry(pathToFileURL(`${join(dist, 'tools')}/`)), measured);
  await mkdir(folder, { recursive: true });
  for (const [file, text] of pages) {
    await writeFile(join(folder, file), text);
  }
  for (const file of await readdir(folder)) {
    if (file.endsWith('.8') && file !== byHand && !pages.has(file)) {
      await rm(join(folder, file));
    }
  }
  return [...pages.keys()];
}

/** A paragraph for OVERHEAD by tool: what `npm run bench -- --record` has found. */
export type Measured = Readonly<Record<string, string>>;

/** Reads what was recorded; nothing when nothing was. */
export function readMeasured(file: string): Measured {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
}

/** The generated pages by file name. */
export async function manPages(registry: Registry, measured: Measured = {}): Promise<Map<string, string>> {
  const tools = await registry.loadAll();
  const pages = new Map<string, string>();
  for (const [name, tool] of tools) {
    pages.set(`${name}.8`, manPage(name, tool, measured[name]));
  }
  for (const [name, alias] of aliasesOf(tools)) {
    pages.set(`${name}.8`, aliasPage(alias));
  }
  return pages;
}

/** The manual of an alias is that of its tool. */
function aliasPage({ tool }: Alias): string {
  return `.so man8/${tool}.8\n`;
}

/** Words on as few lines as formatters like. */
function filled(words: readonly string[]): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + 1 + word.length <= 80) {
      lines[lines.length - 1] = `${line} ${word}`;
    } else {
      lines.push(word);
    }
  }
  return lines;
}

/** The manual page of a tool, in man(7). */
export function manPage(name: string, tool: Tool, measured = ''): string {
  const overhead = [tool.overhead, measured].filter((text) => text.trim() !== '').join('\n\n');
  const lines = [
    `.TH ${roffArgument(name.toUpperCase())} 8 "" ${roffArgument('kscope')} ${roffArgument('System Administration')}`,
    '.SH NAME',
    // A single line, as whatis(1) wants it.
    `${roffText(name)} \\- ${roffText(lowerFirst(tool.summary.replace(/\.$/, '')))}`,
    '.SH SYNOPSIS',
    `.B ${roffText(name)}`,
    ...filled([
      '[\\fIoption\\fR ...]',
      ...tool.positionals.map((positional) => bracketed(positional.name)),
      ...(tracesCommands(tool) ? ['[\\-\\- \\fIcommand\\fR ...]'] : []),
    ]),
    '.SH DESCRIPTION',
    ...roffParagraphs(tool.description.trim() === '' ? tool.summary : tool.description),
    ...aliasLines(tool),
    ...(tracesCommands(tool)
      ? ['.PP', 'With a \\fIcommand\\fR, only that process is traced, from its start to its end.']
      : []),
    '.PP',
    ...roffProse(privileges(tool)),
    '\\fBkscope doctor\\fR says whether this machine can run it.',
    '.SH OPTIONS',
    ...optionLines(tool),
    '.SH FIELDS',
    ...fieldLines(tool),
    '.SH HOOKS',
    ...hookLines(tool),
    ...(overhead === '' ? [] : ['.SH OVERHEAD', ...roffParagraphs(overhead)]),
    '.SH EXAMPLES',
    ...Object.entries(tool.examples).flatMap(([args, what]) => exampleLines(`${name} ${args}`.trimEnd(), what)),
    ...sampleLines(name, tool),
    ...ending,
  ];
  return `${lines.join('\n')}\n`;
}

/** Who may run the tool. */
function privileges(tool: Tool): string {
  if (tool.unprivileged) {
    return 'Anybody may run it: it only reads.';
  }
  if (tool.shape === 'listing') {
    return 'Needs root, or CAP_DAC_READ_SEARCH: it only reads.';
  }
  const network = networkPrivilege(tool);
  if (network === 'always') {
    return 'Needs root, or CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN.';
  }
  const needs = 'Needs root, or CAP_BPF and CAP_PERFMON';
  if (network === 'never') {
    return `${needs}.`;
  }
  const when =
    network === 'else'
      ? 'where functions of the kernel cannot be hooked'
      : `with ${network.map((option) => `--${longName(option)}`).join(' or ')}`;
  return `${needs}; ${when}, CAP_NET_ADMIN as well.`;
}

/** What runs printed, in print that keeps columns. */
function sampleLines(name: string, { samples = [] }: Tool): string[] {
  const lines = samples.flatMap(({ before, args, output, after }) => [
    ...roffParagraphs(before),
    '.PP',
    '.nf',
    ...[`# ${`${name} ${args}`.trimEnd()}`, ...output.replace(/^\n|\n$/g, '').split('\n')].map(roffLine),
    '.fi',
    '.PP',
    ...roffParagraphs(after),
    '.PP',
  ]);
  return lines.length === 0 ? [] : ['.SH OUTPUT', ...lines.slice(0, -1)];
}

function lowerFirst(text: string): string {
  // 'TCP' stays as it is.
  return /^[A-Z][a-z]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text;
}

function bracketed(name: string): string {
  const [, open = '[', word = name, close = ']'] = /^([[<])?(.*?)([\]>])?$/.exec(name) ?? [];
  return open === '<' ? `\\fI${roffText(word)}\\fR` : `${open}\\fI${roffText(word)}\\fR${close}`;
}

function aliasLines({ aliases }: Tool): string[] {
  return Object.entries(aliases).flatMap(([alias, args]) => [
    '.PP',
    `\\fB${roffText(alias)}\\fR is the same with the arguments \\fB${roffText(args.join(' '))}\\fR.`,
  ]);
}

function optionLines({ options, positionals }: Tool): string[] {
  const lines = positionals.flatMap(({ name, summary }) =>
    roffEntry(`\\fI${roffText(name.replace(/[[\]<>]/g, ''))}\\fR`, sentence(summary)),
  );
  for (const [heading, members] of groupedOptions(options)) {
    if (heading !== ownHeading) {
      lines.push(`.SS ${roffArgument(heading.replace(/:$/, ''))}`);
    }
    for (const [, option] of members) {
      lines.push(...roffEntry(optionTerm(option), optionText(option, options)));
    }
  }
  lines.push(...roffEntry('\\fB\\-V\\fR, \\fB\\-\\-version\\fR', 'Print the version.'));
  lines.push(...roffEntry('\\fB\\-h\\fR, \\fB\\-\\-help\\fR', 'Show a short help.'));
  return lines;
}

/** '-p, --pid <PID>' with the names in bold and the value in italics. */
function optionTerm({ flags }: Option): string {
  return flags
    .split(/(?<=,) | /)
    .map((word) => {
      const [, name = word, comma = ''] = /^(.*?)(,?)$/.exec(word) ?? [];
      return name.startsWith('-') ? `\\fB${roffText(name)}\\fR${comma}` : value(name);
    })
    .join(' ');
}

function value(name: string): string {
  return name.startsWith('[') ? `[\\fI${roffText(name.slice(1, -1))}\\fR]` : `\\fI${roffText(name.slice(1, -1))}\\fR`;
}

function optionText(option: Option, options: Tool['options']): string {
  const parts = [sentence(option.summary)];
  if (option.choices !== undefined) {
    parts.push(`One of ${option.choices.join(', ')}.`);
  }
  if (option.default !== undefined && option.parse !== undefined) {
    parts.push(`By default ${String(option.default)}.`);
  }
  if (option.repeatable === 'commas') {
    parts.push('Several are separated by commas, or the option is given again.');
  } else if (option.repeatable === 'again') {
    parts.push('For several, the option is given again.');
  }
  const others = (option.conflicts ?? []).flatMap(
    (key) =>
      options[key]?.flags
        .replace(/ *[<[].*$/, '')
        .split(', ')
        .at(-1) ?? [],
  );
  if (others.length > 0) {
    parts.push(`Not together with ${others.join(', ')}.`);
  }
  return parts.join(' ');
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

/** The columns of the text, then what only JSON and --fields have. */
function fieldLines(tool: Tool): string[] {
  const columns = tool.columns();
  const shown = new Set(columns.map(({ name }) => name));
  const lines = columns.flatMap((column) => roffEntry(fieldTerm(column), fieldText(column)));
  const others = dataSchemas(tool.schema()).flatMap(fieldSchemas);
  for (const [name, { description = '' }] of others) {
    if (!shown.has(name) && name !== 'type') {
      shown.add(name);
      lines.push(
        ...roffEntry(`\\fB${roffText(name)}\\fR`, `${sentence(description)} With --json or --fields only.`.trimStart()),
      );
    }
  }
  return lines;
}

/** Rows of a table are as lines. */
function fieldSchemas({ properties = {} }: JsonSchema): readonly [string, JsonSchema][] {
  return Object.entries(properties).flatMap(([name, schema]) =>
    name === 'rows' && schema.items !== undefined ? fieldSchemas(schema.items) : [[name, schema] as const],
  ) as [string, JsonSchema][];
}

function dataSchemas(schema: JsonSchema): readonly JsonSchema[] {
  return schema.oneOf ?? [schema];
}

function fieldTerm({ name, header }: ToolColumn): string {
  const title = header === '' || header.toLowerCase() === name ? '' : ` (${roffText(header)})`;
  return `\\fB${roffText(name)}\\fR${title}`;
}

function fieldText({ help, option }: ToolColumn): string {
  const shown = option === undefined ? '' : ` Shown with ${option.flags.replace(/ *[<[].*$/, '')}.`;
  return `${sentence(help)}${shown}`;
}

function exampleLines(command: string, what: string): string[] {
  return ['.TP', `.B # ${roffText(command)}`, ...roffProse(sentence(what))];
}

const ending: readonly string[] = [
  '.SH EXIT STATUS',
  ...roffEntry('0', 'The run ended: by itself, by a signal, after the duration, or because nobody read any more.'),
  ...roffEntry('1', 'Something failed while it ran.'),
  ...roffEntry('2', 'The command line is wrong.'),
  ...roffEntry('3', 'This kernel or machine lacks something; the message says what.'),
  ...roffEntry('4', 'Not permitted; the message says how to do it.'),
  '.SH SEE ALSO',
  '.BR kscope (8)',
];
