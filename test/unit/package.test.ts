import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Registry } from '../../lib/cli/registry.ts';
import { manPages } from '../../lib/gen/man.ts';

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

test('manual pages are what the definitions say: `npm run man` writes them', async () => {
  const pages = await manPages(new Registry(pathToFileURL(join(root, 'dist/tools/'))));
  const stale = [...pages].filter(([file, text]) => {
    const path = join(root, 'man', file);
    return !statSync(path, { throwIfNoEntry: false })?.isFile() || readFileSync(path, 'utf8') !== text;
  });
  assert.deepEqual(
    stale.map(([file]) => file),
    [],
  );
  const orphans = readdirSync(join(root, 'man')).filter((file) => file !== 'kscope.8' && !pages.has(file));
  assert.deepEqual(orphans, []);
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
