// npm links the commands of a package by the folder they are in, but manual pages only by name. The names go into the
// package that npm packs, not into the repository: there, the folder is the list.
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { prepare, root } from './prepare.mjs';

const manifest = join(root, 'package.json');
const kept = join(root, '.cache/package.json');

if (existsSync(kept)) {
  // Also what a packing that was interrupted left behind.
  renameSync(kept, manifest);
}
if (process.argv[2] !== 'restore') {
  await prepare();
  const text = readFileSync(manifest, 'utf8');
  const { atime, mtime } = statSync(manifest);
  mkdirSync(join(root, '.cache'), { recursive: true });
  writeFileSync(kept, text);
  utimesSync(kept, atime, mtime);
  // Whoever installs the package neither builds nor tests it.
  const { scripts: _scripts, devDependencies: _dependencies, ...rest } = JSON.parse(text);
  const man = readdirSync(join(root, 'man')).map((page) => `man/${page}`);
  // Into a new file: a hard link or a reader of the old one keeps what it has.
  rmSync(manifest);
  writeFileSync(manifest, `${JSON.stringify({ ...rest, man }, null, 2)}\n`);
}
