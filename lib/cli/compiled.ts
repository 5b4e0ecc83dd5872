import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Script } from 'node:vm';
import type { Definitions } from './registry.ts';

const place = join(import.meta.dirname, '../../commands');

/** All modules that commands are made of, as one function of what `require` would give them. */
const commandsFile = join(place, 'shared/commands.cjs');

/** What this version of V8 made of that file, if it was built with it. */
export const compiledFile = join(place, `compiled-${process.arch}-${process.versions.v8}`);

/** What is in it for others. */
export interface Commands {
  readonly main: typeof import('./main.ts')['main'];
  readonly end: typeof import('../system/end.ts')['endProcess'];
  readonly tools: Definitions;
}

let commands: Commands | undefined;

/**
 * The command line as `main` has it, from one file and with what is compiled of it already: for Node to find, read, link
 * and compile a hundred modules takes longer than most of what they do. Code that another Node has compiled, or that is
 * missing, is compiled again.
 */
export function compiled(): Commands {
  commands ??= commandsOf(commandsScript(readCompiled()));
  return commands;
}

/** What the file of a command does: runs it, and ends the process with its exit status. */
export function start(...details: Parameters<Commands['main']>): void {
  const { main, end } = compiled();
  main(...details).then(end);
}

/** The file, not run yet. */
export function commandsScript(cachedData?: Buffer): Script {
  // Only comments have other characters, and these are read soonest.
  return new Script(readFileSync(commandsFile, 'latin1'), {
    filename: commandsFile,
    ...(cachedData !== undefined && { cachedData }),
  });
}

export function commandsOf(script: Script): Commands {
  const load = (path: string) => import(new URL(path, pathToFileURL(commandsFile)).href);
  return script.runInThisContext()({}, createRequire(commandsFile), commandsFile, load);
}

function readCompiled(): Buffer | undefined {
  try {
    return readFileSync(compiledFile);
  } catch {
    return undefined;
  }
}
