import { KscopeError } from '../model/errors.ts';

/** The longest line of a recording, in bytes: a table of ten thousand rows has two million. */
const longestLine = 32 * 2 ** 20;

export interface Line {
  readonly text: string;
  /** From 1 on. */
  readonly number: number;
}

const newline = 0x0a;

/**
 * The lines of a recording, in batches as they come; one that was cut off by the end counts if it is whole JSON.
 * @throws KscopeError failed for a line that is too long
 */
export async function* linesOf(
  chunks: AsyncIterable<Uint8Array>,
  limit = longestLine,
): AsyncGenerator<Line[], void, void> {
  let rest: Uint8Array[] = [];
  let length = 0;
  let number = 0;
  for await (const chunk of chunks) {
    const lines: Line[] = [];
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      rest.push(chunk.subarray(start, end));
      number++;
      check(length + end - start, limit, number);
      lines.push({ text: decode(rest), number });
      rest = [];
      length = 0;
      start = end + 1;
    }
    if (start < chunk.length) {
      rest.push(chunk.subarray(start));
      length += chunk.length - start;
      check(length, limit, number + 1);
    }
    yield lines;
  }
  if (length > 0) {
    yield [{ text: decode(rest), number: number + 1 }];
  }
}

function decode(parts: readonly Uint8Array[]): string {
  return Buffer.concat(parts).toString('utf8');
}

function check(length: number, limit: number, number: number): void {
  if (length > limit) {
    throw new KscopeError('failed', `line ${number} is longer than ${limit} bytes: this is no recording`);
  }
}
