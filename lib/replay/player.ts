import type { Message } from '../model/message.ts';
import type { Playback, PlaybackState } from '../model/playback.ts';
import { linesOf } from './lines.ts';
import type { FindTool, Timed } from './recorded-messages.ts';
import { RecordedMessages } from './recorded-messages.ts';
import type { Source } from './source.ts';

const slowest = 1 / 16;
const fastest = 4096;
const microsPerMilli = 1000;

export interface PlayerOptions {
  readonly find: FindTool;
  readonly fields?: readonly string[];
  /** Keeps the times of the recording; without it, messages come as fast as they are read. */
  readonly timed: boolean;
  readonly speed?: number;
  /** A clock in milliseconds. */
  readonly now?: () => number;
}

/** What a player says besides messages: that it starts from the beginning. */
export interface Rewound {
  readonly type: 'rewound';
}

/**
 * Plays a recording: its messages at the distances in time that they had, faster, slower, one by one, or from another
 * place on.
 */
export class Player implements Playback {
  readonly #source: Source;
  readonly #options: PlayerOptions;
  readonly #now: () => number;
  #messages: RecordedMessages;
  #paused = false;
  #speed: number;
  #ended = false;
  /** Instant of the first message, and of the last that was played: µs. */
  #first: number | undefined;
  #last: number | undefined;
  /** Place in the recording, in µs from its start, that belonged to a reading of the clock. */
  #place = 0;
  #since: number;
  /** Messages to let through although it is paused. */
  #steps = 0;
  /** A place to go to, in µs. */
  #target: number | undefined;
  #rewind = false;
  #wake: (() => void) | undefined;

  constructor(source: Source, options: PlayerOptions) {
    this.#source = source;
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#speed = options.speed ?? 1;
    this.#since = this.#now();
    this.#messages = new RecordedMessages(options.find, options.fields);
  }

  /** The option values of the recorded run. */
  get options(): Readonly<Record<string, unknown>> {
    return this.#messages.options;
  }

  get state(): PlaybackState {
    return {
      paused: this.#paused,
      speed: this.#speed,
      position: this.#target ?? this.#position(),
      ended: this.#ended,
      timed: this.#options.timed,
      seekable: this.#source.rewindable,
    };
  }

  pause(paused: boolean): void {
    this.#settle();
    this.#paused = paused;
    this.#changed();
  }

  step(): void {
    this.#steps++;
    this.#changed();
  }

  setSpeed(speed: number): void {
    this.#settle();
    this.#speed = Math.max(slowest, Math.min(fastest, speed));
    this.#changed();
  }

  seek(micros: number): void {
    if (!this.#source.rewindable) {
      return;
    }
    const target = Math.max(0, this.state.position + micros);
    this.#rewind ||= micros < 0;
    this.#target = target;
    this.#changed();
  }

  /**
   * The messages as they are due, until the end; then it waits to be rewound, if somebody may ask for that.
   * @param ended is called whenever the end is reached
   * @throws KscopeError failed for a damaged recording, with the line
   */
  async *play(
    signal: AbortSignal,
    interactive: boolean,
    ended: () => void = () => {},
  ): AsyncGenerator<Message | Rewound, void, void> {
    signal.addEventListener('abort', () => this.#changed(), { once: true });
    while (!signal.aborted) {
      this.#ended = false;
      for await (const timed of this.#all(signal)) {
        await this.#due(timed, signal);
        if (signal.aborted) {
          return;
        }
        if (this.#rewind) {
          break;
        }
        yield timed.message;
      }
      if (!this.#rewind) {
        this.#settle();
        this.#target = undefined;
        this.#ended = true;
        ended();
      }
      while (!this.#rewind) {
        if (signal.aborted || !interactive || !this.#source.rewindable) {
          return;
        }
        await this.#change();
      }
      this.#rewind = false;
      this.#messages = new RecordedMessages(this.#options.find, this.#options.fields);
      this.#last = undefined;
      yield { type: 'rewound' };
    }
  }

  async *#all(signal: AbortSignal): AsyncGenerator<Timed, void, void> {
    const messages = this.#messages;
    for await (const lines of linesOf(this.#source.chunks(signal))) {
      for (const line of lines) {
        const found = messages.line(line);
        yield* Array.isArray(found) ? found : await found;
      }
    }
    yield* messages.end();
  }

  /** Waits until it is time for a message. */
  async #due({ time }: Timed, signal: AbortSignal): Promise<void> {
    if (time !== undefined) {
      if (this.#first === undefined) {
        this.#first = time;
        this.#since = this.#now();
      }
      // Times that go back belong to the present.
      this.#last = Math.max(this.#last ?? time, time);
    }
    const place = (this.#last ?? 0) - (this.#first ?? 0);
    while (!signal.aborted && !this.#rewind) {
      if (this.#target !== undefined) {
        if (place <= this.#target) {
          return;
        }
        this.#place = this.#target;
        this.#since = this.#now();
        this.#target = undefined;
      }
      if (this.#steps > 0) {
        this.#steps--;
        this.#place = Math.max(this.#position(), place);
        this.#since = this.#now();
        return;
      }
      if (this.#paused) {
        await this.#change();
        continue;
      }
      const ahead = place - this.#position();
      if (!this.#options.timed || ahead <= 0) {
        return;
      }
      await this.#change(ahead / microsPerMilli / this.#speed);
    }
  }

  #position(): number {
    if (this.#paused || this.#ended) {
      return this.#place;
    }
    if (!this.#options.timed) {
      return (this.#last ?? 0) - (this.#first ?? 0);
    }
    return this.#first === undefined ? 0 : this.#place + (this.#now() - this.#since) * microsPerMilli * this.#speed;
  }

  /** From now on, time is counted anew. */
  #settle(): void {
    this.#place = this.#position();
    this.#since = this.#now();
  }

  #changed(): void {
    this.#wake?.();
  }

  /** Waits for the next key, or for a time in milliseconds. */
  #change(milliseconds?: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.min(milliseconds ?? 2 ** 30, 2 ** 30));
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
