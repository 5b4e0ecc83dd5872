import { installMissing, packageNeeds } from './packages.mjs';
import { compiled, prepare } from './prepare.mjs';
import { fail, say } from './speak.mjs';

const scope = process.argv[2] === 'check' ? 'check' : 'all';
if (scope === 'all' && process.getuid?.() !== 0) {
  fail('the tests load BPF programs: run `sudo npm test`, or `npm run check` for those that need no root');
}
await prepare();
if (scope === 'all') {
  const { hostPackages } = await compiled('test/vm/fetch.js');
  const { witnessPackages } = await compiled('test/helpers/packages.js');
  // Apart, since one package that cannot be had would keep all others away.
  for (const packages of [hostPackages, witnessPackages]) {
    const problem = installMissing(packageNeeds(packages));
    if (problem !== '') {
      say(`${problem}; tests that need them will be skipped, or fail and say so`);
    }
  }
}
const { test } = await compiled('lib/gen/test-run.js');
process.exit(await test(scope));
