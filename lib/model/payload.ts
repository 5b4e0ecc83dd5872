import { escapeBytes, unescapeText } from './escape.ts';

const NEWLINE = 0x0a;
const PER_LINE = 16;

/** Data as lines of text: escaped, but for the ends of its own lines. @param data as it was decoded: escaped */
export function payloadLines(data: string): string[] {
  const bytes = unescapeText(data);
  const lines: string[] = [];
  for (let start = 0; start < bytes.length; ) {
    const found = bytes.indexOf(NEWLINE, start);
    const end = found < 0 ? bytes.length : found;
    // The other half of a line's end is no character to speak of.
    lines.push(escapeBytes(bytes, start, end).replace(/\\r$/, ''));
    start = end + 1;
  }
  return lines;
}

/** Data as lines of sixteen bytes: position, hexadecimal, and what of it is ASCII. */
export function hexLines(data: string): string[] {
  const bytes = unescapeText(data);
  const lines: string[] = [];
  for (let start = 0; start < bytes.length; start += PER_LINE) {
    const part = [...bytes.subarray(start, start + PER_LINE)];
    const hex = part.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const text = part.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');
    lines.push(`${start.toString(16).padStart(8, '0')}  ${hex.padEnd(3 * PER_LINE - 1)}  |${text}|`);
  }
  return lines;
}
