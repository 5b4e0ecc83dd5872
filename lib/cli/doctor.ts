import type { Answer } from './own-commands.ts';
import type { Registry } from './registry.ts';
export async function doctor(_registry: Registry, _values: Readonly<Record<string, unknown>>): Promise<Answer> {
  return { text: '', status: 0 };
}
