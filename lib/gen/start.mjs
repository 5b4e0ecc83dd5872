import { join } from 'node:path';
import { compiled, prepare, root } from './prepare.mjs';

await prepare();
// What people are told to type, after sudo say, is the command itself and not this file.
process.argv[1] = join(root, 'dist/commands/bin/kscope');
// In this process, so that signals, the terminal and the exit status are the tool's own.
await compiled('commands/bin/kscope');
