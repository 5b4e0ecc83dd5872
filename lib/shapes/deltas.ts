import type { BpfMap } from '../bpf/map.ts';
import type { RowSchema } from '../bpf/schema.ts';
import type { Row } from '../model/message.ts';
import { type Additive, combine, Gains, isZero } from './gains.ts';

/** What one key gained: the fields of the value, amounts as differences, everything else as it is now. */
export interface Delta {
  readonly key: unknown;
  readonly value: Row;
}

/**
 * Amounts of a value that the program adds to only now and then, such as times that go on: with what has come together
 * until `now` (nanoseconds of the monotonic clock), or nothing where there is no more than what was added.
 */
export type GrowingAmounts = (value: Row, now: bigint) => Row;

/**
 * Reads a map whose amounts only grow (counts, bytes, times, slots), per CPU or not, as differences between readings:
 * nothing is ever reset, so nothing that is added meanwhile is lost. An entry that fell behind its former self was
 * evicted and made again.
 */
export class DeltaReader {
  readonly #map: BpfMap<unknown, Row | readonly Row[]>;
  readonly #additive: readonly string[];
  readonly #growing: GrowingAmounts | undefined;
  readonly #gains: Gains;

  /** @param schema of the map's value, a structure */
  constructor(map: BpfMap, schema: RowSchema, growing?: GrowingAmounts) {
    this.#growing = growing;
    this.#map = map as BpfMap<unknown, Row | readonly Row[]>;
    this.#additive = schema.fields.filter(({ semantic }) => semantic.additive === true).map(({ name }) => name);
    this.#gains = new Gains(this.#additive);
  }

  /** The keys that gained anything since the last reading. With `again`, the next reading tells the same once more. */
  read(again = false): Delta[] {
    const deltas: Delta[] = [];
    const gainOf = this.#gains.reading(again);
    // Asked before: what is added meanwhile must not be taken for less than what was known.
    const instant = process.hrtime.bigint();
    for (const [key, value] of this.#map.entries()) {
      const booked = Array.isArray(value) ? this.#sum(value) : (value as Row);
      const now = this.#growing === undefined ? booked : { ...booked, ...this.#growing(booked, instant) };
      const id = typeof key === 'object' ? JSON.stringify(key, bigintAsText) : String(key);
      const gained = gainOf(id, now);
      if (gained !== undefined) {
        deltas.push({ key, value: gained });
      }
    }
    return deltas;
  }

  #sum(values: readonly Row[]): Row {
    const sum: Record<string, unknown> = {};
    for (const value of values) {
      const used = this.#additive.some((name) => !isZero(value[name] as Additive));
      for (const [name, part] of Object.entries(value)) {
        if (!this.#additive.includes(name)) {
          // A CPU that never met the key has nothing to say.
          sum[name] = used || sum[name] === undefined ? part : sum[name];
        } else {
          sum[name] = sum[name] === undefined ? part : combine(sum[name] as Additive, part as Additive, 1);
        }
      }
    }
    return sum;
  }
}

function bigintAsText(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}
