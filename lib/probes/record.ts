import { escapeTerminated } from '../model/escape.ts';
import type { Typed } from './value.ts';

/** What every record begins with, and where. */
export const head = { time: 0, ids: 8, comm: 16, cpu: 32, place: 36, kernel: 40, user: 44, size: 48 } as const;
const COMM = 16;

/** A value in a record. */
export interface RecordField {
  readonly typed: Typed;
  /** From the beginning of the record. A text has its length there, and its bytes behind that. */
  readonly offset: number;
  /** Bytes of a text with its end; 0 for a number. */
  readonly text: number;
  /** Of what is copied as it is; then `text` is 0, too. */
  readonly bytes?: number;
}

export interface RecordLayout {
  readonly fields: readonly RecordField[];
  readonly size: number;
}

export function layoutOf(values: readonly Omit<RecordField, 'offset'>[], start: number): RecordLayout {
  let size = start;
  const fields = values.map((value) => {
    const offset = size;
    size += 8 + ((value.text + (value.bytes ?? 0) + 7) & ~7);
    return { ...value, offset };
  });
  return { fields, size };
}

/** What every record tells. */
export interface RecordHead {
  readonly bootTime: number;
  readonly pid: number;
  readonly tid: number;
  readonly comm: string;
  readonly cpu: number;
  /** Which place it was, by its number. */
  readonly place: number;
  /** Ids of stacks, negative without one. */
  readonly kernel: number;
  readonly user: number;
}

export function readHead(bytes: Uint8Array): RecordHead {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    bootTime: view.getUint32(head.time, true) + view.getUint32(head.time + 4, true) * 2 ** 32,
    tid: view.getUint32(head.ids, true),
    pid: view.getUint32(head.ids + 4, true),
    comm: escapeTerminated(bytes, head.comm, head.comm + COMM),
    cpu: view.getUint32(head.cpu, true),
    place: view.getUint32(head.place, true),
    kernel: view.getInt32(head.kernel, true),
    user: view.getInt32(head.user, true),
  };
}

/** A value of a record: a number with the sign of its type, an escaped text, or undefined for one that cannot be read. */
export function readField(bytes: Uint8Array, { typed, offset, text }: RecordField): bigint | string | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (text === 0) {
    const { type } = typed;
    return type.is === 'number' && type.signed ? view.getBigInt64(offset, true) : view.getBigUint64(offset, true);
  }
  return view.getBigInt64(offset, true) < 0n ? undefined : escapeTerminated(bytes, offset + 8, offset + 8 + text);
}

/** What a record has of what was copied as it is; undefined for what cannot be read. */
export function readBytes(bytes: Uint8Array, { offset, bytes: size = 0 }: RecordField): Uint8Array | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return view.getBigInt64(offset, true) < 0n ? undefined : bytes.subarray(offset + 8, offset + 8 + size);
}
