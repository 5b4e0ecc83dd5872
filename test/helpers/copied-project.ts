import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { built } from './run-tool.ts';

const root = join(built, '..');
const left = new Set(['node_modules', '.git', '.cache']);

/** Makes a copy of the project as it is, built, for tests that change it: as fresh as the original. */
export function copyProject(folder: string): void {
  mkdirSync(folder);
  const parts = readdirSync(root)
    .filter((name) => !left.has(name))
    .map((name) => join(root, name));
  execFileSync('cp', ['-a', ...parts, folder]);
  // What is known of the objects, or the copy would compile all of them.
  mkdirSync(join(folder, '.cache'));
  copyFileSync(join(root, '.cache/objects.json'), join(folder, '.cache/objects.json'));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
}
