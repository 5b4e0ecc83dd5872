import { lineSchema } from '../output/line-schema.ts';
import { unknownName } from './help.ts';
import type { Answer } from './own-commands.ts';
import type { Registry } from './registry.ts';

/** `kscope schema NAME`. @throws KscopeError usage, if no tool has that name */
export async function schema(registry: Registry, values: Readonly<Record<string, unknown>>): Promise<Answer> {
  const name = String(values.name);
  const tool = registry.has(name) ? name : (await registry.alias(name))?.tool;
  if (tool === undefined) {
    throw await unknownName(registry, name);
  }
  const text = JSON.stringify(lineSchema((await registry.load(tool)).schema()), undefined, 2);
  return { text: `${text}\n`, status: 0 };
}
