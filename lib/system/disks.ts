import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { KscopeError } from '../model/errors.ts';
import { escapeText } from '../model/escape.ts';

/** The name of a block device by its number: 'sda' for '8:0'; the number itself when there is no such device (any more). */
export function diskName(device: string, root = '/'): string {
  try {
    return escapeText(basename(readlinkSync(join(root, 'sys/dev/block', device))));
  } catch {
    return device;
  }
}

/**
 * The number of a whole disk by its name, with or without /dev/: '8:0' for 'sda'. @throws KscopeError usage for what is
 * no disk
 */
export function diskNumber(name: string, root = '/'): string {
  const plain = name.replace(/^\/dev\//, '');
  const disks = readdirSync(join(root, 'sys/block'));
  if (!disks.includes(plain)) {
    throw new KscopeError('usage', `'${escapeText(name)}' is not a disk`, {
      hint: disks.length === 0 ? 'there are none' : `disks: ${disks.map(escapeText).join(', ')}`,
    });
  }
  return readFileSync(join(root, 'sys/block', plain, 'dev'), 'utf8').trim();
}
