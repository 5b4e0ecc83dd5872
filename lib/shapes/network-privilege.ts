import { choosePrograms } from '../bpf/choose.ts';
import { attachedByNetworkAdmin } from '../bpf/hooks.ts';
import { objectSpec } from '../bpf/object-file.ts';
import type { Tool } from './definition.ts';
import type { Option } from './options.ts';

/**
 * When a tool needs CAP_NET_ADMIN: never, always, with certain options only, or on kernels only that have nothing else
 * for it.
 */
export type NetworkPrivilege = 'never' | 'always' | 'else' | readonly Option[];

/** What the programs and the rules of a tool say of that; reads the object file, asks no kernel. @throws KscopeError */
export function networkPrivilege(tool: Tool): NetworkPrivilege {
  const { programs } = objectSpec(tool.skeleton);
  const admins = new Set(programs.flatMap(({ name, section }) => (attachedByNetworkAdmin(section) ? [name] : [])));
  if (admins.size === 0) {
    return 'never';
  }
  const uses = (values: Readonly<Record<string, unknown>>) =>
    choosePrograms(programs, tool.rules(values), () => ({ supported: true, reason: '' })).chosen.some((name) =>
      admins.has(name),
    );
  if (uses({})) {
    return 'always';
  }
  const options = Object.entries(tool.options).flatMap(([key, option]) => (uses({ [key]: true }) ? [option] : []));
  return options.length > 0 ? options : 'else';
}
