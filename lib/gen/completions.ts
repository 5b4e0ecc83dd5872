import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { completedCommands, completionScript } from '../cli/completion.ts';
import { Registry } from '../cli/registry.ts';

/** Where each shell looks for it, seen from its own folder of completions. */
const files = { bash: 'kscope.bash', zsh: '_kscope', fish: 'kscope.fish' } as const;

/** Writes the completion scripts of the tools in `dist/tools` to `dist/completions`. Returns the file names. */
export async function writeCompletions(dist: string): Promise<string[]> {
  const tools = await new Registry(pathToFileURL(`${join(dist, 'tools')}/`)).loadAll();
  const commands = completedCommands(tools);
  const folder = join(dist, 'completions');
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const shell of ['bash', 'zsh', 'fish'] as const) {
    await writeFile(join(folder, files[shell]), completionScript(shell, commands));
  }
  return Object.values(files);
}
