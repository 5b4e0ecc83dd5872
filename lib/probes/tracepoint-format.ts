import { readFileSync } from 'node:fs';
import { tracefs } from '../bpf/tracefs.ts';

/** A field of a tracepoint's record. */
export interface TracepointField {
  /** As the kernel writes it: 'char[16]', 'pid_t', '__data_loc char[]'. */
  readonly type: string;
  readonly name: string;
  readonly offset: number;
  readonly size: number;
  readonly signed: boolean;
}

/** The fields of a tracepoint but for those that all have; none when the kernel does not tell. */
export function tracepointFields(category: string, name: string): TracepointField[] {
  try {
    return parseFormat(readFileSync(`${tracefs()}/events/${category}/${name}/format`, 'utf8'));
  } catch {
    return [];
  }
}

/** Reads what tracefs says of a tracepoint: lines 'field:TYPE NAME[N]; offset:N; size:N; signed:N;'. */
export function parseFormat(text: string): TracepointField[] {
  const line = /^\s*field:(.+?)\s*\b(\w+)(\[[^\]]*\])?;\s*offset:(\d+);\s*size:(\d+);(?:\s*signed:(\d);)?/gm;
  return [...text.matchAll(line)]
    .map(([, type = '', name = '', array = '', offset, size, signed]) => ({
      type: `${type}${array}`,
      name,
      offset: Number(offset),
      size: Number(size),
      signed: signed === '1',
    }))
    .filter(({ name }) => !name.startsWith('common_'));
}
