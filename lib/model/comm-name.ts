import { escapeBytes } from './escape.ts';

const LENGTH = 15;

/** The name of a command as the kernel keeps it: its first 15 bytes, escaped. */
export function commName(name: string): string {
  return escapeBytes(Buffer.from(name).subarray(0, LENGTH));
}
