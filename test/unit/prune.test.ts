import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { pruneOutput } from '../../lib/gen/prune.ts';

const root = mkdtempSync(join(tmpdir(), 'kscope-prune-'));
after(() => rmSync(root, { recursive: true }));

test('compiled files without a source are removed, and nothing else', () => {
  const kept = [
    'tools/here.ts',
    'dist/tools/here.js',
    'dist/tools/here.d.ts',
    'bpf/here.bpf.ts',
    'dist/bpf/here.bpf.js',
    'dist/bpf/x86/gone.bpf.o',
    'lib/gen/start.mjs',
    'dist/lib/gen/start.mjs',
    'dist/lib/gen/start.d.mts',
    'dist/commands/bin/gone',
    'dist/test/unit/data.json',
  ];
  const removed = [
    'dist/tools/gone.js',
    'dist/tools/gone.d.ts',
    'dist/bpf/gone.bpf.js',
    'dist/lib/gen/here.js',
    'dist/lib/gen/gone.mjs',
    'dist/lib/gen/gone.d.mts',
    'dist/test/unit/gone.test.js',
  ];
  for (const file of [...kept, ...removed]) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), '');
  }
  pruneOutput(root);
  const left = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1));
  assert.deepEqual(left.sort(), kept.sort());
});
