import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { KscopeError } from '../model/errors.ts';
import { bundleCommands } from './bundle.ts';
import { writeCompletions } from './completions.ts';
import { importDirectly } from './direct-imports.ts';
import { compileObjects } from './objects.ts';
import { pruneOutput } from './prune.ts';
import { writeSkeletons } from './skeletons.ts';
import { writeStubs } from './stubs.ts';

/**
 * Everything between the sources and a package that runs: object files, their types, JavaScript, and what is derived
 * from the definitions of the tools. Run by the bootstrap in the root of the project, after a first compilation.
 * @throws KscopeError failed
 */
async function build(root: string): Promise<void> {
  const dist = join(root, 'dist');
  const { objects, compiled } = await compileObjects(root);
  if (compiled > 0) {
    say(`compiled ${compiled} of ${objects.length} BPF objects`);
  }
  writeSkeletons(root, objects);
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const { status } = spawnSync(process.execPath, [compiler, '-p', '.'], { cwd: root, stdio: ['ignore', 2, 2] });
  pruneOutput(root);
  importDirectly(dist);
  if (!(await bundleCommands(dist))) {
    say('commands will start later than they could: what they run from was not compiled');
  }
  await writeStubs(dist);
  await writeCompletions(dist);
  if (status !== 0) {
    // Only now: with everything in place, what was compiled can be tried all the same.
    throw new KscopeError('failed', 'the types are not right');
  }
}

function say(line: string): void {
  process.stderr.write(`kscope: ${line}\n`);
}

try {
  await build(process.cwd());
} catch (error) {
  if (!(error instanceof KscopeError)) {
    throw error;
  }
  say([error.message, ...error.hints].join('\n'));
  process.exitCode = error.exitCode;
}
