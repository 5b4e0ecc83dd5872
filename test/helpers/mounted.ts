import { runCommand } from './refused.ts';
import type { ToolResult } from './run-tool.ts';
import { TemporaryDirectory } from './temporary-directory.ts';

/** A line of shell in which "$@" is a command and $FOLDER a place for files, with mounts of its own. */
export function mounted(script: string, command: readonly string[]): [string, ...string[]] {
  return ['unshare', '--mount', 'sh', '-c', script, 'sh', ...command];
}

/** Runs a command behind such a line until it ends by itself. */
export async function runMounted(script: string, command: readonly string[]): Promise<ToolResult> {
  using folder = new TemporaryDirectory();
  return await runCommand(mounted(script, command), { ...process.env, FOLDER: folder.path });
}
