import { statSync } from 'node:fs';
import { KscopeError } from '../model/errors.ts';
import { errno, errorText, libc } from '../native/libc.ts';
import { isConfidential, lockedDown, unlock } from '../system/lockdown.ts';

const CLONE_NEWNS = 0x20000;
const MS_REC = 0x4000;
const MS_PRIVATE = 0x40000;

const places = ['/sys/kernel/tracing', '/sys/kernel/debug/tracing'];

/**
 * Where the kernel shows its tracepoints. Where nothing is mounted, tracefs is mounted for this process alone: the
 * machine's own mounts stay as they are, and nothing is left behind.
 * @throws KscopeError permission or unsupported
 */
export function tracefs(): string {
  const found = places.find((place) => isThere(`${place}/events`));
  if (found !== undefined) {
    return found;
  }
  if (tracefsIsHidden()) {
    throw new KscopeError('unsupported', `the kernel is ${lockedDown}, and hides its tracepoints`, { hint: unlock });
  }
  const place = '/sys/kernel/tracing';
  if (isForbidden(place)) {
    throw new KscopeError('permission', `not permitted to look into ${place}`);
  }
  if (
    libc.unshare(CLONE_NEWNS) < 0 ||
    libc.mount(null, '/', null, MS_REC | MS_PRIVATE, null) < 0 ||
    libc.mount('tracefs', place, 'tracefs', 0, null) < 0
  ) {
    const error = errno();
    throw new KscopeError(
      error === 1 || error === 13 ? 'permission' : 'unsupported',
      `tracefs is not mounted and cannot be: ${errorText(error)}`,
      { hint: `mount -t tracefs tracefs ${place}` },
    );
  }
  return place;
}

/** Whether the kernel was booted in a mode in which tracefs stays empty. */
export function tracefsIsHidden(): boolean {
  return !places.some((place) => isThere(`${place}/events`)) && isConfidential();
}

/** Everybody sees that tracefs is there, and only root what is in it. */
function isForbidden(directory: string): boolean {
  try {
    statSync(`${directory}/.`);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES';
  }
}

/** As existsSync, which asks access(2): that takes no notice of the capabilities of somebody who is not root. */
function isThere(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
}

/** Whether the running kernel has a tracepoint, by asking tracefs. */
export function hasTracepoint(category: string, name: string): boolean {
  return isThere(`${tracefs()}/events/${category}/${name}/id`);
}
