import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { aliasesOf, Registry } from '../cli/registry.ts';
import { writeFolder } from './write-folder.ts';

/**
 * Writes the commands: `commands/bin/kscope`, one for each tool in `dist/tools` and one for each alias. Old ones are removed.
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
  await writeFolder(join(dist, 'commands/bin'), stubs, 0o755);
  await writeFile(join(dist, 'commands/package.json'), '{ "type": "commonjs" }\n');
  return [...stubs.keys()].sort();
}

/**
 * A command without an extension, which is no module because the package.json beside its folder says so: to get ready for
 * modules takes Node as long as a tenth of what a command needs to start.
 */
function stub([tool, name]: readonly string[], args: readonly string[] = []): string {
  const given = 'process.argv.slice(2)';
  const argv =
    args.length === 0 ? given : `[${args.map((argument) => JSON.stringify(argument)).join(', ')}, ...${given}]`;
  const details = name === undefined ? '' : `, { name: ${JSON.stringify(name)} }`;
  return `#!/usr/bin/env node
require('../shared/start.cjs').start(${argv}, ${JSON.stringify(tool)}${details});
`;
}
