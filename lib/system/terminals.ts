import { readlinkSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { KscopeError } from '../model/errors.ts';
import { escapeText } from '../model/escape.ts';
import { deviceText } from './file-identity.ts';

const PTS_FIRST = 136;
const PTS_LAST = 143;
const MINORS = 1 << 20;

/** 'major:minor' of a terminal by its path, or by the number of a pseudo terminal. @throws KscopeError usage */
export function terminalNumber(named: string): string {
  const path = /^\d+$/.test(named) ? `/dev/pts/${named}` : named;
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (found?.isCharacterDevice() !== true) {
    throw new KscopeError('usage', `'${escapeText(path)}' is not a terminal`);
  }
  return deviceText(found.rdev);
}

/**
 * The name of a terminal below /dev by its number: 'pts/3' for '136:3', 'ttyS0' for '4:64'; the number itself when there
 * is no such device.
 */
export function terminalName(number: string, root = '/'): string {
  const [major = 0, minor = 0] = number.split(':').map(Number);
  if (major >= PTS_FIRST && major <= PTS_LAST) {
    return `pts/${(major - PTS_FIRST) * MINORS + minor}`;
  }
  try {
    return escapeText(basename(readlinkSync(join(root, 'sys/dev/char', number))));
  } catch {
    return number;
  }
}
