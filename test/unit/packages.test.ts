import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { buildNeeds, installMissing, packageNeeds } from '../../lib/gen/packages.mjs';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';

const here = { thing: 'what is here', debian: 'here', present: () => true };
const gone = { thing: 'what is gone', debian: 'gone', present: () => false };
const away = { thing: 'and away', debian: 'away', present: () => false };

/** Has the machine of the test only the programs of one folder, and this user. */
function onMachine(t: TestContext, folder: string, uid: number): void {
  const path = process.env.PATH;
  process.env.PATH = folder;
  t.after(() => {
    process.env.PATH = path;
  });
  t.mock.method(process as { getuid(): number }, 'getuid', () => uid);
  t.mock.method(process.stderr, 'write', () => true);
}

/** An apt-get that notes its verbs, and does as the script says. */
function aptGet(folder: string, script: string): () => string[] {
  const log = join(folder, 'log');
  const note = `for word; do case $word in install|update) verb=$word;; esac; done; echo "$verb \${*##* }" >>${log}`;
  writeFileSync(log, '');
  writeFileSync(join(folder, 'apt-get'), `#!/bin/sh\n${note}\n${script}\n`, { mode: 0o755 });
  return () => [...readFileSync(log, 'utf8').matchAll(/^(install|update)/gm)].map(([verb]) => verb);
}

test('where nothing is missing, nothing is said or run', (t) => {
  using place = new TemporaryDirectory();
  const verbs = aptGet(place.path, 'exit 0');
  onMachine(t, place.path, 0);
  assert.equal(installMissing([here, here]), '');
  assert.deepEqual(verbs(), []);
});

test('without apt, a sentence says what to install', (t) => {
  using place = new TemporaryDirectory();
  onMachine(t, place.path, 0);
  assert.equal(
    installMissing([here, gone, away]),
    'missing what is gone, and away: install what provides them (Debian and Ubuntu: gone away)',
  );
});

test('without root, a sentence says how to install it', (t) => {
  using place = new TemporaryDirectory();
  const verbs = aptGet(place.path, 'exit 0');
  onMachine(t, place.path, 1000);
  assert.equal(
    installMissing([gone, here, away]),
    'missing what is gone, and away: run `sudo apt-get install -y gone away` and try again',
  );
  assert.deepEqual(verbs(), []);
});

test('root gets what is missing, and only that', (t) => {
  using place = new TemporaryDirectory();
  const verbs = aptGet(
    place.path,
    `case " $* " in *" here "*) exit 9;; *update*|*" gone away "*) exit 0;; esac; exit 8`,
  );
  onMachine(t, place.path, 0);
  assert.equal(installMissing([gone, here, away]), '');
  assert.equal(verbs().at(-1), 'install');
});

test('what cannot be had is told by the first complaint, after the lists were read again', (t) => {
  using place = new TemporaryDirectory();
  const complaint = 'echo "E: Unable to locate package gone" >&2; echo "E: and more" >&2; exit 100';
  const verbs = aptGet(place.path, `case $verb in update) exit 0;; esac; ${complaint}`);
  onMachine(t, place.path, 0);
  assert.equal(installMissing([gone]), 'cannot install gone: Unable to locate package gone');
  assert.deepEqual(verbs().slice(-2), ['update', 'install']);
});

test('lists that cannot be read are the reason', (t) => {
  using place = new TemporaryDirectory();
  aptGet(place.path, 'echo "E: Failed to fetch" >&2; exit 100');
  onMachine(t, place.path, 0);
  assert.equal(installMissing([gone]), 'cannot install gone: Failed to fetch');
});

test('a compiler is there by its plain name and by one with a version, when it can be run', (t) => {
  using place = new TemporaryDirectory();
  onMachine(t, place.path, 0);
  const clang = buildNeeds.find(({ debian }) => debian === 'clang');
  const there = () => clang?.present();
  assert.equal(there(), false);
  writeFileSync(join(place.path, 'clang-16'), '', { mode: 0o644 });
  writeFileSync(join(place.path, 'clang-format'), '', { mode: 0o755 });
  assert.equal(there(), false);
  writeFileSync(join(place.path, 'clang-17'), '', { mode: 0o755 });
  assert.equal(there(), true);
});

test('a package is there when dpkg says that it is installed', (t) => {
  using place = new TemporaryDirectory();
  const lists = ['one installed', 'two not-installed', 'three config-files'].map((line) => `echo "${line}"`).join('\n');
  writeFileSync(join(place.path, 'dpkg-query'), `#!/bin/sh\n${lists}\nexit 1\n`, { mode: 0o755 });
  onMachine(t, place.path, 0);
  assert.deepEqual(
    packageNeeds(['one', 'two', 'three', 'four']).map((need) => need.present()),
    [true, false, false, false],
  );
});
