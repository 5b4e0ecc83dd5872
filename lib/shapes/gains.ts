import type { Row } from '../model/message.ts';

/** A number, or one for each slot. */
export type Additive = number | readonly number[];

/** Reads rows whose amounts only grow as what they gained since the reading before. */
export class Gains {
  readonly #additive: readonly string[];
  #before = new Map<string, Row>();

  /** @param additive the fields that are amounts */
  constructor(additive: readonly string[]) {
    this.#additive = additive;
  }

  /**
   * Begins a reading. @returns what tells what one row gained since the reading before, amounts as differences and
   * everything else as it is now: undefined for nothing. A row that fell behind its former self was made again; one
   * that is not asked about is forgotten. `id` tells rows apart. With `again`, the next reading tells the same once more.
   */
  reading(again = false): (id: string, now: Row) => Row | undefined {
    const before = this.#before;
    const after = new Map<string, Row>();
    if (!again) {
      this.#before = after;
    }
    return (id, now) => {
      after.set(id, now);
      return this.#difference(now, before.get(id));
    };
  }

  #difference(now: Row, before: Row | undefined): Row | undefined {
    if (before === undefined) {
      return this.#additive.some((name) => !isZero(now[name] as Additive)) ? now : undefined;
    }
    const gained: Record<string, unknown> = { ...now };
    let any = false;
    for (const name of this.#additive) {
      const difference = combine(now[name] as Additive, before[name] as Additive, -1);
      if (isNegative(difference)) {
        return now;
      }
      any ||= !isZero(difference);
      gained[name] = difference;
    }
    return any ? gained : undefined;
  }
}

/** Amounts added, or taken away. */
export function combine(a: Additive, b: Additive, sign: 1 | -1): Additive {
  return typeof a === 'number'
    ? a + sign * (b as number)
    : a.map((value, i) => value + sign * ((b as number[])[i] ?? 0));
}

export function isZero(value: Additive): boolean {
  return typeof value === 'number' ? value === 0 : value.every((part) => part === 0);
}

function isNegative(value: Additive): boolean {
  return typeof value === 'number' ? value < 0 : value.some((part) => part < 0);
}
