import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { test } from 'node:test';
import { Script } from 'node:vm';
import { commandsScript, compiledFile } from '../../lib/cli/compiled.ts';
import { Registry } from '../../lib/cli/registry.ts';
import { CopiedBuild } from '../helpers/copied-build.ts';

const folder = new URL('../../commands/shared/', import.meta.url);
const text = readFileSync(new URL('commands.cjs', folder), 'utf8');

/** The modules of a file of the bundle, by the notes that say where each begins. */
const modules = (file: string) =>
  [...file.matchAll(/^ *\/\/ (?:dist|node_modules)\/\S+$/gm)].map(([note]) => note.trim().slice(3));

test('every tool is in the bundle, and nothing that is no tool', () => {
  const tools = modules(text).flatMap((path) => /^dist\/tools\/(.*)\.js$/.exec(path)?.[1] ?? []);
  assert.deepEqual([...tools].sort(), new Registry().names());
});

test('what views are drawn with is apart, and so is what makes the package', () => {
  assert.deepEqual(
    modules(text).filter((path) =>
      /\/(ink|react|yoga-layout|esbuild)\/|^dist\/(test|lib\/gen)\/|view\/app\.js$/.test(path),
    ),
    [],
  );
  assert.deepEqual(readdirSync(folder).sort(), ['app.mjs', 'commands.cjs', 'licences.txt', 'start.cjs']);
  assert.match(readFileSync(new URL('licences.txt', folder), 'utf8'), /^commander\n\n\(The MIT License\)/);
});

test('a command runs no module of another tool, and loads nothing that it does not need', () => {
  const said = spawnSync(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `import { compiled } from ${JSON.stringify(new URL('../../lib/cli/compiled.js', import.meta.url).href)};
      const before = new Set(process.moduleLoadList);
      const code = await compiled().main(['--help'], 'opensnoop');
      const native = (await import('node:fs')).readFileSync('/proc/self/maps', 'latin1').includes('koffi');
      console.error(JSON.stringify([code, process.moduleLoadList.filter((name) => !before.has(name)), native]));`,
    ],
    { encoding: 'utf8' },
  );
  const [code, loaded, native] = JSON.parse(said.stderr);
  assert.equal(code, 0);
  assert.deepEqual(
    loaded.filter((name: string) => /NativeModule (child_process|crypto|http|readline|zlib)$/.test(name)),
    [],
  );
  assert.equal(native, false);
});

test('what is apart is imported by whoever can', () => {
  assert.deepEqual(
    [...text.matchAll(/__import\("(.*?)"\)/g)].map(([, path]) => path),
    ['./app.mjs'],
  );
  assert.doesNotMatch(text.replace(/^ *(\/\/|\*|\/\*).*$/gm, ''), /(?<![\w.$])import\(/);
});

test('what was compiled is taken by the Node that compiled it, and only by that', () => {
  const made = readdirSync(new URL('../', folder)).filter((name) => name.startsWith('compiled'));
  assert.equal(made.length, 1);
  const [name = ''] = made;
  const script = commandsScript(readFileSync(new URL(`../${name}`, folder)));
  assert.equal(script.cachedDataRejected, name !== basename(compiledFile));
});

test('without it, or with what another text was compiled to, the commands are the same', () => {
  using copy = new CopiedBuild();
  const asBuilt = copy.run('opensnoop', ['--help']);
  assert.equal(asBuilt.status, 0);
  const other = new Script('(function other() { return { main: 1 }; })').createCachedData();
  for (const bytes of [undefined, other, Buffer.alloc(1000)]) {
    copy.replaceCompiled(bytes);
    assert.deepEqual(copy.run('opensnoop', ['--help']), asBuilt);
  }
});

test('what a first build makes works as what later ones leave', async () => {
  using copy = new CopiedBuild();
  const asBuilt = copy.run('opensnoop', ['--help']);
  await copy.bundleAnew();
  assert.deepEqual(copy.run('opensnoop', ['--help']), asBuilt);
});

test('whatever finds things beside itself lies as deep as the bundle', () => {
  const places = text.split(/^(?= *\/\/ dist\/\S+$)/m).filter((part) => part.includes('__url)'));
  assert.ok(places.length > 1);
  const deeper = places
    .flatMap((part) => modules(part).slice(0, 1))
    .filter((path) => path.startsWith('dist/') && path.split('/').length !== 4);
  assert.deepEqual(deeper, []);
});
