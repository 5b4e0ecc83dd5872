import { KscopeError } from '../model/errors.ts';
import { libc } from '../native/libc.ts';
import { MappedMemory } from '../native/memory.ts';
import { Pauses } from '../system/pause.ts';
import type { Decoder, Memory } from './decoder.ts';

const BUSY = 0x80000000;
const DISCARDED = 0x40000000;
const HEADER = 8;

// Space is given back to the kernel at least this often within one drain, so that a long one does not starve it.
const RELEASE_EVERY = 256 * 1024;

// Few enough that a batch is dealt with before the garbage collector has to move it.
const BATCH = 256;

// Each look wakes a sleeping process, which costs as much as a few hundred records: a look finds so many, where that takes
// between the two delays. What comes meanwhile has to fit in the ring, and nobody notices lines that are so late.
const EACH_LOOK = 1024;
const BUSY_DELAY = 5;
const CALM_DELAY = 75;
const LONGER = 5;

/**
 * A BPF ring buffer, read in place: the positions and the records are in memory shared with the kernel, so that
 * reading an event makes no system call, no foreign call and no copy. BPF programs submit with BPF_RB_NO_WAKEUP; the
 * reader comes by itself: every 5 to 75 ms by how much there is.
 */
export class RingBuffer<T> implements Disposable {
  readonly name: string;
  /** Bytes of records that fit. */
  readonly size: number;
  readonly #decode: Decoder<T>;
  readonly #lostCounter: () => number;
  readonly #refresh: () => void;
  readonly #consumer: MappedMemory;
  readonly #producer: MappedMemory;
  #consumed: BigInt64Array | undefined;
  #produced: BigInt64Array | undefined;
  #headers: Int32Array | undefined;
  #memory: Memory | undefined;
  #position: number;
  #peak = 0;

  /**
   * @param refresh called in each drain, before the first record is decoded, to bring up to date what that depends on
   * @param lostCounter reads the number of records that programs could not reserve space for, since load
   * @throws KscopeError failed when the memory cannot be mapped
   */
  constructor(
    name: string,
    fd: number,
    size: number,
    decode: Decoder<T>,
    refresh: () => void,
    lostCounter: () => number,
  ) {
    const page = libc.getpagesize();
    this.name = name;
    this.size = size;
    this.#decode = decode;
    this.#refresh = refresh;
    this.#lostCounter = lostCounter;
    this.#consumer = MappedMemory.shared(fd, 0, page, true);
    try {
      // The data pages are mapped twice in a row, so a record that wraps around is contiguous.
      this.#producer = MappedMemory.shared(fd, page, page + 2 * size, false);
    } catch (error) {
      this.#consumer.close();
      throw error;
    }
    this.#consumed = new BigInt64Array(this.#consumer.buffer, 0, 1);
    this.#produced = new BigInt64Array(this.#producer.buffer, 0, 1);
    this.#headers = new Int32Array(this.#producer.buffer, page, (2 * size) / 4);
    this.#memory = {
      bytes: Buffer.from(this.#producer.buffer, page, 2 * size),
      view: new DataView(this.#producer.buffer, page, 2 * size),
    };
    this.#position = Number(Atomics.load(this.#consumed, 0));
  }

  /** Records lost so far: those for which the kernel found no room. */
  get lost(): number {
    return this.#lostCounter();
  }

  /** The most bytes that were found waiting at once. */
  get peak(): number {
    return this.#peak;
  }

  /** Bytes that wait to be read. */
  get pending(): number {
    return this.#produced === undefined ? 0 : Number(Atomics.load(this.#produced, 0)) - this.#position;
  }

  /**
   * Reads what is there now, oldest first, until a record that is still being written.
   * @param limit records at most
   * @returns the decoded records, possibly none
   */
  drain(limit = BATCH): T[] {
    const consumed = this.#consumed;
    const produced = this.#produced;
    const headers = this.#headers;
    const memory = this.#memory;
    if (consumed === undefined || produced === undefined || headers === undefined || memory === undefined) {
      throw new KscopeError('failed', `ring buffer ${this.name} is closed`);
    }
    const records: T[] = [];
    const end = Number(Atomics.load(produced, 0));
    // Not earlier: a record may be younger than a jump of the clock.
    this.#refresh();
    let position = this.#position;
    let released = position;
    this.#peak = Math.max(this.#peak, end - position);
    try {
      while (position < end && records.length < limit) {
        const at = position % this.size;
        const header = Atomics.load(headers, at >>> 2);
        if ((header & BUSY) !== 0) {
          break;
        }
        const length = header & ~(BUSY | DISCARDED);
        // Before decoding, so that a record that cannot be decoded is not met again.
        position += (length + HEADER + 7) & ~7;
        if ((header & DISCARDED) === 0) {
          records.push(this.#decode(memory, at + HEADER, length));
        }
        if (position - released >= RELEASE_EVERY) {
          Atomics.store(consumed, 0, BigInt(position));
          released = position;
        }
      }
    } finally {
      this.#position = position;
      if (position !== released) {
        Atomics.store(consumed, 0, BigInt(position));
      }
    }
    return records;
  }

  /**
   * Batches of records as they come. Ends when the signal is raised, after all that was produced until then, or when
   * the ring is closed; the consumer's pace is the only back-pressure, and what the kernel cannot store meanwhile is
   * counted in `lost`.
   * @param beforeLast called once when the signal was seen, before the rest is read: the moment to detach
   */
  async *batches(signal?: AbortSignal, beforeLast?: () => void): AsyncGenerator<T[], void, void> {
    using pauses = new Pauses(signal);
    const arrived = () => this.pending > 0 || this.#memory === undefined;
    let delay = BUSY_DELAY;
    let found = 0;
    let ending = false;
    while (this.#memory !== undefined) {
      if (!ending && signal?.aborted === true) {
        ending = true;
        beforeLast?.();
      }
      const records = this.drain();
      if (records.length > 0) {
        yield records;
      }
      found += records.length;
      if (records.length === BATCH) {
        await new Promise(setImmediate);
      } else if (ending) {
        return;
      } else {
        delay =
          found > 0
            ? Math.min(Math.max((delay * EACH_LOOK) / found, BUSY_DELAY), CALM_DELAY)
            : Math.min(delay + LONGER, CALM_DELAY);
        found = 0;
        if (delay === CALM_DELAY && this.pending === 0) {
          await pauses.pause(CALM_DELAY, arrived);
        } else {
          await pauses.pause(this.pending > this.size / 4 ? 1 : delay);
        }
      }
    }
  }

  /** Rows one by one, until the loop is left or the ring is closed. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, void> {
    for await (const records of this.batches()) {
      yield* records;
    }
  }

  /** Unmaps the memory; may be called twice. */
  close(): void {
    this.#consumed = undefined;
    this.#produced = undefined;
    this.#headers = undefined;
    this.#memory = undefined;
    this.#consumer.close();
    this.#producer.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
