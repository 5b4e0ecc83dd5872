/** What the generated `bpf/NAME.bpf.ts` says about an object file. Types only: layouts come from its BTF at run time. */
export interface SkeletonTypes {
  /** Record of each ring buffer, by map name. */
  events: Record<string, object>;
  /** Constants that may be set before load, by variable name. */
  rodata: Record<string, unknown>;
  maps: Record<string, { key: unknown; value: unknown }>;
  /** Union of the program names. */
  programs: string;
}

export interface Skeleton<S extends SkeletonTypes = SkeletonTypes> {
  readonly name: string;
  /** SHA-256 of the object file by architecture ('x86', 'arm64'), so that a stale or damaged one is refused. */
  readonly digests: Readonly<Record<string, string>>;
  /** Never present: carries the types. */
  readonly types?: S;
}

export function skeleton<S extends SkeletonTypes>(
  name: string,
  digests: Readonly<Record<string, string>>,
): Skeleton<S> {
  return { name, digests };
}
