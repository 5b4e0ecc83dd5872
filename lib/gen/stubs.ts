import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { aliasesOf, Registry } from '../cli/registry.ts';
import { writeFolder } from './write-folder.ts';

/**
 * Writes the commands: `bin/kscope`, one for each tool in `dist/tools` and one for each alias. Old ones are removed.
 * Returns their names.
 */
export async function writeStubs(dist: string): Promise<string[]> {
  const tools = await new Registry(pathToFileURL(`${join(dist, 'tools')}/`)).loadAll();
  const stubs = new Map([['kscope', stub([])]]);
  for (const name of tools.keys()) {
    stubs.set(name, stub([name]));
  }
  for (const [name, { tool, args }] of aliasesOf(tools)) {
    stubs.set(name, stub([tool, name], args));
  }
  await writeFolder(join(dist, 'bin'), stubs, 0o755);
  return [...stubs.keys()].sort();
}

/** A command without an extension: Node takes it for a module because the package says so. */
function stub([tool, name]: readonly string[], args: readonly string[] = []): string {
  const given = 'process.argv.slice(2)';
  const argv =
    args.length === 0 ? given : `[${args.map((argument) => JSON.stringify(argument)).join(', ')}, ...${given}]`;
  const details = name === undefined ? '' : `, { name: ${JSON.stringify(name)} }`;
  return `#!/usr/bin/env node
import { compiledMain } from '../lib/cli/compiled.js';

process.exit(await compiledMain()(${argv}, ${JSON.stringify(tool)}${details}));
`;
}
