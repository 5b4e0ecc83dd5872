import { closeSync, constants, fstatSync, openSync, type Stats, write, writeSync } from 'node:fs';
import type { Socket } from 'node:net';
import { KscopeError, reasonOf } from '../model/errors.ts';

/** How the writing ended early: nobody reads any more, which is no failure, or an error. */
export type Closed = 'reader gone' | KscopeError;

export interface WriterOptions {
  /** Pending characters above which `write` asks the caller to wait. */
  readonly limit?: number;
  /** Milliseconds of a write to a file that show that it did not go to memory: the next one is a thread's. */
  readonly slow?: number;
}

/**
 * Writes text, or bytes, to a file descriptor in order, without blocking the thread: signals and ring buffers are served
 * while a reader sleeps, or a disk is slow.
 */
export class Writer {
  /** Settles when the descriptor takes no more; what is written after that is dropped. */
  readonly closed: Promise<Closed>;
  #limit: number;
  readonly #slowTime: number;
  readonly #sink: Sink;
  #close!: (reason: Closed) => void;
  #over = false;
  #failure: KscopeError | undefined;
  #queue: (string | Uint8Array)[] = [];
  #queued = 0;
  #bytes: Buffer | undefined;
  #space: Buffer | undefined;
  #offset = 0;
  #busy = false;
  #held = false;
  #slow = false;
  #retry: NodeJS.Timeout | undefined;
  #delay = 1;
  #room: Waiters | undefined;
  #empty: Waiters | undefined;

  constructor(fd: number, options: WriterOptions = {}) {
    this.#limit = options.limit ?? 8 * 2 ** 20;
    this.#slowTime = options.slow ?? 10;
    this.#sink = openSink(fd);
    this.closed = new Promise((resolve) => {
      this.#close = resolve;
    });
  }

  /** Why writing failed; undefined while it works, and when merely nobody reads any more. */
  get failure(): KscopeError | undefined {
    return this.#failure;
  }

  /** Characters and bytes that were given and not yet taken by the kernel. */
  get pending(): number {
    return this.#queued + (this.#bytes === undefined ? 0 : this.#bytes.length - this.#offset);
  }

  /** Queues it. Returns a promise only when so much is pending that the caller should wait for it. */
  write(data: string | Uint8Array): Promise<void> | undefined {
    if (this.#over || data.length === 0) {
      return undefined;
    }
    this.#queue.push(data);
    this.#queued += data.length;
    if (!this.#busy && !this.#held) {
      this.#pump();
    }
    if (this.pending <= this.#limit) {
      return undefined;
    }
    this.#room ??= waiters();
    return this.#room.promise;
  }

  /** Keeps what is given until `release`: a screen is shown where it would be written. */
  hold(): void {
    this.#held = true;
  }

  release(): void {
    this.#held = false;
    if (!this.#busy) {
      this.#pump();
    }
  }

  /** From now on nobody is asked to wait for room, and whoever waits goes on: there is not much more to come. */
  hurry(): void {
    this.#limit = Number.POSITIVE_INFINITY;
    this.#room?.resolve();
    this.#room = undefined;
  }

  /**
   * Waits until everything is written or the output is closed. With `milliseconds`, gives up on a reader that takes
   * nothing for so long, drops the rest and returns false; one that is merely slow gets everything.
   */
  async flush(milliseconds?: number): Promise<boolean> {
    if (this.#over || this.pending === 0) {
      return true;
    }
    this.#empty ??= waiters();
    const empty = this.#empty.promise.then(() => true);
    if (milliseconds === undefined) {
      return empty;
    }
    for (let before = this.pending; ; before = this.pending) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<boolean>((resolve) => {
        timer = setTimeout(resolve, milliseconds, false);
      });
      const done = await Promise.race([empty, late]);
      clearTimeout(timer);
      if (done) {
        return true;
      }
      if (this.pending >= before) {
        this.#end('reader gone');
        return false;
      }
    }
  }

  #pump(): void {
    for (;;) {
      if (this.#bytes === undefined) {
        if (this.#queue.length === 0) {
          this.#empty?.resolve();
          this.#empty = undefined;
          return;
        }
        this.#bytes = this.#bytesOf(this.#queue);
        this.#queue = [];
        this.#queued = 0;
        this.#offset = 0;
      }
      const taken = this.#offer(this.#bytes);
      if (taken === undefined) {
        return;
      }
      this.#took(taken);
    }
  }

  /** Much text is joined before it becomes bytes, which costs less than to join bytes. */
  #bytesOf(queue: readonly (string | Uint8Array)[]): Buffer {
    if (!queue.every((part) => typeof part === 'string')) {
      return Buffer.concat(queue.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
    }
    const text = queue.length === 1 ? (queue[0] as string) : queue.join('');
    if (text.length * LONGEST_CHARACTER > SPACE) {
      return Buffer.from(text);
    }
    // Only one write is under way at a time. New memory for each would be collected, and zeroed by the kernel, all the time.
    this.#space ??= Buffer.allocUnsafeSlow(SPACE);
    return this.#space.subarray(0, this.#space.write(text));
  }

  /** Offers what is left of `bytes`; undefined when the answer comes later, or never. */
  #offer(bytes: Buffer): number | undefined {
    const start = performance.now();
    const { kind } = this.#sink;
    // Most of what goes to a file goes to memory, in less time than it takes to wake a thread and be woken by it.
    if (kind === 'nonblocking' || (kind === 'file' && !this.#slow)) {
      try {
        return writeSync(this.#sink.fd, bytes, this.#offset);
      } catch (error) {
        this.#failed(error as NodeJS.ErrnoException);
        return undefined;
      } finally {
        this.#slow = performance.now() - start > this.#slowTime;
      }
    }
    this.#busy = true;
    const answered = (error: Error | null | undefined, taken: number) => {
      this.#busy = false;
      this.#slow = performance.now() - start > this.#slowTime;
      if (this.#over) {
        return;
      }
      if (error) {
        this.#failed(error);
      } else {
        this.#took(taken);
        this.#pump();
      }
    };
    if (this.#sink.kind === 'socket') {
      // In parts, so that it can be seen whether anybody reads.
      const part = bytes.subarray(this.#offset, this.#offset + socketPart);
      this.#sink.socket.write(part, (error) => answered(error, part.length));
    } else {
      write(this.#sink.fd, bytes, this.#offset, null, null, answered);
    }
    return undefined;
  }

  #took(count: number): void {
    this.#delay = 1;
    this.#offset += count;
    if (this.#bytes !== undefined && this.#offset >= this.#bytes.length) {
      this.#bytes = undefined;
    }
    if (this.#room !== undefined && this.pending <= this.#limit / 2) {
      this.#room.resolve();
      this.#room = undefined;
    }
  }

  #failed(error: NodeJS.ErrnoException): void {
    if (error.code === 'EAGAIN' || error.code === 'EINTR') {
      // There is no readiness event for a plain descriptor: look again soon, and less often while nothing moves.
      this.#busy = true;
      this.#retry = setTimeout(() => {
        this.#busy = false;
        this.#pump();
      }, this.#delay);
      this.#delay = Math.min(this.#delay * 2, 50);
    } else if (error.code === 'EPIPE' || error.code === 'ECONNRESET' || (error.code === 'EIO' && this.#sink.terminal)) {
      this.#end('reader gone');
    } else {
      this.#end(new KscopeError('failed', `cannot write output: ${reasonOf(error)}`, { cause: error }));
    }
  }

  #end(reason: Closed): void {
    this.#over = true;
    this.#failure = reason === 'reader gone' ? undefined : reason;
    clearTimeout(this.#retry);
    this.#queue = [];
    this.#queued = 0;
    this.#bytes = undefined;
    if (this.#sink.kind === 'socket') {
      this.#sink.socket.destroy();
    }
    this.#room?.resolve();
    this.#empty?.resolve();
    this.#close(reason);
  }
}

/** Bytes, and how many of them a character of JavaScript takes at most. */
const SPACE = 256 * 1024;
const LONGEST_CHARACTER = 3;

const socketPart = 64 * 1024;

type Sink = { readonly terminal: boolean } & (
  | { readonly kind: 'nonblocking' | 'file' | 'blocking'; readonly fd: number }
  | { readonly kind: 'socket'; readonly socket: Socket }
);

/**
 * A blocked write(2) in a thread of the pool would keep the process from exiting, and O_NONBLOCK on an inherited
 * description would surprise whoever shares it. So pipes and terminals are opened once more, for ourselves.
 */
function openSink(fd: number): Sink {
  let stats: Stats;
  try {
    stats = fstatSync(fd);
  } catch {
    return { kind: 'blocking', fd, terminal: false };
  }
  const terminal = stats.isCharacterDevice();
  if (terminal || stats.isFIFO()) {
    try {
      const flags = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
      const own = openSync(`/proc/self/fd/${fd}`, flags);
      const same = fstatSync(own);
      if (same.ino === stats.ino && same.dev === stats.dev) {
        return { kind: 'nonblocking', fd: own, terminal };
      }
      closeSync(own);
    } catch {
      // No /proc, somebody else's terminal, or no reader left: the descriptor itself tells.
    }
  }
  if (stats.isSocket()) {
    const { Socket } = process.getBuiltinModule('node:net');
    const socket = new Socket({ fd, readable: false, writable: true });
    // Failures come with the callback of each write.
    socket.on('error', () => {});
    return { kind: 'socket', socket, terminal: false };
  }
  return { kind: stats.isFile() ? 'file' : 'blocking', fd, terminal };
}

interface Waiters {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
}

function waiters(): Waiters {
  let resolve!: () => void;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
