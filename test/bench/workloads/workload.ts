/** Something to trace, done by a process of its own: see `workload-main.ts`. */
export interface Workload {
  /** What one operation is called, for the report. */
  readonly unit: string;
  /** Operations in a round, unless told otherwise. */
  readonly count: number;
  /** How many a tracer sees of one operation. */
  readonly eventsEach?: number;
  /** In the process: prepares, and gives what it can do. */
  start(): Started;
  /** Whether a line that a tracer printed is about an operation of a round; undefined where tracers print none. */
  eventLine?(pid: number, mark: string): RegExp;
  /** The number of a poke that the text of a tracer begins to tell of, the first in it. */
  firstPoke?(text: string, pid: number): number | undefined;
}

export interface Started {
  /** What tells this process from others in a line, besides its pid. */
  readonly mark?: string;
  /** Does one operation that tells its number. */
  poke?(number: number): void;
  /** Does so many operations as fast as it can. */
  run(count: number): void;
}
