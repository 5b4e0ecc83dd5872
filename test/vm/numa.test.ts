import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { startOrSkip } from './start-or-skip.ts';

const tools = join(import.meta.dirname, '../tools');

test('a machine of two NUMA nodes: what is moved between them', async (t) => {
  await using guest = await startOrSkip(t, { kernel: '6.1', memory: 2048, nodes: 2 });
  if (!guest) return;
  const files = ['numamove', 'numasched'].map((name) => join(tools, `${name}.test.js`));
  const { code, stdout } = await guest.exec(
    [guest.node, '--test', '--test-concurrency=1', '--test-reporter=tap', '--test-name-pattern=another node', ...files],
    { timeout: 5 * 60_000, env: { KSCOPE_IN_VM: '1' } },
  );
  assert.equal(code, 0, stdout);
  const passed = [...stdout.matchAll(/^ *ok \d+ - (.*)$/gm)].map(([, name = '']) => name);
  for (const name of [
    'each page that system calls move to another node, and how long that took',
    'each page that follows its program to another node',
    'each move to another processor, and to another node where there are several',
  ]) {
    await t.test(name, () => assert.ok(passed.includes(name), stdout));
  }
});
