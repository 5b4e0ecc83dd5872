import { escapeBytes, escapeTerminated, terminator } from './escape.ts';

export function quoteArgument(argument: string): string {
  return argument === '' || /[ "']/.test(argument) ? `"${argument.replaceAll('"', '\\"')}"` : argument;
}

export function splitArguments(bytes: Uint8Array, start: number, end: number): readonly string[] {
  const found: string[] = [];
  for (let at = start; at < end; ) {
    const stop = terminator(bytes, at, end);
    found.push(escapeTerminated(bytes, at, stop));
    at = stop + 1;
  }
  return found;
}

/** Bytes behind their number, which may be wrong. */
export function decodeData(bytes: Uint8Array, start: number, end: number): string {
  if (end - start < 4) {
    return '';
  }
  const length = new DataView(bytes.buffer, bytes.byteOffset + start, 4).getUint32(0, true);
  return escapeBytes(bytes, start + 4, Math.min(end, start + 4 + length));
}

/** What is behind the length, as far as it is there, in hexadecimal. */
export function decodeHex(bytes: Uint8Array, start: number, end: number): string {
  if (end - start < 4) {
    return '';
  }
  const memory = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start);
  return memory.toString('hex', 4, Math.min(memory.length, 4 + memory.readUInt32LE()));
}

const slash = 0x2f;
// Where paths are put together, one at a time.
let room = Buffer.alloc(16384);

const beginnings = [Buffer.from('\0...\0'), Buffer.from('\0.\0')] as const;
const alone = beginnings[1];

/** Where a path ends in a field of fixed length, which zeros fill up. */
function endOfDentries(bytes: Uint8Array, start: number, limit: number): number {
  let end = limit;
  while (end - start > 2 && bytes[end - 1] === 0 && bytes[end - 2] === 0 && bytes[end - 3] === 0) {
    end--;
  }
  return end < limit && beginnings.some((beginning) => endsWith(bytes, end - 1, beginning)) ? end - 1 : end;
}

function endsWith(bytes: Uint8Array, end: number, last: Uint8Array): boolean {
  return last.every((byte, i) => bytes[end - last.length + i] === byte);
}

/**
 * The pieces of a path, leaf first, put the other way round with slashes between them. The outermost piece is empty for
 * a path from the root, '...' for one whose beginning is not known, and '.' for a name that is in no directory.
 */
export function joinDentries(bytes: Uint8Array, start: number, limit: number): string {
  const end = endOfDentries(bytes, start, limit);
  const first = terminator(bytes, start, end);
  if (first >= end - 1 || (first === end - alone.length && endsWith(bytes, end, alone))) {
    return escapeTerminated(bytes, start, first);
  }
  const stop = bytes[end - 1] === 0 ? end - 1 : end;
  const length = stop - start;
  if (length > room.length) {
    room = Buffer.alloc(length);
  }
  // Slashes take the places of the NULs, so a piece ends as far from the end as it began from the start.
  for (let piece = start; piece <= stop; ) {
    const after = terminator(bytes, piece, stop);
    const to = stop - after;
    for (let i = piece; i < after; i++) {
      room[to + i - piece] = bytes[i] as number;
    }
    if (after < stop) {
      room[to - 1] = slash;
    }
    piece = after + 1;
  }
  return escapeTerminated(room, 0, length);
}
