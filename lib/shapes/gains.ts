import type { Row } from '../model/message.ts';

/** A number, or one for each slot. */
export type Additive = number | readonly number[];

/** Reads rows whose amounts only grow as what they gained since the reading before. */
export class Gains {
  readonly #additive: readonly string[];
  readonly #lasting: boolean;
  #before = new Map<string, Row>();

  /**
   * @param additive the fields that are amounts
   * @param lasting a row never begins anew under its id: all are told, and one that fell behind was read while it changed
   */
  constructor(additive: readonly string[], lasting = false) {
    this.#additive = additive;
    this.#lasting = lasting;
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
      const former = before.get(id);
      const known = this.#lasting && former !== undefined ? this.#noLess(now, former) : now;
      after.set(id, known);
      return this.#difference(known, former);
    };
  }

  #noLess(now: Row, former: Row): Row {
    const less = this.#additive.filter((name) =>
      isNegative(combine(now[name] as Additive, former[name] as Additive, -1)),
    );
    return { ...now, ...Object.fromEntries(less.map((name) => [name, former[name]])) };
  }

  #difference(now: Row, before: Row | undefined): Row | undefined {
    if (before === undefined) {
      return this.#lasting || this.#additive.some((name) => !isZero(now[name] as Additive)) ? now : undefined;
    }
    const gained: Record<string, unknown> = { ...now };
    let any = this.#lasting;
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
