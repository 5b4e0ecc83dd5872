import { join } from 'node:path';
import { compiled, prepare, root } from './prepare.mjs';

await prepare();
const { writeManPages } = await compiled('lib/gen/man.js');
await writeManPages(join(root, 'dist'), join(root, 'man'));
