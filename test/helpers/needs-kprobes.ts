import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { probeFeature } from '../../lib/index.ts';
import { runTool } from './run-tool.ts';

/**
 * Whether the kernel has kprobes. Where it has none, a tool says so when it is asked for a function of the kernel, and
 * the test is skipped.
 */
export async function needsKprobes(t: TestContext, tool: string, ...args: readonly string[]): Promise<boolean> {
  const { supported, reason } = probeFeature('kprobe');
  if (supported !== true) {
    const { code, stderr } = await runTool(tool, args);
    assert.equal(code, 3, stderr);
    t.skip(reason);
  }
  return supported === true;
}
