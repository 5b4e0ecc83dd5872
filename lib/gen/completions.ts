import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { completedCommands, completionScript } from '../cli/completion.ts';
import { Registry } from '../cli/registry.ts';
import { writeFolder } from './write-folder.ts';

/** Where each shell looks for it, seen from its own folder of completions. */
const files = { bash: 'kscope.bash', zsh: '_kscope', fish: 'kscope.fish' } as const;

/** Writes the completion scripts of the tools in `dist/tools` to `dist/completions`. Returns the file names. */
export async function writeCompletions(dist: string): Promise<string[]> {
  const tools = await new Registry(pathToFileURL(`${join(dist, 'tools')}/`)).loadAll();
  const commands = completedCommands(tools);
  const shells = ['bash', 'zsh', 'fish'] as const;
  const scripts = new Map(shells.map((shell) => [files[shell], completionScript(shell, commands)]));
  await writeFolder(join(dist, 'completions'), scripts, 0o644);
  return [...scripts.keys()];
}
