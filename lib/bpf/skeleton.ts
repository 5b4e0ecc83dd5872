import type { Row } from '../model/message.ts';

/**
 * What an object file declares, as generated from its BTF by the build (`bpf/NAME.bpf.ts`) or by `kscope types`. Types
 * only: layouts come from the BTF at run time.
 */
export interface SkeletonTypes {
  /** Record of each ring buffer, by map name. */
  events: Record<string, object>;
  /** Constants that may be set before load, by variable name. */
  rodata: Record<string, unknown>;
  maps: Record<string, { key: unknown; value: unknown }>;
  /** Union of the program names. */
  programs: string;
}

/** An object of which nothing is known until it is opened: every name is possible. */
export interface AnyTypes extends SkeletonTypes {
  events: Record<string, Row>;
}

export interface Skeleton<S extends SkeletonTypes = SkeletonTypes> {
  readonly name: string;
  /** CRC-32 of the object file by architecture ('x86', 'arm64'), so that a stale or damaged one is refused. */
  readonly checksums: Readonly<Record<string, number>>;
  /** Never present: carries the types. */
  readonly types?: S;
}

export function skeleton<S extends SkeletonTypes>(
  name: string,
  checksums: Readonly<Record<string, number>>,
): Skeleton<S> {
  return { name, checksums };
}
