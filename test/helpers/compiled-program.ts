import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { TemporaryDirectory } from './temporary-directory.ts';

/**
 * Compiles a program in C whose stacks can be followed. Skips the test where there is no C compiler.
 * @returns the path of the program
 */
export function compiledProgram(
  t: TestContext,
  directory: TemporaryDirectory,
  name: string,
  source: string,
): string | undefined {
  const program = join(directory.path, name);
  const file = `${program}.c`;
  writeFileSync(file, source);
  const options = [
    '-O1',
    '-fno-omit-frame-pointer',
    '-mno-omit-leaf-frame-pointer',
    '-fno-optimize-sibling-calls',
    '-o',
    program,
    file,
  ];
  let why = '';
  for (const compiler of ['cc', 'gcc', 'clang']) {
    const { status, stderr, error } = spawnSync(compiler, options, { encoding: 'utf8' });
    if (status === 0) {
      return program;
    }
    if (error === undefined) {
      why = stderr;
    }
  }
  if (why !== '') {
    throw new Error(`the compiler fails: ${why}`);
  }
  t.skip('there is no C compiler');
  return undefined;
}
