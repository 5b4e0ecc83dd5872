import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parseArguments } from '../../lib/cli/command.ts';
import { Registry } from '../../lib/cli/registry.ts';
import { KscopeError } from '../../lib/model/errors.ts';
import type { Tool } from '../../lib/shapes/definition.ts';
import { type BpfId, heldBy, leftOf } from '../helpers/bpf-ids.ts';
import { inVirtualMachine } from '../helpers/deadline.ts';
import { usualArguments } from '../helpers/usual-arguments.ts';

/** Starts and ends of each tool: KSCOPE_CYCLES=1000 for a long run. */
const cycles = Number(process.env.KSCOPE_CYCLES ?? (inVirtualMachine ? 8 : 12));
const all = process.env.KSCOPE_CYCLES !== undefined;
/** After so many, Node, libbpf and koffi have what they keep. */
const warm = Math.min(20, Math.floor(cycles / 2));
/** Bytes that one more cycle may leave, on average; the garbage collector is late. A mapping has a page at least. */
const allowance = all ? 4096 : 64 * 1024;
/** What varies from one look to the next. */
const noise = 16 * 2 ** 20;

async function cycle(name: string, tool: Tool): Promise<readonly BpfId[]> {
  const parsed = parseArguments(name, tool, usualArguments(tool));
  assert.equal(parsed.kind, 'run');
  const end = new AbortController();
  let held: readonly BpfId[] = [];
  for await (const { type } of tool.run({ values: parsed.values, signal: end.signal })) {
    if (type === 'ready') {
      held = [...heldBy(process.pid)];
      end.abort();
    }
  }
  return held;
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Resident memory, after everything that can be collected was. */
function resident(): number {
  collect();
  return process.memoryUsage.rss();
}

// A listing has nothing in the kernel.
const tools = new Map([...(await new Registry().loadAll())].filter(([, { shape }]) => shape !== 'listing'));
const first = new Map(Array.from(tools, ([name, { shape }]): [string, string] => [shape, name]).reverse());

for (const [name, tool] of tools) {
  if (!all && first.get(tool.shape) !== name) {
    continue;
  }
  test(`${name}: ${cycles} starts and ends in one process leave nothing there`, async (t) => {
    let last: readonly BpfId[] = [];
    let memory = 0;
    let descriptors = 0;
    let mappings = 0;
    for (let i = 0; i < cycles; i++) {
      try {
        last = await cycle(name, tool);
      } catch (error) {
        assert.ok(error instanceof KscopeError && error.code === 'unsupported', String(error));
        t.skip(error.message);
        return;
      }
      if (i === warm) {
        memory = resident();
        descriptors = readdirSync('/proc/self/fd').length;
        mappings = mapped();
      }
    }
    assert.ok(last.length > 0);
    assert.equal(readdirSync('/proc/self/fd').length, descriptors);
    assert.deepEqual([...heldBy(process.pid)], []);
    assert.deepEqual(await leftOf(last), []);
    const grown = resident() - memory;
    assert.ok(grown < noise + (cycles - warm) * allowance, `${grown} bytes more after ${cycles - warm} cycles`);
    assert.ok(mapped() - mappings < 5 + (cycles - warm) / 10, `${mapped() - mappings} more mappings`);
  });
}

/** Mappings of files and of the kernel's objects: the heap of JavaScript comes and goes in those without a name. */
function mapped(): number {
  return readFileSync('/proc/self/maps', 'utf8').match(/^(\S+ +){5}\S/gm)?.length ?? 0;
}
