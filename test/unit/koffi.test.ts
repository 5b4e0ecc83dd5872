import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { koffi } from '../../lib/native/koffi.ts';

const root = mkdtempSync(join(tmpdir(), 'kscope-koffi-'));
after(() => rmSync(root, { recursive: true }));

const packages = join(dirname(createRequire(import.meta.url).resolve('koffi')), '..');

test('the native part has what the package has', () => {
  const module: typeof import('koffi') = createRequire(import.meta.url)('koffi');
  assert.equal(koffi().version, module.version);
  assert.notEqual(koffi(), module);
  assert.equal(koffi(), koffi());
});

/** Where a module in that place of a project finds koffi, and what of it is mapped then. */
function loadedIn(place: string): string[] {
  const script = `
    const { koffi } = await import(${JSON.stringify(join(place, 'lib/native/koffi.js'))});
    koffi().load(null);
    const maps = (await import('node:fs')).readFileSync('/proc/self/maps', 'latin1');
    console.log(JSON.stringify([...new Set(maps.match(/\\/.*koffi\\.node$/gm))]));`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  assert.equal(stderr, '');
  return JSON.parse(stdout);
}

function project(name: string): string {
  const place = join(root, name);
  mkdirSync(join(place, 'lib/native'), { recursive: true });
  cpSync(join(import.meta.dirname, '../../lib/native/koffi.js'), join(place, 'lib/native/koffi.js'));
  writeFileSync(join(place, 'package.json'), '{ "type": "module" }');
  return place;
}

test('it is found above the module, and by the package where that fails', () => {
  const beside = project('beside');
  symlinkSync(packages, join(beside, 'node_modules'));
  const [file = '', ...others] = loadedIn(beside);
  assert.match(file, new RegExp(`/linux_${process.arch}/koffi\\.node$`));
  assert.deepEqual(others, []);

  const damaged = project('damaged');
  const part = join(damaged, `node_modules/@koromix/koffi-linux-${process.arch}/linux_${process.arch}`);
  mkdirSync(part, { recursive: true });
  writeFileSync(join(part, 'koffi.node'), 'no library');
  symlinkSync(join(packages, 'koffi'), join(damaged, 'node_modules/koffi'));
  assert.deepEqual(loadedIn(damaged), [realpathSync(file)]);
});
