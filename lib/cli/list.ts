import { renderCells } from '../output/table.ts';
import type { Answer } from './own-commands.ts';
import { aliasesOf, type Registry } from './registry.ts';

/** `kscope list`: every command, what it is for, and which are aliases. */
export async function list(registry: Registry, { json }: Readonly<Record<string, unknown>>): Promise<Answer> {
  const tools = await registry.loadAll();
  const aliases = aliasesOf(tools);
  if (json === true) {
    const lines = Array.from(tools, ([name, { summary, shape }]) => {
      const own = Array.from(aliases).filter(([, { tool }]) => tool === name);
      return JSON.stringify({
        name,
        summary,
        shape,
        aliases: Object.fromEntries(own.map(([key, { args }]) => [key, args])),
      });
    });
    return { text: lines.map((line) => `${line}\n`).join(''), status: 0 };
  }
  const rows = [
    ...Array.from(tools, ([name, { summary }]) => [name, summary]),
    ...Array.from(aliases, ([name, { tool, args }]) => [name, `Short for: ${[tool, ...args].join(' ')}`]),
  ].sort(([a = ''], [b = '']) => (a < b ? -1 : 1));
  const columns = [
    { header: 'TOOL', align: 'left' },
    { header: 'PURPOSE', align: 'left' },
  ] as const;
  return { text: renderCells(columns, rows), status: 0 };
}
