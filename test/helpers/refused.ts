import assert from 'node:assert/strict';
import { startCommand, type ToolResult } from './run-tool.ts';

export interface Refusal {
  readonly code: number;
  /** The first line. */
  readonly says: RegExp | string;
  /** The hints, in order. */
  readonly hints: readonly (RegExp | string)[];
}

/** One sentence, what to do about it, and nothing else: no data, no stack trace, nothing that steers a terminal. */
export function assertRefused(result: ToolResult, { code, says, hints }: Refusal): void {
  const { stdout, stderr } = result;
  assert.equal(result.code, code, stderr);
  assert.equal(stdout, '');
  assert.ok(stderr.endsWith('\n'));
  const [first = '', ...rest] = stderr.slice(0, -1).split('\n');
  assertIs(first, says);
  assert.equal(rest.length, hints.length, stderr);
  for (const [i, hint] of hints.entries()) {
    assert.match(rest[i] ?? '', /^hint: /);
    assertIs((rest[i] ?? '').replace('hint: ', ''), hint);
  }
  assert.doesNotMatch(stderr.replaceAll('\n', ''), /[\p{Cc}\u2028-\u202e]/u);
}

function assertIs(text: string, expected: RegExp | string): void {
  typeof expected === 'string' ? assert.equal(text, expected) : assert.match(text, expected);
}

/** Runs a command line until it ends by itself. */
export async function runCommand(
  argv: readonly [string, ...string[]],
  env: NodeJS.ProcessEnv = process.env,
): Promise<ToolResult> {
  await using command = startCommand(argv, { env });
  return await command.ended();
}
