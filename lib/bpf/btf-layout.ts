import { KscopeError } from '../model/errors.ts';

/** Bytes of the part that all types have. */
const typeSize = 12;
// Bytes after the common part: a fixed part, then one part for each of `vlen` elements.
const fixedSizes = [0, 4, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 4, 0, 0];
const elementSizes = [0, 0, 0, 0, 12, 12, 8, 0, 0, 0, 0, 0, 0, 8, 0, 12, 0, 0, 0, 12];

export function damaged(why: string): KscopeError {
  return new KscopeError('failed', `BTF is damaged: ${why}`);
}

/** The number of a type's kind. */
export function kindOf(info: number): number {
  return (info >>> 24) & 0x7f;
}

/** How many elements a type has. */
export function vlenOf(info: number): number {
  return info & 0xffffff;
}

/** FNV-1a of the bytes from `at` to the first NUL or the end. */
export function hashName(bytes: Uint8Array, at: number): number {
  let hash = 0x811c9dc5;
  for (let i = at; i < bytes.length; i++) {
    const byte = bytes[i] as number;
    if (byte === 0) {
      break;
    }
    hash = Math.imul(hash ^ byte, 0x01000193);
  }
  return hash >>> 0;
}

/** Where each type begins; also proves that every type lies within `types`. */
export function placesOfTypes(types: DataView, layout: DataView | undefined): Uint32Array {
  const end = types.byteLength;
  const offsets = new Uint32Array(Math.floor(end / typeSize));
  const words = wordsOf(types);
  let count = 0;
  let at = 0;
  while (at < end) {
    if (at + typeSize > end) {
      throw damaged('it ends inside a type');
    }
    const info = words[(at >>> 2) + 1] as number;
    const kind = kindOf(info);
    let fixed = fixedSizes[kind];
    let element = elementSizes[kind];
    if (kind === 0) {
      throw damaged(`type ${count + 1} has no kind`);
    }
    if (fixed === undefined || element === undefined) {
      if (layout === undefined || kind * 4 + 4 > layout.byteLength) {
        throw new KscopeError('failed', `BTF has a type of unknown kind ${kind}`);
      }
      fixed = layout.getUint8(kind * 4);
      element = layout.getUint8(kind * 4 + 1);
    }
    offsets[count++] = at;
    at += typeSize + fixed + element * vlenOf(info);
    if (at > end) {
      throw damaged('it ends inside a type');
    }
  }
  return offsets.subarray(0, count);
}

/** There are so many types that each call counts. */
function wordsOf({ buffer, byteOffset, byteLength }: DataView): Uint32Array {
  const length = Math.floor(byteLength / 4);
  return byteOffset % 4 === 0
    ? new Uint32Array(buffer, byteOffset, length)
    : new Uint32Array(buffer.slice(byteOffset, byteOffset + 4 * length));
}
