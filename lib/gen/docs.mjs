import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compiled, prepare, root } from './prepare.mjs';

await prepare();
const { readMeasured, writeManPages } = await compiled('lib/gen/man.js');
await writeManPages(join(root, 'dist'), join(root, 'man'), readMeasured(join(root, 'test/bench/measured.json')));
const { withToolList } = await compiled('lib/gen/tool-list.js');
const { Registry } = await compiled('lib/cli/registry.js');
const readme = join(root, 'README.md');
writeFileSync(readme, await withToolList(readFileSync(readme, 'utf8'), new Registry()));
