import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { viewModules, withLoadedModules } from '../helpers/loaded-modules.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const helpers = fileURLToPath(new URL('../helpers/', import.meta.url));

/** Every module that is there when one is, by its imports that are not asked for at run time; packages by name. */
function reached(file: string, found = new Set<string>()): Set<string> {
  if (!found.has(file)) {
    found.add(file);
    const text = existsSync(join(root, file)) ? readFileSync(join(root, file), 'utf8') : '';
    const statement = /^(?:import|export)\b(?!\s+type\b)[^'";]*?from\s*'([^']+)'|^import\s*'([^']+)'/gm;
    for (const match of text.matchAll(statement)) {
      const from = match[1] ?? match[2] ?? '';
      reached(from.startsWith('.') ? normalize(join(dirname(file), from)) : from, found);
    }
  }
  return found;
}

const ofViews = (files: Iterable<string>) =>
  [...files].filter((file) => /^lib\/(view|replay)\/|^(ink|react)$/.test(file));

test('imports are followed', () => {
  assert.deepEqual(ofViews(reached('lib/view/app.ts')).includes('ink'), true);
  assert.ok(reached('lib/cli/main.ts').has('lib/cli/lifecycle.ts'));
});

test('no tool, and nothing that starts one, imports a view', () => {
  const starts = ['lib/cli/main.ts', ...readdirSync(join(root, 'tools')).map((file) => `tools/${file}`)];
  for (const start of starts) {
    assert.deepEqual(ofViews(reached(start)), [], start);
  }
});

test('a run without a view loads nothing of it', async () => {
  for (const args of [
    ['-n', '1'],
    ['-n', '1', '--json'],
    ['-n', '1', '--record', '/dev/null'],
  ]) {
    const { result, modules } = await withLoadedModules([process.execPath, `${helpers}fake-main.js`, 'rows', ...args]);
    assert.equal(result.code, 0, result.stderr);
    assert.ok(modules.some((url) => url.endsWith('/lib/cli/main.js')));
    assert.deepEqual(viewModules(modules), []);
  }
});

test('a view would be noticed', async () => {
  const app = new URL('../../lib/view/app.js', import.meta.url).href;
  const line = `await import(${JSON.stringify(app)}); process.exit(0);`;
  const { modules } = await withLoadedModules([process.execPath, '--input-type=module', '-e', line]);
  const found = viewModules(modules).join('\n');
  for (const part of ['/lib/view/app.js', '/ink/', '/react/']) {
    assert.ok(found.includes(part), part);
  }
});
