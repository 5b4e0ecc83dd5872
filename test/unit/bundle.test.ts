import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Registry } from '../../lib/cli/registry.ts';

const commands = new URL('../../commands/', import.meta.url);

/** The files of the bundle that a file has when it starts: not those that it asks for later. */
function reached(file: URL, found = new Set<string>()): Set<string> {
  if (!found.has(file.pathname)) {
    found.add(file.pathname);
    for (const [, path = ''] of readFileSync(file, 'utf8').matchAll(/^(?:import|\} from) "(\.[^"]+)";$/gm)) {
      reached(new URL(path, file), found);
    }
  }
  return found;
}

const sources = (files: Iterable<string>) =>
  [...files].flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/^\/\/ dist\/(\S+)$/gm)].map(([, name]) => name),
  );

test('every tool is in the bundle, and nothing that is no tool', () => {
  const names = new Registry(new URL('tools/', commands)).names();
  assert.deepEqual(names, new Registry().names());
});

test('a command starts from few files, without views and without what only other tools use', () => {
  const started = reached(new URL('shared/main.js', commands));
  for (const file of reached(new URL('tools/opensnoop.js', commands))) {
    started.add(file);
  }
  assert.ok(started.size < 40, `${started.size} files`);
  const modules = sources(started);
  assert.ok(modules.includes('lib/shapes/snoop.js') && modules.includes('lib/cli/main.js'));
  assert.deepEqual(
    modules.filter((name) => /^lib\/(view|replay|gen|probes)\/|^lib\/tool\.js$|\/histogram\.js$/.test(name ?? '')),
    [],
  );
});

test('whatever a file of the bundle is made of lies as deep as it does', () => {
  const made = ['shared', 'tools'].flatMap((folder) => {
    const place = new URL(`${folder}/`, commands);
    return readdirSync(place).map((file) => new URL(file, place).pathname);
  });
  const besides = made.filter((file) => readFileSync(file, 'utf8').includes('import.meta.url'));
  assert.notEqual(besides.length, 0);
  const deeper = sources(besides).filter((name) => name?.split('/').length !== 3 && !/^(tools|bpf)\//.test(name ?? ''));
  assert.deepEqual(deeper, []);
});
