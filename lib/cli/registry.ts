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

/** A module that may be the definition of a tool. */
interface Definition {
  readonly default?: Tool;
}

/** Modules by the names of their tools, each loaded when it is called. */
export type Definitions = Readonly<Record<string, () => Promise<Definition>>>;

/** The tools of a folder, or of a bundle: nothing is imported before it is asked for. */
export class Registry {
  readonly #source: URL | Definitions;

  constructor(source: URL | Definitions = builtInTools) {
    this.#source = source;
  }

  /** Names of all tools, sorted. */
  names(): string[] {
    const names = this.#source instanceof URL ? namesIn(this.#source) : Object.keys(this.#source);
    return names.filter((name) => toolName.test(name)).sort();
  }

  has(name: string): boolean {
    const source = this.#source;
    return (
      toolName.test(name) && (source instanceof URL ? existsSync(moduleOf(name, source)) : Object.hasOwn(source, name))
    );
  }

  /** Imports one definition. @throws KscopeError failed, if it is damaged */
  async load(name: string): Promise<Tool> {
    const source = this.#source;
    let module: Definition | undefined;
    try {
      module = await (source instanceof URL ? import(moduleOf(name, source).href) : source[name]?.());
    } catch (cause) {
      throw new KscopeError('failed', `the definition of ${name} cannot be loaded`, { cause });
    }
    if (module?.default === undefined) {
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

/** @throws KscopeError failed */
function namesIn(folder: URL): string[] {
  try {
    return readdirSync(folder).flatMap((file) => (file.endsWith('.js') ? [file.slice(0, -3)] : []));
  } catch (cause) {
    throw new KscopeError('failed', 'the folder of the tools cannot be read', { cause });
  }
}

function moduleOf(name: string, folder: URL): URL {
  return new URL(`${name}.js`, folder);
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
