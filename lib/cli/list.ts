import type { KscopeError } from '../model/errors.ts';
import { groupedCommands } from './groups.ts';
import type { Answer } from './own-commands.ts';
import { aliasesOf, type Registry } from './registry.ts';

/** `kscope list`: every command by what it is about, what it is for, and which are aliases. */
export async function list(registry: Registry, { json }: Readonly<Record<string, unknown>>): Promise<Answer> {
  const problems: KscopeError[] = [];
  const text = json === true ? await lines(registry, problems) : await groups(registry, problems);
  return { text, status: problems.length > 0 ? 1 : 0, problems };
}

async function groups(registry: Registry, damaged: KscopeError[]): Promise<string> {
  const found = await groupedCommands(registry, damaged);
  const width = Math.max(...found.flatMap(([, members]) => members.map(({ name }) => name.length)));
  const texts = found.map(([title, members]) => {
    const rows = members.map(
      ({ name, summary, shortFor }) => `  ${name.padEnd(width)}  ${shortFor?.join(' ') ?? summary}\n`,
    );
    return `${title}:\n${rows.join('')}`;
  });
  return texts.join('\n');
}

async function lines(registry: Registry, damaged: KscopeError[]): Promise<string> {
  const tools = await registry.loadAll(damaged);
  const aliases = aliasesOf(tools);
  const objects = Array.from(tools, ([name, { summary, area, shape }]) => {
    const own = Array.from(aliases).filter(([, { tool }]) => tool === name);
    return { name, summary, area, shape, aliases: Object.fromEntries(own.map(([key, { args }]) => [key, args])) };
  });
  return objects.map((object) => `${JSON.stringify(object)}\n`).join('');
}
