import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { KscopeError } from '../model/errors.ts';
import { compileObjects } from './objects.ts';
import { pruneOutput } from './prune.ts';
import { writeSkeletons } from './skeletons.ts';

/**
 * Everything between the sources and a package that runs: object files, their types, JavaScript, and what is derived
 * from the definitions. Run by the bootstrap in the root of the project.
 * @throws KscopeError failed
 */
async function build(root: string): Promise<void> {
  const { objects, compiled } = await compileObjects(root);
  if (compiled > 0) {
    say(`compiled ${compiled} of ${objects.length} BPF objects`);
  }
  writeSkeletons(root, objects);
  const { status } = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', '.'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  pruneOutput(root);
  if (status !== 0) {
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
