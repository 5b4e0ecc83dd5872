/** What is sent over TCP at once, or some of it. */
export interface StreamPiece {
  /** Both ends, in the direction that it goes. */
  readonly stream: string;
  /** Sequence number of the first byte. */
  readonly sequence: number;
  /** It is the first of a connection. */
  readonly begins: boolean;
  readonly bytes: Uint8Array;
}

export interface StreamMessage {
  /** The beginning, as much as is kept. */
  readonly bytes: Uint8Array;
  /** Of the whole message. */
  readonly length: number;
}

const PREFIX = 2;
const HEADER = 12;
const KEPT = 4096;
const MAX_STREAMS = 1024;
/** Pieces that may come before one that is missing: after that, it is taken for lost. */
const MAX_AHEAD = 16;
/** Farther away it is another connection, whose beginning was not seen. */
const WINDOW = 1 << 24;
const MAX_OPCODE = 6;

/**
 * Makes messages of what comes over TCP, where each has its length in front: they begin and end anywhere, and what
 * carries them may come twice, out of order, or not at all. Of a connection that was there before, and where something is
 * missing, it goes on with the next piece that looks as if a message began there. Memory is bounded.
 */
export class DnsStreams {
  readonly #streams = new Map<string, Stream>();

  /** @returns the messages that are complete with this piece */
  add({ stream: name, sequence, begins, bytes }: StreamPiece): StreamMessage[] {
    const known = this.#streams.get(name);
    const stream = begins || known === undefined ? new Stream(begins ? sequence : undefined) : known;
    // The last one is the one that was used last.
    this.#streams.delete(name);
    this.#streams.set(name, stream);
    if (this.#streams.size > MAX_STREAMS) {
      const [oldest = ''] = this.#streams.keys();
      this.#streams.delete(oldest);
    }
    return stream.add(sequence, bytes);
  }
}

/** One direction of a connection. */
class Stream {
  /** Sequence number of the byte that is to come; unknown until a message begins. */
  #next: number | undefined;
  readonly #ahead = new Map<number, Uint8Array>();
  #prefix: number[] = [];
  #left = 0;
  #length = 0;
  #parts: Uint8Array[] = [];
  #kept = 0;

  constructor(next: number | undefined) {
    this.#next = next;
  }

  add(sequence: number, bytes: Uint8Array): StreamMessage[] {
    if (bytes.length === 0) {
      return [];
    }
    const ahead = this.#next === undefined ? 0 : (sequence - this.#next) | 0;
    if (this.#next === undefined || Math.abs(ahead) > WINDOW) {
      return this.#begin(sequence, bytes);
    }
    if (ahead > 0) {
      this.#ahead.set(sequence, bytes);
      return this.#ahead.size > MAX_AHEAD ? this.#begin(sequence, bytes) : [];
    }
    const messages = this.#take(bytes.subarray(-ahead));
    for (let found = true; found && this.#next !== undefined; ) {
      found = false;
      for (const [start, later] of this.#ahead) {
        const before = (this.#next - start) | 0;
        if (before >= 0) {
          this.#ahead.delete(start);
          messages.push(...this.#take(later.subarray(before)));
          found = true;
          break;
        }
      }
    }
    return messages;
  }

  /** Anew, if a message may begin here. */
  #begin(sequence: number, bytes: Uint8Array): StreamMessage[] {
    this.#forget();
    if (!looksLikeMessage(bytes)) {
      return [];
    }
    this.#next = sequence;
    return this.#take(bytes);
  }

  #forget(): void {
    this.#next = undefined;
    this.#ahead.clear();
    this.#prefix = [];
    this.#parts = [];
  }

  /** Bytes that are next. */
  #take(bytes: Uint8Array): StreamMessage[] {
    const messages: StreamMessage[] = [];
    this.#next = ((this.#next ?? 0) + bytes.length) >>> 0;
    for (let at = 0; at < bytes.length; ) {
      if (this.#prefix.length < PREFIX) {
        this.#prefix.push(bytes[at] as number);
        at++;
        const [high = 0, low] = this.#prefix;
        if (low === undefined) {
          continue;
        }
        this.#length = this.#left = (high << 8) | low;
        this.#parts = [];
        this.#kept = 0;
        if (this.#length < HEADER) {
          this.#forget();
          return messages;
        }
        continue;
      }
      const end = Math.min(at + this.#left, bytes.length);
      if (this.#kept < KEPT) {
        const part = bytes.slice(at, Math.min(end, at + KEPT - this.#kept));
        this.#parts.push(part);
        this.#kept += part.length;
      }
      this.#left -= end - at;
      at = end;
      if (this.#left === 0) {
        messages.push({ bytes: Buffer.concat(this.#parts), length: this.#length });
        this.#prefix = [];
        this.#parts = [];
      }
    }
    return messages;
  }
}

/** Length, a header with an operation that there is, and one question at most. */
function looksLikeMessage(bytes: Uint8Array): boolean {
  const [high = 0, low = 0, , , flags = 0, , manyQuestions, questions] = bytes;
  return (
    bytes.length >= PREFIX + HEADER &&
    ((high << 8) | low) >= HEADER &&
    ((flags >> 3) & 0xf) <= MAX_OPCODE &&
    manyQuestions === 0 &&
    (questions as number) <= 1
  );
}
