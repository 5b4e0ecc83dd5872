import { existsSync, readdirSync } from 'node:fs';
import { KscopeError } from '../model/errors.ts';
import type { Tool } from '../shapes/definition.ts';

/** Where the compiled definitions are; the folder is the list of tools. */
const builtInTools = new URL('../../tools/', import.meta.url);

const toolName = /^[a-z0-9_-]+$/;

/** A command that starts a tool with arguments put in front. */
export interface Alias {
  readonly tool: string;
  readonly args: readonly string[];
}

/** The tools of a folder: nothing is imported before it is asked for. */
export class Registry {
  readonly #folder: URL;

  constructor(folder: URL = builtInTools) {
    this.#folder = folder;
  }

  /** Names of all tools, sorted. */
  names(): string[] {
    let files: string[];
    try {
      files = readdirSync(this.#folder);
    } catch (cause) {
      throw new KscopeError('failed', 'the folder of the tools cannot be read', { cause });
    }
    const names = files.filter((file) => file.endsWith('.js')).map((file) => file.slice(0, -3));
    return names.filter((name) => toolName.test(name)).sort();
  }

  has(name: string): boolean {
    return toolName.test(name) && existsSync(new URL(`${name}.js`, this.#folder));
  }

  /** Imports one definition. @throws KscopeError failed, if it is damaged */
  async load(name: string): Promise<Tool> {
    let module: { readonly default?: Tool };
    try {
      module = await import(new URL(`${name}.js`, this.#folder).href);
    } catch (cause) {
      throw new KscopeError('failed', `the definition of ${name} cannot be loaded`, { cause });
    }
    if (module.default === undefined) {
      throw new KscopeError('failed', `the definition of ${name} has no default export`);
    }
    return module.default;
  }

  /**
   * Every tool by name; imports them all. @param damaged gets the errors of those that cannot be loaded, and the others
   * are returned; without it, the first of them is thrown
   */
  async loadAll(damaged?: KscopeError[]): Promise<Map<string, Tool>> {
    const names = this.names();
    const results = await Promise.allSettled(names.map((name) => this.load(name)));
    const tools = new Map<string, Tool>();
    for (const [i, result] of results.entries()) {
      if (result.status === 'fulfilled') {
        tools.set(names[i] as string, result.value);
      } else if (damaged !== undefined && result.reason instanceof KscopeError) {
        damaged.push(result.reason);
      } else {
        throw result.reason;
      }
    }
    return tools;
  }

  /** What an alias stands for; imports all tools to find out. */
  async alias(name: string): Promise<Alias | undefined> {
    return aliasesOf(await this.loadAll([])).get(name);
  }
}

/** The aliases that `tools` define, by their own name. */
export function aliasesOf(tools: ReadonlyMap<string, Tool>): Map<string, Alias> {
  const aliases = new Map<string, Alias>();
  for (const [tool, { aliases: own }] of tools) {
    for (const [name, args] of Object.entries(own)) {
      if (!toolName.test(name) || tools.has(name) || aliases.has(name)) {
        throw new KscopeError('failed', `alias '${name}' of ${tool} is no free command name`);
      }
      aliases.set(name, { tool, args });
    }
  }
  return aliases;
}
