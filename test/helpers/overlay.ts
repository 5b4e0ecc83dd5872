import { spawnSync } from 'node:child_process';
import type { TestContext } from 'node:test';
import type { Actor } from './actor.ts';

const CLONE_NEWNS = 0x20000;
const MS_REC_PRIVATE = 0x44000;
const AT_FDCWD = -100;
const O_WRONLY_CREAT = 0o101;
const ENODEV = 19;

/**
 * Gives an actor a mount namespace of its own, with an overlay file system below the directory, whose lower layer has
 * these files. Skips the test where the kernel has no such file system.
 * @returns its path, which nobody else can open
 */
export async function overlaid(
  t: TestContext,
  actor: Actor,
  directory: string,
  files: readonly string[],
): Promise<string | undefined> {
  const path = (name: string) => `${directory}/${name}`;
  // Where it is part of the kernel there is nothing to load.
  spawnSync('modprobe', ['overlay']);
  await actor.mustCall('unshare', CLONE_NEWNS);
  await actor.mustCall('mount', 'none', '/', 0, MS_REC_PRIVATE, 0);
  await actor.mustCall('mount', 'none', directory, 'tmpfs', 0, 0);
  for (const name of ['lower', 'upper', 'work', 'top']) {
    await actor.mustCall('mkdirat', AT_FDCWD, path(name), 0o755);
  }
  for (const name of files) {
    await actor.mustCall('openat', AT_FDCWD, path(`lower/${name}`), O_WRONLY_CREAT, 0o600);
  }
  const layers = `lowerdir=${path('lower')},upperdir=${path('upper')},workdir=${path('work')}`;
  const result = await actor.call('mount', 'none', path('top'), 'overlay', 0, layers);
  if (result === -ENODEV) {
    t.skip('the kernel has no overlay file system');
    return undefined;
  }
  if (result < 0) {
    throw new Error(`mounting an overlay fails: ${-result}`);
  }
  return path('top');
}
