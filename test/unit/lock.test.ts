import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { withLock } from '../../lib/gen/lock.mjs';

const scratch = mkdtempSync(join(tmpdir(), 'kscope-lock-'));
after(() => rmSync(scratch, { recursive: true }));

test('one after the other', async () => {
  const path = join(scratch, 'in-turn');
  const events: string[] = [];
  const work = (name: string) => async () => {
    events.push(`${name} begins`);
    // Lets everybody else run for as long as they can.
    await new Promise((resolve) => setImmediate(resolve));
    events.push(`${name} ends`);
    return name;
  };
  const names = await Promise.all([withLock(path, work('first')), withLock(path, work('second'))]);
  assert.deepEqual(names, ['first', 'second']);
  assert.deepEqual(events, ['first begins', 'first ends', 'second begins', 'second ends']);
  assert.equal(existsSync(path), false);
});

test('work that fails gives the lock back', async () => {
  const path = join(scratch, 'failure');
  await assert.rejects(
    withLock(path, () => {
      throw new Error('broken');
    }),
    /broken/,
  );
  assert.equal(await withLock(path, () => 'free'), 'free');
});

test('the lock of a process that died is taken over', async () => {
  const path = join(scratch, 'orphan');
  const { pid } = spawnSync(process.execPath, ['--eval', '']);
  writeFileSync(path, String(pid));
  assert.equal(await withLock(path, () => 'taken'), 'taken');
});

test('nothing but the lock itself is ever left', () => {
  assert.deepEqual(readdirSync(scratch), []);
});
