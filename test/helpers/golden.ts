import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Compares a text with test/golden/NAME; with KSCOPE_UPDATE_GOLDEN=1 writes it there instead.
 * The file is read from the sources, not from the build.
 */
export function assertGolden(name: string, text: string): void {
  const path = fileURLToPath(new URL(`../../../test/golden/${name}`, import.meta.url));
  if (process.env.KSCOPE_UPDATE_GOLDEN === '1') {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return;
  }
  assert.equal(text, readFileSync(path, 'utf8'), `${name} is not what it was (KSCOPE_UPDATE_GOLDEN=1 rewrites it)`);
}
