import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type BuildOptions, build } from 'esbuild';
import { writeFolder } from './write-folder.ts';

/**
 * Writes the modules that commands run from to `dist/commands`: what a tool needs is in a few files instead of a hundred,
 * for to find, read and link each takes longer than what is in it. They lie as deep as the modules that they are made of,
 * so that what those find beside themselves is found. Packages stay where they are installed.
 */
export async function bundleCommands(dist: string): Promise<void> {
  const definitions = readdirSync(join(dist, 'tools')).filter((file) => file.endsWith('.js'));
  const { outputFiles } = await build({
    ...options,
    outdir: join(dist, 'commands'),
    entryPoints: {
      'shared/main': join(dist, 'lib/cli/main.js'),
      ...Object.fromEntries(
        definitions.map((file) => [`tools/${basename(file, '.js')}`, join(dist, 'tools', file)] as const),
      ),
    },
  });
  for (const folder of ['tools', 'shared']) {
    const path = join(dist, 'commands', folder);
    const files = outputFiles.filter((file) => join(file.path, '..') === path);
    await writeFolder(path, new Map(files.map((file) => [basename(file.path), file.text])), 0o644);
  }
}

const options = {
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  packages: 'external',
  chunkNames: 'shared/[hash]',
  logLevel: 'warning',
  write: false,
} satisfies BuildOptions;
