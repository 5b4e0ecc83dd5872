import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { npmEnvironment } from '../helpers/npm-environment.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const onCi = !['', '0', 'false'].includes(process.env.CI ?? '');

// The oldest that is supported runs all other tests; these are the later ones with long support.
for (const major of ['22', '24']) {
  test(`the tests of modules and of the command pass with Node ${major}`, (t) => {
    const node = executable(t, major);
    if (node === undefined) {
      return;
    }
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const { status, stdout, stderr } = spawnSync(
      node,
      [
        '--test',
        `--test-concurrency=${availableParallelism()}`,
        '--test-reporter=spec',
        'dist/test/{unit,command}/**/*.test.js',
      ],
      {
        cwd: root,
        encoding: 'utf8',
        env,
        maxBuffer: 2 ** 28,
      },
    );
    assert.equal(status, 0, `${stdout.slice(stdout.indexOf('failing tests:'))}${stderr}`);
  });
}

/** The program of that version, out of the npm package that carries it; fetched once. */
function executable(t: TestContext, major: string): string | undefined {
  const name = `node-linux-${process.arch}`;
  const place = join(root, '.cache/nodes', major);
  const file = join(place, 'node_modules', name, 'bin/node');
  if (!existsSync(file)) {
    mkdirSync(place, { recursive: true });
    const args = [
      'install',
      '--no-save',
      '--no-package-lock',
      '--ignore-scripts',
      '--prefix',
      place,
      `${name}@${major}`,
    ];
    const { status, stderr, error } = spawnSync('npm', args, {
      cwd: place,
      env: npmEnvironment(),
      encoding: 'utf8',
      timeout: 180_000,
    });
    if (status !== 0) {
      const why = `Node ${major} cannot be fetched from the npm registry: ${error?.message ?? stderr.trim()}`;
      assert.ok(!onCi, why);
      t.skip(why);
      return undefined;
    }
  }
  assert.match(spawnSync(file, ['--version'], { encoding: 'utf8' }).stdout, new RegExp(`^v${major}\\.`));
  return file;
}
