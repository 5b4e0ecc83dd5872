import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Registry } from '../../lib/cli/registry.ts';
import { withToolList } from '../../lib/gen/tool-list.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly man?: readonly string[];
  readonly bin?: unknown;
  readonly scripts?: Readonly<Record<string, string>>;
}

function json<T>(file: string): T {
  return JSON.parse(readFileSync(join(root, file), 'utf8')) as T;
}

test('the README lists the tools that there are: `npm run docs` writes the list', async () => {
  const text = readFileSync(join(root, 'README.md'), 'utf8');
  assert.equal(text, await withToolList(text, new Registry()));
});

test('a text without marks has no place for the list', async () => {
  await assert.rejects(withToolList('# kscope', new Registry()), /no place for the list of tools/);
});

test('the manifest lists no tools: commands and pages are found by their folders', () => {
  const manifest = json<Manifest>('package.json');
  assert.equal(manifest.man, undefined);
  assert.equal(manifest.bin, undefined);
  assert.ok(manifest.scripts?.prepack, 'the manifest is the one of a package: run `npm pack` again, or restore it');
});

test('the lock file has the packages of every platform', () => {
  const { packages } = json<{ packages: Readonly<Record<string, Manifest>> }>('package-lock.json');
  const missing = Object.values(packages)
    .flatMap((entry) => Object.keys(entry.optionalDependencies ?? {}))
    .filter((name) => packages[`node_modules/${name}`] === undefined);
  assert.deepEqual(missing, []);
});

test('the lock file names no registry', () => {
  assert.doesNotMatch(readFileSync(join(root, 'package-lock.json'), 'utf8'), /"resolved"/);
});
