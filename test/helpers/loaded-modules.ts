import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunOptions, startCommand, type ToolResult } from './run-tool.ts';

/** Runs a command of Node until its end, and tells which modules it had loaded by then: the files of V8's coverage. */
export async function withLoadedModules(
  argv: readonly [string, ...string[]],
  options: RunOptions = {},
): Promise<{ readonly result: ToolResult; readonly modules: readonly string[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'kscope-modules-'));
  try {
    const env = { ...process.env, ...options.env, NODE_V8_COVERAGE: folder };
    await using running = startCommand(argv, { ...options, env });
    const result = await running.ended();
    const modules = readdirSync(folder).flatMap((file) => {
      const report = JSON.parse(readFileSync(join(folder, file), 'utf8')) as { result: { url: string }[] };
      return report.result.map(({ url }) => url);
    });
    return { result, modules };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Those that belong to a view, or that it is drawn with. */
export function viewModules(modules: readonly string[]): string[] {
  return modules.filter((url) =>
    /\/lib\/(view|replay)\/|\/node_modules\/(ink|react|react-reconciler|yoga-layout)\//.test(url),
  );
}
