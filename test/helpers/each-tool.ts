import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { Tried } from './each-tool-main.ts';
import type { ToolResult } from './run-tool.ts';

/** A command that starts each of these tools as its first example does, all in one process, and ends it once attached. */
export function eachTool(names: readonly string[]): readonly [string, ...string[]] {
  return [process.execPath, join(import.meta.dirname, 'each-tool-main.js'), ...names];
}

/** What that command has said of the tools: nothing else, and of each. */
export function triedTools(names: readonly string[], { code, stdout, stderr }: ToolResult): readonly Tried[] {
  assert.deepEqual([code, stderr], [0, '']);
  const tried = stdout
    .trimEnd()
    .split('\n')
    .map((line): Tried => JSON.parse(line));
  assert.deepEqual(
    tried.map(({ tool }) => tool),
    names,
  );
  return tried;
}
