/** Shortest time between two frames, in milliseconds. */
export const frameTime = 100;

/** Drawing may take a tenth of the time, as long as nobody presses keys: large screens are drawn less often. */
const restFactor = 10;
const longestRest = 1000;

/** Calls a function soon after it was asked for, but not more often than ten times a second. */
export class Redraw {
  readonly #draw: () => boolean;
  readonly #now: () => number;
  #last = Number.NEGATIVE_INFINITY;
  #rest = frameTime;
  #timer: NodeJS.Timeout | undefined;
  #due = Number.POSITIVE_INFINITY;
  #closed = false;

  /** @param draw returns false when it could not, to be asked again later */
  constructor(draw: () => boolean, now = () => performance.now()) {
    this.#draw = draw;
    this.#now = now;
  }

  /** @param urgent somebody waits for it */
  request(urgent = false): void {
    const now = this.#now();
    // Also at once it is done later: whoever asks has more to change.
    const due = Math.max(now, this.#last + (urgent ? frameTime : this.#rest));
    if (this.#closed || due >= this.#due) {
      return;
    }
    clearTimeout(this.#timer);
    this.#due = due;
    this.#timer = setTimeout(() => this.#fire(), due - now);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #fire(): void {
    this.#due = Number.POSITIVE_INFINITY;
    this.#last = this.#now();
    if (this.#draw()) {
      this.#rest = Math.max(frameTime, Math.min(longestRest, restFactor * (this.#now() - this.#last)));
    } else {
      this.request(true);
    }
  }
}
