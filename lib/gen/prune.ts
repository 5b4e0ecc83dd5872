import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Removes compiled files whose source is gone: the folder of compiled tools is the list of tools, and the runner of the
 * tests takes what it finds.
 */
export function pruneOutput(root: string): void {
  for (const folder of ['lib', 'tools', 'bpf', 'test']) {
    prune(root, folder);
  }
}

function prune(root: string, folder: string): void {
  const output = join(root, 'dist', folder);
  const entries = existsSync(output) ? readdirSync(output, { withFileTypes: true }) : [];
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      prune(root, path);
    } else if (isOrphan(root, path)) {
      rmSync(join(root, 'dist', path));
    }
  }
}

function isOrphan(root: string, path: string): boolean {
  const compiled = /^(.*?)(?:\.d)?\.(m?)[jt]s$/.exec(path);
  return (
    compiled !== null && !['t', 'j'].some((kind) => existsSync(join(root, `${compiled[1]}.${compiled[2]}${kind}s`)))
  );
}
