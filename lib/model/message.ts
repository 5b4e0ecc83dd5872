import type { Bucket } from './histogram.ts';
import type { JsonValue } from './json.ts';
import type { Packet } from './packet.ts';
import type { SemanticType } from './types.ts';

/** A decoded record or table row: field names are the C names. */
export type Row = Readonly<Record<string, unknown>>;

/** One column of the text rendering; JSON ignores it but for its name. */
export interface Column {
  /** Field name, as in the C struct, `--fields`, `--sort` and JSON. */
  readonly name: string;
  readonly header: string;
  readonly width: number;
  readonly align: 'left' | 'right';
  readonly type: SemanticType;
  /** The last text column takes the rest of the line and is never padded. */
  readonly text?: (value: unknown, row: Row) => string;
}

/** Which hook a program was attached to, out of the alternatives that the tool has. */
export interface AttachedHook {
  readonly program: string;
  readonly hook: string;
}

/**
 * What a running tool says, in order: `ready` first (all hooks are attached), then data, `lost` and `warning`
 * as they happen. Every kind of output, live or recorded, is made from these and nothing else.
 */
export type Message =
  | ReadyMessage
  | EventsMessage
  | IntervalMessage
  | TableMessage
  | HistogramMessage
  | StacksMessage
  | LostMessage
  | WarningMessage
  | StatsMessage;

export interface ReadyMessage {
  readonly type: 'ready';
  readonly tool: string;
  /** What is traced, without the final period: 'Tracing open(2)'. */
  readonly activity: string;
  /** Microseconds since the Unix epoch. */
  readonly time: number;
  readonly hooks: readonly AttachedHook[];
  readonly columns: readonly Column[];
  /** The fields that JSON carries, in order; undefined means all. */
  readonly fields?: readonly string[];
  /** Meaning of the fields that no column shows: JSON carries those too. */
  readonly types?: FieldTypes;
  /** Fields with stacks, which text prints below the row. */
  readonly stacks?: StackFields;
  /** What packet a row is: of tools that write such files. */
  packet?(row: Row): Packet;
}

/** Names of fields that have stacks. */
export interface StackFields {
  readonly kernel?: string;
  readonly user?: string;
  /** For people, addresses stand before the names. */
  readonly addresses?: boolean;
}

/** Semantic types by field name. */
export type FieldTypes = Readonly<Record<string, SemanticType>>;

/** All events of one drain of the ring buffer; JSON and library users see one `event` for each row. */
export interface EventsMessage {
  readonly type: 'events';
  readonly rows: readonly Row[];
}

/** What follows, up to the next one, is of one interval. JSON has the time in each of those instead. */
export interface IntervalMessage {
  readonly type: 'interval';
  readonly time: number;
  /** Text begins with the time. */
  readonly stamp: boolean;
  /** On a terminal, text replaces what was there. */
  readonly clear: boolean;
  /** Text that goes with the time: load averages. */
  readonly heading?: string;
}

/** The distribution of a value, for one key. */
export interface HistogramMessage {
  readonly type: 'histogram';
  readonly time: number;
  /** Whose distribution it is: the fields of the key, empty when there is only one. */
  readonly key: Row;
  readonly columns: readonly Column[];
  readonly types: FieldTypes;
  /** Of the values: 'usecs'. */
  readonly unit: string;
  readonly buckets: readonly Bucket[];
  readonly count: number;
  /** Sum of the values. */
  readonly total: number;
  /** The kernel stack that the values belong to. */
  readonly kernel?: Stack;
  /** The user stack that they belong to. */
  readonly user?: Stack;
  /** Text adds average, total, count and percentiles; JSON always has them. */
  readonly details: boolean;
  /** Members of the line that JSON writes: of the key, and 'time', 'unit', 'buckets', 'count'...; undefined means all. */
  readonly fields?: readonly string[];
}

/** One function on a stack, as far as it could be named. */
export interface Frame {
  /** Where in memory. */
  readonly address: bigint;
  /** Function; undefined when nothing is known about the address. */
  readonly symbol?: string;
  /** Bytes from the start of the function, or of the file where there is no function. */
  readonly offset?: number;
  /** Kernel module in brackets, or path of the binary, shared object or JIT map. */
  readonly module?: string;
}

/** A stack, innermost frame first; or why there is none. */
export type Stack = readonly Frame[] | 'missed' | 'none';

/** How much was seen on one stack. */
export interface WeighedStack {
  /** Whose: pid, comm... */
  readonly key: Row;
  readonly user: Stack;
  readonly kernel: Stack;
  readonly weight: number;
}

/** All stacks of a run or interval, the heaviest last. */
export interface StacksMessage {
  readonly type: 'stacks';
  readonly time: number;
  /** Those up to now: a later message has all of these again, and more. */
  readonly partial?: boolean;
  readonly types: FieldTypes;
  /** Of the weights: 'samples', 'usecs'. */
  readonly unit: string;
  /** Field of the key that comes behind the innermost frame: what the stack was about. */
  readonly tip?: string;
  /** Text shows where in the functions. */
  readonly offsets?: boolean;
  /** Text shows addresses before the names; folded lines do not. */
  readonly addresses?: boolean;
  /** Text marks kernel frames, as folded lines always do. */
  readonly annotations?: boolean;
  readonly stacks: readonly WeighedStack[];
}

/** What the rows of a table come to, for a program that reads it: indented JSON, or each of a list as YAML. */
export type Document =
  | { readonly format: 'json'; readonly content: JsonValue }
  | { readonly format: 'yaml'; readonly content: readonly JsonValue[] };

/** A finite table: a summary at the end, or one interval. */
export interface TableMessage {
  readonly type: 'table';
  readonly time: number;
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
  /** As in `ready`; undefined means all fields. */
  readonly fields?: readonly string[];
  readonly types?: FieldTypes;
  /** Fields that tell a row from the others, by which it is found again in the next table. */
  readonly key?: readonly string[];
  /** Field by which the rows are in order, the largest first; it need not be a column. */
  readonly sort?: string;
  /** Fields with stacks, which text prints below each row. */
  readonly stacks?: StackFields;
  /** What text prints instead. */
  readonly document?: Document;
}

/** Records that were produced in the kernel and never read. */
export interface LostMessage {
  readonly type: 'lost';
  /** Since the last such message. */
  readonly count: number;
  readonly total: number;
  /** What was lost, in the plural: 'events'. */
  readonly what: string;
  /** True for the one at the end of the run, which repeats the total. */
  readonly final: boolean;
}

export interface WarningMessage {
  readonly type: 'warning';
  readonly text: string;
  readonly hint?: string;
}

/** What the tracing itself has cost since everything was attached. */
export interface StatsMessage {
  readonly type: 'stats';
  readonly time: number;
  /** The last of the run. */
  readonly final: boolean;
  readonly seconds: number;
  /** Processor time of this process. */
  readonly cpu_seconds: { readonly user: number; readonly system: number };
  /** Peak resident memory of this process, in bytes. */
  readonly memory: number;
  readonly programs: readonly ProgramStats[];
  /** Why the programs' runs are not counted, when they are not. */
  readonly uncounted?: string;
  readonly maps: readonly { readonly map: string; readonly entries: number; readonly max: number }[];
  /** In bytes; `peak` is the most that waited to be read. */
  readonly rings: readonly { readonly ring: string; readonly peak: number; readonly size: number }[];
  readonly lost: readonly { readonly what: string; readonly total: number }[];
}

export interface ProgramStats extends AttachedHook {
  /** Absent when the kernel does not count. */
  readonly runs?: number;
  /** Of all runs, in nanoseconds. */
  readonly run_ns?: number;
}
