// npm looks which commands a folder has before it lets the folder build them. So the first `npm install -g .` in a fresh
// clone would link none: what npm does from the second time on is done here.
import { lstatSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { prepare, root } from './prepare.mjs';

await prepare();
const { npm_config_global: isGlobal, npm_config_global_prefix: prefix, npm_package_name: name } = process.env;
if (isGlobal === 'true' && prefix !== undefined) {
  mkdirSync(join(prefix, 'bin'), { recursive: true });
  for (const command of readdirSync(join(root, 'dist/commands/bin'))) {
    const link = join(prefix, 'bin', command);
    if (lstatSync(link, { throwIfNoEntry: false }) === undefined) {
      symlinkSync(`../lib/node_modules/${name}/dist/commands/bin/${command}`, link);
    }
  }
}
