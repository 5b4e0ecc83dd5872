import { statSync } from 'node:fs';
import { KscopeError } from '../model/errors.ts';
import { escapeText } from '../model/escape.ts';

/** What the kernel knows a file by. */
export interface FileIdentity {
  /** 'major:minor' of the file system. */
  readonly device: string;
  readonly inode: bigint;
}

/** The identity of a file that a user named. @throws KscopeError usage */
export function fileIdentity(path: string): FileIdentity {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (found === undefined) {
    throw new KscopeError('usage', `there is no file '${escapeText(path)}'`);
  }
  return { device: deviceText(found.dev), inode: found.ino };
}

/** What stat(2) says of a device, as text. */
export function deviceText(device: bigint): string {
  const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & ~0xfffn);
  const minor = (device & 0xffn) | ((device >> 12n) & 0xfff00n);
  return `${major}:${minor}`;
}
