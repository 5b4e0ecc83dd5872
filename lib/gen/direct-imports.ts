import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const exported = /^export \{([^}]*)\} from '\.\/([^']+)';$/gm;
const imported = /^import \{([^}]*)\} from '\.\.\/lib\/tool\.js';$/m;

/**
 * Lets each compiled tool import what it uses from where that is, for what lib/tool.ts lists is much, and to load all of
 * it takes longer than to attach the programs.
 */
export function importDirectly(dist: string): void {
  const list = readFileSync(join(dist, 'lib/tool.js'), 'utf8');
  for (const name of readdirSync(join(dist, 'tools')).filter((file) => file.endsWith('.js'))) {
    const file = join(dist, 'tools', name);
    const tool = readFileSync(file, 'utf8');
    const direct = directImports(tool, list);
    if (direct !== tool) {
      writeFileSync(file, direct);
    }
  }
}

/** The JavaScript of a tool with one import for each module that has something of what it takes from the list. */
export function directImports(tool: string, list: string): string {
  const origins = new Map(
    [...list.matchAll(exported)].flatMap(([, names = '', module = '']) =>
      specifiers(names).map(([original, name]) => [name, { module, original }] as const),
    ),
  );
  return tool.replace(imported, (all, names: string) => {
    const modules = new Map<string, string[]>();
    for (const [name, local] of specifiers(names)) {
      const origin = origins.get(name);
      if (origin === undefined) {
        return all;
      }
      const { module, original } = origin;
      const specifier = original === local ? local : `${original} as ${local}`;
      modules.set(module, [...(modules.get(module) ?? []), specifier]);
    }
    return [...modules]
      .map(([module, wanted]) => `import { ${wanted.join(', ')} } from '../lib/${module}';`)
      .join('\n');
  });
}

/** What is between the braces, as pairs: the name there and the name here. */
function specifiers(names: string): [string, string][] {
  return names
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '')
    .map((one) => {
      const [there = '', here = there] = one.split(/\s+as\s+/);
      return [there, here];
    });
}
