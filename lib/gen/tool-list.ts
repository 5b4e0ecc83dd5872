import type { Registry } from '../cli/registry.ts';
import { aliasesOf } from '../cli/registry.ts';
import { KscopeError } from '../model/errors.ts';

const begin = '<!-- tools: written by `npm run docs` -->';
const end = '<!-- end of tools -->';

/** A text with a table of all commands between its marks. @throws KscopeError failed, when it has no marks */
export async function withToolList(text: string, registry: Registry): Promise<string> {
  const from = text.indexOf(begin);
  const to = text.indexOf(end, from);
  if (from < 0 || to < 0) {
    throw new KscopeError('failed', `no place for the list of tools: '${begin}' and '${end}' mark it`);
  }
  return `${text.slice(0, from)}${begin}\n\n${await table(registry)}\n${text.slice(to)}`;
}

async function table(registry: Registry): Promise<string> {
  const tools = await registry.loadAll();
  const aliases = Array.from(aliasesOf(tools), ([name, { tool, args }]) => [name, `\`${[tool, ...args].join(' ')}\``]);
  const rows = [...Array.from(tools, ([name, { summary }]) => [name, summary]), ...aliases];
  const lines = rows
    .sort(([a = ''], [b = '']) => (a < b ? -1 : 1))
    .map(([name, purpose]) => `| [${name}](man/${name}.8) | ${purpose?.replaceAll('|', '\\|')} |\n`);
  return `| | |\n| --- | --- |\n${lines.join('')}`;
}
