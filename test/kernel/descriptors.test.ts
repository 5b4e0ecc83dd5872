import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { parseArguments } from '../../lib/cli/command.ts';
import { Registry } from '../../lib/cli/registry.ts';
import { KscopeError } from '../../lib/model/errors.ts';
import type { Tool } from '../../lib/shapes/definition.ts';
import { heldBy } from '../helpers/bpf-ids.ts';
import { withDescriptors } from '../helpers/descriptor-limit.ts';
import { usualArguments } from '../helpers/usual-arguments.ts';

type Values = Readonly<Record<string, unknown>>;

/** Starts a tool in this process and ends it at once. */
async function startAndEnd(tool: Tool, values: Values): Promise<void> {
  for await (const _ of tool.run({ values, signal: AbortSignal.abort() }));
}

// A listing has nothing in the kernel.
const tools = new Map([...(await new Registry().loadAll())].filter(([, { shape }]) => shape !== 'listing'));
// Every step loads everything again, and the steps of a shape are much the same: KSCOPE_THOROUGH has all tools tried.
const thorough = process.env.KSCOPE_THOROUGH !== undefined;
const first = new Map(Array.from(tools, ([name, { shape }]): [string, string] => [shape, name]).reverse());

for (const [name, tool] of tools) {
  if (!thorough && first.get(tool.shape) !== name) {
    continue;
  }
  test(`${name} fails in order at whichever step the descriptors run out`, async (t) => {
    const parsed = parseArguments(name, tool, usualArguments(tool));
    assert.ok(parsed.kind === 'run');
    const { values } = parsed;
    try {
      await startAndEnd(tool, values);
    } catch (error) {
      assert.ok(error instanceof KscopeError && error.code === 'unsupported', String(error));
      t.skip(error.message);
      return;
    }
    const open = readdirSync('/proc/self/fd').length;
    let refused = 0;
    for (let works = false; !works; ) {
      try {
        await withDescriptors(refused, () => startAndEnd(tool, values));
        works = true;
      } catch (error) {
        // Its own failure, or what Node says when it cannot open a file.
        const { code } = error as { code?: unknown };
        assert.ok(error instanceof KscopeError || code === 'EMFILE', error instanceof Error ? error.stack : '');
        assert.notEqual(code, 'usage');
        refused += 1;
      }
      assert.deepEqual([...heldBy(process.pid)], []);
      assert.equal(readdirSync('/proc/self/fd').length, open, `after ${refused} descriptors`);
    }
    // One for each program and map at least.
    assert.ok(refused > 2, `${refused}`);
  });
}
