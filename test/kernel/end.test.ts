import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runCommand } from '../helpers/refused.ts';
import { toolCommand } from '../helpers/run-tool.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';

const [node, script, ...args] = toolCommand('opensnoop', ['--duration', '0.1']) as [string, string, ...string[]];

test('a tool ends without Node, which could wait for its compilers for ever', async () => {
  using folder = new TemporaryDirectory();
  const coverage = join(folder.path, 'coverage');
  const env = { ...process.env, NODE_OPTIONS: undefined, NODE_V8_COVERAGE: coverage };
  const { code, stderr } = await runCommand([node, script, ...args], env);
  assert.equal(code, 0, stderr);
  // What Node writes when it ends.
  assert.deepEqual(existsSync(coverage) ? readdirSync(coverage) : [], []);
});

for (const form of ['options', 'NODE_OPTIONS'] as const) {
  test(`Node ends itself where it was asked for something by its ${form}`, async () => {
    const asked = '--trace-exit';
    const { code, stderr } =
      form === 'options'
        ? await runCommand([node, asked, script, ...args])
        : await runCommand([node, script, ...args], { ...process.env, NODE_OPTIONS: asked });
    assert.equal(code, 0, stderr);
    assert.match(stderr, /Exited the environment with code 0/);
  });
}
