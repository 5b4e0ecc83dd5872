/** Microseconds since the Unix epoch. */
type Instant = number;

interface Asked<T> {
  readonly question: T;
  readonly time: Instant;
  told: boolean;
}

/** Questions that wait for an answer: the last ones, as many as there is room for. */
export class Unanswered<T> {
  readonly #asked = new Map<string, Asked<T>>();
  readonly #room: number;

  constructor(room: number) {
    this.#room = room;
  }

  /** One that is asked again waits from now on. */
  ask(key: string, question: T, time: Instant): void {
    this.#asked.delete(key);
    this.#asked.set(key, { question, time, told: false });
    if (this.#asked.size > this.#room) {
      const [oldest = ''] = this.#asked.keys();
      this.#asked.delete(oldest);
    }
  }

  /** @returns the question, also one that was given up */
  answer(key: string): T | undefined {
    const asked = this.#asked.get(key);
    this.#asked.delete(key);
    return asked?.question;
  }

  /** Gives up what was asked by then: each is told once. */
  *giveUp(until: Instant): Generator<T, void, void> {
    for (const asked of this.#asked.values()) {
      if (!asked.told && asked.time <= until) {
        asked.told = true;
        yield asked.question;
      }
    }
  }
}
