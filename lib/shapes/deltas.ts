import type { BpfMap } from '../bpf/map.ts';
import type { RowSchema } from '../bpf/schema.ts';
import type { Row } from '../model/message.ts';

type Additive = number | readonly number[];

/** What one key gained: the fields of the value, amounts as differences, everything else as it is now. */
export interface Delta {
  readonly key: unknown;
  readonly value: Row;
}

/**
 * Reads a map whose amounts only grow (counts, bytes, times, slots), per CPU or not, as differences between readings:
 * nothing is ever reset, so nothing that is added meanwhile is lost. An entry that fell behind its former self was
 * evicted and made again.
 */
export class DeltaReader {
  readonly #map: BpfMap<unknown, Row | readonly Row[]>;
  readonly #additive: readonly string[];
  #before = new Map<string, Row>();

  /** @param schema of the map's value, a structure */
  constructor(map: BpfMap, schema: RowSchema) {
    this.#map = map as BpfMap<unknown, Row | readonly Row[]>;
    this.#additive = schema.fields.filter(({ semantic }) => semantic.additive === true).map(({ name }) => name);
  }

  /** The keys that gained anything since the last reading. */
  read(): Delta[] {
    const deltas: Delta[] = [];
    // What is no longer in the map is forgotten here as well.
    const before = new Map<string, Row>();
    for (const [key, value] of this.#map.entries()) {
      const now = Array.isArray(value) ? this.#sum(value) : (value as Row);
      const id = typeof key === 'object' ? JSON.stringify(key, bigintAsText) : String(key);
      const gained = this.#difference(now, this.#before.get(id));
      before.set(id, now);
      if (gained !== undefined) {
        deltas.push({ key, value: gained });
      }
    }
    this.#before = before;
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

function combine(a: Additive, b: Additive, sign: 1 | -1): Additive {
  return typeof a === 'number'
    ? a + sign * (b as number)
    : a.map((value, i) => value + sign * ((b as number[])[i] ?? 0));
}

function isZero(value: Additive): boolean {
  return typeof value === 'number' ? value === 0 : value.every((part) => part === 0);
}

function isNegative(value: Additive): boolean {
  return typeof value === 'number' ? value < 0 : value.some((part) => part < 0);
}

function bigintAsText(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}
