import { groupedCommands } from '../cli/groups.ts';
import type { Registry } from '../cli/registry.ts';
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
  const groups = (await groupedCommands(registry)).map(([title, members]) => {
    const rows = members.map(({ name, summary, shortFor }) => {
      const purpose = shortFor === undefined ? summary : `\`${shortFor.join(' ')}\``;
      return `| [${name}](man/${name}.8) | ${purpose.replaceAll('|', '\\|')} |\n`;
    });
    return `### ${title}\n\n| | |\n| --- | --- |\n${rows.join('')}`;
  });
  return groups.join('\n');
}
