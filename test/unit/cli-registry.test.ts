import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { list } from '../../lib/cli/list.ts';
import { aliasesOf, Registry } from '../../lib/cli/registry.ts';
import type { KscopeError } from '../../lib/model/errors.ts';
import type { Tool } from '../../lib/shapes/definition.ts';
import { fakeTool } from '../helpers/fake-tool.ts';

const folder = mkdtempSync(join(tmpdir(), 'kscope-registry-'));
after(() => rmSync(folder, { recursive: true }));
for (const [name, text] of [
  ['good.js', 'export default { aliases: { other: ["-x"] } };'],
  ['good.d.ts', ''],
  ['good.js.map', ''],
  ['Upper.js', 'throw new Error("imported");'],
  ['.hidden.js', 'throw new Error("imported");'],
  ['a-2.js', 'export default { aliases: {} };'],
] as const) {
  writeFileSync(join(folder, name), text);
}
const registry = new Registry(pathToFileURL(`${folder}/`));

test('the folder is the list', async () => {
  assert.deepEqual(registry.names(), ['a-2', 'good']);
  assert.deepEqual([...(await registry.loadAll()).keys()], ['a-2', 'good']);
  assert.deepEqual(await registry.alias('other'), { tool: 'good', args: ['-x'] });
  assert.equal(await registry.alias('nothing'), undefined);
});

test('definitions of a bundle are looked up by name, and loaded when they are asked for', async () => {
  const good = fakeTool(async function* () {});
  const bundle = new Registry({
    good: async () => ({ default: good }),
    'a-2': () => Promise.reject(new Error('asked')),
  });
  assert.deepEqual(bundle.names(), ['a-2', 'good']);
  assert.deepEqual([bundle.has('good'), bundle.has('none'), bundle.has('constructor')], [true, false, false]);
  assert.equal(await bundle.load('good'), good);
  await assert.rejects(bundle.load('a-2'), { code: 'failed', message: 'the definition of a-2 cannot be loaded' });
});

test('a name leads nowhere but into the folder', () => {
  assert.equal(registry.has('good'), true);
  for (const name of ['../good', './good', 'good.js', 'Upper', '', '.', '..', 'go%6fd', '/etc/passwd', 'none']) {
    assert.equal(registry.has(name), false, name);
  }
});

test('a damaged definition is an error that names it', async () => {
  const path = join(folder, 'broken.js');
  writeFileSync(path, 'export const nothing = 1;');
  await assert.rejects(registry.load('broken'), {
    code: 'failed',
    message: 'the definition of broken has no default export',
  });
  writeFileSync(join(folder, 'worse.js'), 'syntax error');
  await assert.rejects(registry.load('worse'), { code: 'failed', message: 'the definition of worse cannot be loaded' });
  await assert.rejects(registry.loadAll(), { code: 'failed' });
  const damaged: KscopeError[] = [];
  assert.deepEqual([...(await registry.loadAll(damaged)).keys()], ['a-2', 'good']);
  assert.deepEqual(
    damaged.map(({ message }) => message),
    ['the definition of broken has no default export', 'the definition of worse cannot be loaded'],
  );
  assert.deepEqual(await registry.alias('other'), { tool: 'good', args: ['-x'] });
  for (const json of [false, true]) {
    const { status, problems = [] } = await list(registry, { json });
    assert.deepEqual([status, problems.length], [1, 2], 'the others are listed, and these are told');
  }
  rmSync(path);
  rmSync(join(folder, 'worse.js'));
});

test('a folder that is not there is an error', () => {
  assert.throws(() => new Registry(new URL('none/', pathToFileURL(`${folder}/`))).names(), { code: 'failed' });
});

test('an alias cannot take a name that is taken', () => {
  const tool = (aliases: Tool['aliases']) => fakeTool(async function* () {}, { aliases });
  const tools = (a: Tool['aliases'], b: Tool['aliases']) => () =>
    aliasesOf(
      new Map([
        ['a', tool(a)],
        ['b', tool(b)],
      ]),
    );
  assert.throws(tools({ b: [] }, {}), { code: 'failed' });
  assert.throws(tools({ c: [] }, { c: [] }), { code: 'failed' });
  assert.throws(tools({ '../c': [] }, {}), { code: 'failed' });
  assert.deepEqual(tools({ c: ['-x'] }, {})().get('c'), { tool: 'a', args: ['-x'] });
});
