import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Script } from 'node:vm';
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild';
import { compiledFile } from '../cli/compiled.ts';
import { KscopeError } from '../model/errors.ts';
import { writeFolder } from './write-folder.ts';

/**
 * Writes what commands run from to `dist/commands`: all modules in one file, for to find, read and link each takes longer
 * than what is in it, and what V8 has made of that file. It lies as deep as the modules that it is made of, so that what
 * those find beside themselves is found. What views are drawn with stays apart: few commands need it, and it cannot be
 * required. Resolves to false when it is not compiled, so that commands work but start later.
 */
export async function bundleCommands(dist: string): Promise<boolean> {
  const folder = join(dist, 'commands/shared');
  mkdirSync(folder, { recursive: true });
  const [commands, ...others] = await Promise.all([
    build({ ...options, ...oneFunction, stdin: entry(dist), outfile: join(folder, file) }),
    build({ ...options, ...besides, entryPoints: [join(dist, 'lib/view/app.js')], outfile: join(folder, app) }),
    build({ ...options, ...first, entryPoints: [join(dist, 'lib/cli/compiled.js')], outfile: join(folder, start) }),
  ]);
  const outputs = [commands, ...others].flatMap(({ outputFiles }) => outputFiles);
  const files = new Map(outputs.map(({ path, text }) => [basename(path), text]));
  files.set(file, (files.get(file) ?? '').replace(imports, '__import('));
  files.set('licences.txt', licences(join(dist, '..'), commands.metafile));
  const compiled = join(dist, 'commands', basename(compiledFile));
  if (!isCompiled(compiled, folder, files)) {
    // Not for a moment may there be what was made of another text.
    for (const name of readdirSync(join(dist, 'commands'))) {
      if (name.startsWith('compiled')) {
        rmSync(join(dist, 'commands', name));
      }
    }
  }
  await writeFolder(folder, files, 0o644);
  if (existsSync(compiled)) {
    return true;
  }
  const compile = join(dist, 'lib/gen/compile-commands.js');
  return spawnSync(process.execPath, [compile], { stdio: 'ignore', timeout: longestCompilation }).status === 0;
}

const longestCompilation = 60_000;

const app = 'app.mjs';
const start = 'start.cjs';
const file = 'commands.cjs';

/** What V8 has from a cache cannot import modules: it has to ask somebody who can. */
const imports = /(?<![\w$.])import\(/g;

const options = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  logLevel: 'warning',
  write: false,
  metafile: true,
} satisfies BuildOptions;

const besides = { format: 'esm', packages: 'external' } satisfies BuildOptions;

/** What the file of each command requires: it finds the rest beside itself, as the module does that it is made of. */
const first = { format: 'cjs', define: { 'import.meta.dirname': '__dirname' } } satisfies BuildOptions;

/** Commander could start programs as its commands; ours are none, and what starts programs takes long to load. */
const startsNoPrograms: Plugin = {
  name: 'starts no programs',
  setup(build) {
    build.onResolve({ filter: /^node:child_process$/ }, ({ importer, path }) =>
      importer.includes('/node_modules/commander/') ? { path, namespace: 'nothing' } : undefined,
    );
    build.onLoad({ filter: /./, namespace: 'nothing' }, () => ({ contents: '' }));
  },
};

const viewApart: Plugin = {
  name: 'view apart',
  setup(build) {
    build.onResolve({ filter: /^\.\/app\.js$/ }, () => ({ path: `./${app}`, external: true }));
  },
};

/** As Node calls what is required, but with only what is used. */
const oneFunction = {
  format: 'cjs',
  // It finds its own packages where it is installed.
  external: ['cli-table3'],
  plugins: [startsNoPrograms, viewApart],
  banner: {
    js: `(function (exports, require, __filename, __import) { 'use strict'; const module = { exports };
const __url = require('node:url').pathToFileURL(__filename).href;`,
  },
  define: { 'import.meta.url': '__url' },
  footer: { js: 'return module.exports; })' },
} satisfies BuildOptions;

/** The command line, and the definitions of all tools, each run when it is asked for. */
function entry(dist: string): { contents: string; resolveDir: string; sourcefile: string } {
  const definitions = readdirSync(join(dist, 'tools')).filter((file) => file.endsWith('.js'));
  const tools = definitions.map((file) => `${JSON.stringify(basename(file, '.js'))}: () => import('./tools/${file}'),`);
  const contents = `
import { main as start } from './lib/cli/main.js';
export const tools = {
  ${tools.join('\n  ')}
};
import { endProcess } from './lib/system/end.js';
export const end = endProcess;
export const main = (argv, tool, details) => start(argv, tool, { ...details, tools });
`;
  return { contents, resolveDir: dist, sourcefile: 'dist/commands/entry.js' };
}

/** Whether what V8 made of these files is there, and this Node can use it. */
function isCompiled(compiled: string, folder: string, files: ReadonlyMap<string, string>): boolean {
  const same = [...files].every(([name, text]) => {
    const file = join(folder, name);
    return existsSync(file) && readFileSync(file, 'utf8') === text;
  });
  if (!same || !existsSync(compiled)) {
    return false;
  }
  const script = new Script(readFileSync(join(folder, file), 'latin1'), {
    cachedData: readFileSync(compiled),
  });
  return script.cachedDataRejected === false;
}

/** What the licences of the packages in the bundle want to be said beside it. */
function licences(root: string, { inputs }: Metafile): string {
  const names = Object.keys(inputs).flatMap((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []);
  return [...new Set(names)]
    .sort()
    .map((name) => {
      const folder = join(root, 'node_modules', name);
      const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
      if (file === undefined) {
        throw new KscopeError('failed', `package ${name} does not say under which licence it is in the bundle`);
      }
      return `${name}\n\n${readFileSync(join(folder, file), 'utf8')}`;
    })
    .join('\n');
}
