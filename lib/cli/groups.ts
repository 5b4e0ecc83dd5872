import { type Area, areas } from '../model/areas.ts';
import type { KscopeError } from '../model/errors.ts';
import { aliasesOf, type Registry } from './registry.ts';

/** A command in a list: a tool, or an alias of one with what it stands for. */
export interface Listed {
  readonly name: string;
  readonly summary: string;
  readonly shortFor?: readonly string[];
}

/**
 * All commands by what they are about, and by name in each group; groups without any are left out.
 * @param damaged as for `Registry.loadAll`
 */
export async function groupedCommands(
  registry: Registry,
  damaged?: KscopeError[],
): Promise<readonly (readonly [string, readonly Listed[]])[]> {
  const tools = await registry.loadAll(damaged);
  const commands = Array.from(tools, ([name, { summary, area }]): Listed & { area: Area } => ({ name, summary, area }));
  for (const [name, { tool, args }] of aliasesOf(tools)) {
    const { summary = '', area = 'other' } = tools.get(tool) ?? {};
    commands.push({ name, summary, area, shortFor: [tool, ...args] });
  }
  commands.sort((a, b) => (a.name < b.name ? -1 : 1));
  return (Object.keys(areas) as Area[])
    .map((area) => [areas[area], commands.filter((command) => command.area === area)] as const)
    .filter(([, members]) => members.length > 0);
}
