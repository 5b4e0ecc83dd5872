import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Actor } from '../helpers/actor.ts';
import { directoriesByType } from '../helpers/file-systems.ts';
import { runTool, type ToolResult } from '../helpers/run-tool.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';
import { noTracedFunctions } from '../helpers/traced-functions.ts';
import { watch } from '../helpers/watch.ts';

const AT_FDCWD = -100;

interface Counts {
  readonly refs: number;
  readonly slow: number;
  readonly misses: number;
  readonly ratio?: number;
}

function countsOf({ messages }: ToolResult): Counts {
  const [counts, ...more] = messages.filter(({ type }) => type === 'table').flatMap(({ rows }) => rows as Counts[]);
  assert.ok(counts !== undefined && more.length === 0);
  return counts;
}

test('each part of a path is a lookup, and each name that is not known is one miss', {
  skip: noTracedFunctions(),
}, async () => {
  const parent = directoriesByType().get('ext4') ?? '';
  assert.ok(existsSync(parent));
  using place = new TemporaryDirectory(parent);
  mkdirSync(join(place.path, 'a/b'), { recursive: true });
  writeFileSync(join(place.path, 'a/b/file'), '');
  await using actor = await Actor.start({ cwd: place.path });
  const stat = (path: string) => actor.call('newfstatat', AT_FDCWD, path, Buffer.alloc(256), 0);
  const own = ['--json', '-p', String(actor.pid), '60'];
  const hits = await watch('dcstat', { all: own, stranger: ['--json', '-p', '4194000', '60'] }, async () => {
    for (let i = 0; i < 40; i++) {
      assert.equal(await stat('a/b/file'), 0);
    }
  });
  const known = countsOf(hits.all);
  assert.deepEqual([known.refs, known.misses, known.ratio], [120, 0, 100]);
  const none = countsOf(hits.stranger);
  assert.deepEqual([none.refs, none.slow, none.misses, none.ratio], [0, 0, 0, undefined]);

  const missing = await watch('dcstat', { all: own }, async () => {
    for (const _ of ['unknown', 'known not to be there', 'once more']) {
      for (let i = 0; i < 30; i++) {
        assert.equal(await stat(`a/missing-${i}`), -2);
      }
    }
  });
  const asked = countsOf(missing.all);
  assert.deepEqual([asked.refs, asked.misses], [180, 30]);
  assert.ok(Math.abs((asked.ratio ?? 0) - (100 * 150) / 180) < 1e-9);
});

test('text is per second, and has no share without a lookup', { skip: noTracedFunctions() }, async () => {
  const { code, stdout } = await runTool('dcstat', ['-p', '4194000', '0.1', '2']);
  assert.equal(code, 0);
  assert.match(stdout, /^(REFS\/s SLOW\/s MISS\/s HIT%\n +0 +0 +0 +-\n\n?){2}$/);
});
