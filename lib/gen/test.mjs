import { installPackages } from './packages.mjs';
import { compiled, prepare } from './prepare.mjs';

const scope = process.argv[2] === 'check' ? 'check' : 'all';
await prepare();
if (scope === 'all') {
  installPackages('test');
}
const { test } = await compiled('lib/gen/test-run.js');
process.exit(await test(scope));
