import { readdirSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { escapeBytes, escapeText } from '../model/escape.ts';

/** The names of whole block devices, in the order of their names and the numbers in them. */
export function blockDevices(root = '/'): readonly string[] {
  return readdirSync(join(root, 'sys/block')).sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
}

/** What the kernel says of a device. */
export interface DeviceAttribute {
  /** As it can be printed, without spaces around it. */
  readonly text: string;
  /** The file that says it. */
  readonly source: string;
}

/**
 * One attribute of a block device: what a file says, or of several the first that can be read. `DEVTYPE` behind
 * `uevent:` is the value of such a line. Undefined where there is none, or nothing in it.
 */
export function deviceAttribute(device: string, files: readonly string[], root = '/'): DeviceAttribute | undefined {
  for (const file of files) {
    const [name = '', key] = file.split(':');
    const source = join(root, 'sys/block', device, name);
    const text = valueIn(readOrNothing(source), key);
    if (text !== '') {
      return { text, source: escapeText(source) };
    }
  }
  return undefined;
}

/** Where a file of /sys really is: below the device, and not below one of the names for it. */
export function realSource(source: string): string {
  try {
    return escapeText(realpathSync(source));
  } catch {
    return source;
  }
}

function valueIn(content: Uint8Array, key: string | undefined): string {
  const text = escapeBytes(content.subarray(0, content.at(-1) === 10 ? -1 : undefined));
  const value = key === undefined ? text : (new RegExp(`(?:^|\\\\n)${key}=(.*?)(?:\\\\n|$)`).exec(text)?.[1] ?? '');
  return value.trim();
}

/** Files of attributes that a device does not have fail to open, or to be read. */
function readOrNothing(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch {
    return new Uint8Array();
  }
}
