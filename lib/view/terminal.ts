import { closeSync, constants, openSync, writeSync } from 'node:fs';
import type { Size } from './line.ts';

/** Where frames are written, without ever waiting for the terminal. */
export interface FrameWriter {
  write(text: string): unknown;
  /** What was written and is not taken yet. */
  readonly pending: number;
}

/** The part of a terminal's input that is used here; a `tty.ReadStream` has it. */
export interface KeyStream {
  setRawMode(on: boolean): unknown;
}

// Alternate screen, no cursor, no line that runs over into the next; and all of that undone.
const enter = '\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[H\x1b[2J';
const leave = '\x1b[?2026l\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l';

/**
 * The screen of a terminal while a view has it. Frames are drawn line by line, only those that changed, and a frame
 * that comes before the terminal has taken the last one replaces it. However the process ends, the terminal is given
 * back as it was.
 */
export class Terminal {
  readonly #writer: FrameWriter;
  readonly #keys: KeyStream;
  readonly #sizeOf: () => Size;
  /** The terminal once more, for the moment of the exit, when nothing may wait. */
  readonly #ownFd: number | undefined;
  #lines: readonly string[] = [];
  #active = false;

  /** @param fd of the terminal, for the exit; undefined in tests */
  constructor(writer: FrameWriter, keys: KeyStream, sizeOf: () => Size, fd?: number) {
    this.#writer = writer;
    this.#keys = keys;
    this.#sizeOf = sizeOf;
    this.#ownFd = fd === undefined ? undefined : reopened(fd);
  }

  get size(): Size {
    const { width, height } = this.#sizeOf();
    return { width: Math.max(1, width || 80), height: Math.max(1, height || 24) };
  }

  /** Whether the last frame is on its way still. */
  get busy(): boolean {
    return this.#writer.pending > 0;
  }

  enter(): void {
    if (!this.#active) {
      this.#active = true;
      this.#lines = [];
      process.on('exit', this.#onExit);
      this.#keys.setRawMode(true);
      this.#writer.write(enter);
    }
  }

  /** Gives the terminal back; may be called at any time, and more than once. */
  leave(): void {
    if (this.#active) {
      this.#active = false;
      process.off('exit', this.#onExit);
      this.#keys.setRawMode(false);
      this.#writer.write(leave);
    }
  }

  /** Leaves it for good. */
  close(): void {
    this.leave();
    if (this.#ownFd !== undefined) {
      closeSync(this.#ownFd);
    }
  }

  /** Draws everything anew with the next frame. */
  forget(): void {
    this.#lines = [];
    if (this.#active) {
      this.#writer.write('\x1b[0m\x1b[2J');
    }
  }

  draw(frame: string): void {
    if (!this.#active) {
      return;
    }
    const lines = frame.split('\n').slice(0, this.size.height);
    let text = '';
    for (let i = 0; i < Math.max(lines.length, this.#lines.length); i++) {
      const line = lines[i] ?? '';
      if (line !== this.#lines[i]) {
        text += `\x1b[${i + 1};1H\x1b[0m\x1b[2K${line}`;
      }
    }
    this.#lines = lines;
    if (text !== '') {
      // Terminals that know this show the frame at once, the others ignore it.
      this.#writer.write(`\x1b[?2026h${text}\x1b[0m\x1b[?2026l`);
    }
  }

  // After an error that nobody caught, or a second Ctrl-C, this is all that is still done.
  readonly #onExit = (): void => {
    this.#active = false;
    try {
      this.#keys.setRawMode(false);
      if (this.#ownFd !== undefined) {
        writeSync(this.#ownFd, leave);
      }
    } catch {
      // The terminal is gone.
    }
  };
}

function reopened(fd: number): number | undefined {
  try {
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    return undefined;
  }
}
