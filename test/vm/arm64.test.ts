import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { Registry } from '../../lib/cli/registry.ts';
import type { Tried } from '../helpers/each-tool-main.ts';
import { armKernel } from './fetch.ts';
import type { Guest } from './guest.ts';
import { startOrSkip } from './start-or-skip.ts';

const program = (name: string): string => join(import.meta.dirname, `${name}.js`);
const eachTool = '../helpers/each-tool-main';
const timeout = 15 * 60_000;

test('arm64: every tool attaches, and what tools say is right', async (t) => {
  await using guest = await startOrSkip(t, { kernel: armKernel, memory: 2048 });
  if (!guest) return;

  await t.test('known work is seen as it was', async () => {
    const { opens, execs, connections, ...rest } = JSON.parse(await run(guest, 'known-counts-main'));
    assert.deepEqual(rest, { machine: 'aarch64', calls: [100], samples: { some: true, ofUser: true } });
    assert.deepEqual(
      opens,
      times(23, (i) => ['cat', `/nonexistent/kscope-${i}`, 2]),
    );
    assert.deepEqual(
      execs,
      times(5, (i) => ['/bin/true', 'a b', `${i + 1}`]),
    );
    assert.deepEqual(
      connections,
      times(7, () => ['bash', '127.0.0.1', true]),
    );
  });

  // One half for each of its processors.
  const names = new Registry().names();
  const halves = [0, 1].map((half) => names.filter((_, i) => i % 2 === half));
  const outputs = await Promise.all(halves.map((half) => run(guest, eachTool, half)));
  const tried = outputs.flatMap((output) => output.trimEnd().split('\n')).map((line): Tried => JSON.parse(line));
  assert.deepEqual(tried.map(({ tool }) => tool).sort(), names);
  for (const { tool, hooks, refused, ...error } of tried) {
    await t.test(`${tool} attaches its programs, or says what the kernel lacks`, (one) => {
      if (hooks === undefined) {
        assert.equal(error.code, 'unsupported', error.crash ?? error.message);
        const what = `this kernel lacks what ${tool} needs:|no server of postgres that runs or is installed`;
        assert.match(error.message ?? '', new RegExp(`^(${what}) `));
        return one.skip(error.message);
      }
      assert.deepEqual(refused, []);
    });
  }
});

function times<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

async function run(guest: Guest, name: string, args: readonly string[] = []): Promise<string> {
  const { code, stdout, stderr } = await guest.exec([guest.node, program(name), ...args], { timeout });
  assert.equal(code, 0, stderr);
  return stdout;
}
