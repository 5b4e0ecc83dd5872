/** Whole kilobytes, without the unit: what top tools have in columns named so. */
export function inKilobytes(bytes: number): string {
  return String(Math.floor(bytes / 1024));
}

/** What a distribution is counted in. */
export interface Unit {
  /** As people read it: 'usecs'. */
  readonly name: string;
  /** How much of what programs add (nanoseconds, bytes) makes one. */
  readonly size: number;
}

/** The units of times and sizes, by the names that bcc's tools gave them. */
export const units = {
  nsecs: { name: 'nsecs', size: 1 },
  usecs: { name: 'usecs', size: 1e3 },
  msecs: { name: 'msecs', size: 1e6 },
  bytes: { name: 'bytes', size: 1 },
  kbytes: { name: 'Kbytes', size: 1024 },
} as const satisfies Record<string, Unit>;
