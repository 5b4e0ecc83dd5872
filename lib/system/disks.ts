import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { KscopeError } from '../model/errors.ts';
import { escapeText } from '../model/escape.ts';

/** A number may become that of another disk, but not from one moment to the next. */
const REMEMBERED_FOR = 1000;
const remembered = new Map<string, string>();
let forgetAt = 0;

/**
 * The name of a block device by its number: 'sda' for '8:0'; the number itself when there is no such device (any more).
 */
export function diskName(device: string, root = '/'): string {
  if (performance.now() >= forgetAt) {
    remembered.clear();
    forgetAt = performance.now() + REMEMBERED_FOR;
  }
  const path = join(root, 'sys/dev/block', device);
  const name = remembered.get(path) ?? nameOf(path, device);
  remembered.set(path, name);
  return name;
}

function nameOf(path: string, device: string): string {
  try {
    return escapeText(basename(readlinkSync(path)));
  } catch {
    return device;
  }
}

/**
 * The number of a whole disk by its name, with or without /dev/, or by that number: '8:0' for 'sda'. @throws KscopeError usage for what is
 * no disk
 */
export function diskNumber(name: string, root = '/'): string {
  const plain = name.replace(/^\/dev\//, '');
  const disks = readdirSync(join(root, 'sys/block'));
  const found = /^\d+:\d+$/.test(plain) ? diskName(plain, root) : plain;
  if (!disks.includes(found)) {
    throw new KscopeError('usage', `'${escapeText(name)}' is not a disk`, {
      hint: disks.length === 0 ? 'there are none' : `disks: ${disks.map(escapeText).join(', ')}`,
    });
  }
  return readFileSync(join(root, 'sys/block', found, 'dev'), 'utf8').trim();
}
