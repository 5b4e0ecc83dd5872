import { firstNotBefore } from '../model/sorted.ts';

/** Names, each with a zero behind it, and where they are among those of all tables. */
export interface NameTable {
  readonly start: number;
  readonly strings: Buffer;
}

// BTF has each name once. Where it does not, every place would have to be searched for.
const SAMES_MAX = 4;

const zero = Buffer.alloc(1);

/** Where a whole name is in the tables; undefined where it is too often to go on with each place. */
export function placesOfName(name: Buffer, tables: Iterable<NameTable>): number[] | undefined {
  const whole = Buffer.concat([zero, name, zero]);
  const places: number[] = [];
  for (const { start, strings } of tables) {
    for (let at = strings.indexOf(whole); at >= 0; at = strings.indexOf(whole, at + 1)) {
      if (places.push(start + at + 1) > SAMES_MAX) {
        return undefined;
      }
    }
  }
  return places;
}

/**
 * The index of the first type whose name is at `place`, and that is accepted: the number is looked for among all, and then
 * whether a type begins there. @param offsets where each type begins, in order
 */
export function firstNamed(
  types: DataView,
  offsets: Uint32Array,
  place: number,
  accepts: (index: number) => boolean,
): number | undefined {
  const bytes = Buffer.from(types.buffer, types.byteOffset, types.byteLength);
  const number = Buffer.alloc(4);
  number.writeUInt32LE(place);
  for (let at = bytes.indexOf(number); at >= 0; at = bytes.indexOf(number, at + 1)) {
    const index = indexOf(at, offsets);
    if (index !== undefined && accepts(index)) {
      return index;
    }
  }
  return undefined;
}

function indexOf(wanted: number, ascending: Uint32Array): number | undefined {
  const at = firstNotBefore(ascending.length, (index) => (ascending[index] as number) < wanted);
  return ascending[at] === wanted ? at : undefined;
}

/** Chains of types by the hash of their names: the first of each, and the one behind each, or -1. */
export interface NameIndex {
  readonly heads: Int32Array;
  readonly next: Int32Array;
}

/** @param hashAt of the name that is at a place */
export function indexNames(types: DataView, offsets: Uint32Array, hashAt: (place: number) => number): NameIndex {
  const count = offsets.length;
  const heads = new Int32Array(2 ** Math.max(4, Math.ceil(Math.log2(count + 1)))).fill(-1);
  const next = new Int32Array(count);
  // Backwards, so that a chain lists the lowest first.
  for (let i = count - 1; i >= 0; i--) {
    const place = types.getUint32(offsets[i] as number, true);
    if (place !== 0) {
      const slot = hashAt(place) & (heads.length - 1);
      next[i] = heads[slot] as number;
      heads[slot] = i;
    }
  }
  return { heads, next };
}
