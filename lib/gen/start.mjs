import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { prepare, root } from './prepare.mjs';

await prepare();
// In this process, so that signals, the terminal and the exit status are the tool's own.
const { main } = await import(pathToFileURL(join(root, 'dist/lib/cli/main.js')).href);
await main(process.argv.slice(2));
