import assert from 'node:assert/strict';
import { type JsonMessage, type RunningTool, startTool, type ToolResult } from './run-tool.ts';

// A hook that is met in an interrupt of a program is counted as missed, whatever the event was: the rows tell whether it
// was one that mattered.
const harmless = /^\w+: lost \d+ events that came while a program was busy( in all)?\n/gm;

/**
 * Starts a tool with each of several command lines, does the work when all of them are ready, and ends them: what was
 * done before the end is in the results. Each must end well and say nothing but that it is ready.
 */
export async function watch<Lines extends Readonly<Record<string, readonly string[]>>>(
  tool: string,
  commandLines: Lines,
  work: (running: { readonly [Name in keyof Lines]: RunningTool }) => unknown,
): Promise<{ -readonly [Name in keyof Lines]: ToolResult }> {
  const entries = Object.entries<readonly string[]>(commandLines).map(([name, args]): [string, RunningTool] => {
    const running = startTool(tool, args);
    // Nobody traces before all are there: they would see each other start.
    running.process.kill('SIGSTOP');
    return [name, running];
  });
  try {
    for (const [, running] of entries) {
      running.process.kill('SIGCONT');
    }
    await Promise.all(entries.map(([, running]) => running.ready()));
    await work(Object.fromEntries(entries) as { readonly [Name in keyof Lines]: RunningTool });
    const results = await Promise.all(
      entries.map(async ([name, running]): Promise<[string, ToolResult]> => {
        const result = await running.end();
        assert.equal(result.code, 0, `${name}: ${result.stderr}`);
        const said = result.stderr.replace(harmless, '');
        assert.match(said, /^[^\n]*Ctrl-C[^\n]*\n$/, `${name} said more than that it is ready: ${said}`);
        return [name, result];
      }),
    );
    return Object.fromEntries(results) as { -readonly [Name in keyof Lines]: ToolResult };
  } finally {
    await Promise.all(entries.map(([, running]) => running[Symbol.asyncDispose]()));
  }
}

/** Events without what no test can know exactly: their time. */
export function timeless(rows: readonly JsonMessage[]): object[] {
  return rows.map(({ time, type, ...rest }) => rest);
}
