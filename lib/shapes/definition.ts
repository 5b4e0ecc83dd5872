import type { ChoiceRules } from '../bpf/choose.ts';
import type { Skeleton } from '../bpf/skeleton.ts';
import type { Area } from '../model/areas.ts';
import type { JsonSchema } from '../model/json.ts';
import type { Column, Message, StatsMessage } from '../model/message.ts';
import type { Option, Options } from './options.ts';

/** What a tool needs from whoever runs it: the command line, a test, or a program that uses the library. */
export interface RunContext {
  /** Values by option key, defaults filled in. */
  readonly values: Readonly<Record<string, unknown>>;
  /** Ends the run: what is in the buffers is still delivered, then hooks are detached. */
  readonly signal: AbortSignal;
  /** BTF of the running kernel, for kernels that do not carry it. */
  readonly btf?: string;
  /** Bytes of each ring buffer; a power of two multiple of the page size. */
  readonly bufferSize?: number;
  /** What tracing costs is measured and told: at the end, and at each interval when there is one. */
  readonly stats?: StatsRequest;
  /**
   * Somebody watches: shapes that would say nothing before the end say what there is so far, that often (in seconds),
   * and tables come with all rows that somebody may want to scroll to.
   */
  readonly refresh?: number;
  /** Called with lines for people who want to know (`-v`). */
  readonly debug?: (line: string) => void;
}

export interface StatsRequest {
  /** Seconds; without it, once at the end. */
  readonly interval?: number;
  /** Not part of the stream of messages: it comes when it is due, also while there is nothing to say. */
  report(stats: StatsMessage): void;
}

/**
 * A positional argument: '[interval]', or '<probe...>' for one or several, whose value is a list. Shapes define them;
 * tools have options that are written so.
 */
export interface Positional {
  readonly key: string;
  readonly name: string;
  readonly summary: string;
  readonly parse: (text: string) => unknown;
}

/** A run as it was, for the man page. */
export interface Sample {
  /** What was going on. */
  readonly before: string;
  /** The arguments of the run. */
  readonly args: string;
  /** What it printed: no letter is changed, only lines may be left out. Lines fit a page of 80 columns. */
  readonly output: string;
  /** What that tells. */
  readonly after: string;
}

/**
 * A tool as data. Every shape produces this one form, and everything outside (help, man page, completion, schema,
 * list, conformance tests, the runner) is derived from it and asks for nothing else.
 */
export interface Tool {
  readonly shape: string;
  readonly skeleton: Skeleton;
  /** One sentence for list and help: 'Trace the open(2) family of system calls.' */
  readonly summary: string;
  readonly area: Area;
  /** Paragraphs for the man page, separated by blank lines: what the hooks measure, what is not seen. */
  readonly description: string;
  /** Measured cost, for the man page. */
  readonly overhead: string;
  /** Everything the tool accepts, the shape's and the shared options included, in the order of the help text. */
  readonly options: Options;
  readonly positionals: readonly Positional[];
  /** Anybody may run it. */
  readonly unprivileged?: boolean;
  /** On a terminal, it is a live view unless the command line asks for something else. */
  readonly screen?: boolean;
  /** Arguments to explanation: { '-x -p 181': 'trace the failed opens of process 181' }. */
  readonly examples: Readonly<Record<string, string>>;
  readonly samples?: readonly Sample[];
  /** Words that ask for help where the first argument is expected, as --help does; the beginning of one is enough. */
  readonly helpWords?: readonly string[];
  /** Other command names that start this tool with arguments put in front: { ext4dist: ['--type', 'ext4'] }. */
  readonly aliases: Readonly<Record<string, readonly string[]>>;
  /**
   * Every column the text output can have; reads the object file, needs no privilege. Texts may depend on the option
   * values of a run: without them, they are those of a bare command.
   */
  columns(values?: Readonly<Record<string, unknown>>): readonly ToolColumn[];
  /**
   * JSON Schema of a line of `--json` that carries data, `oneOf` where there are several kinds; reads the object file,
   * needs no privilege.
   */
  schema(): JsonSchema;
  /** How to pick programs where a kernel cannot take all of them; `values` are those of a run. */
  rules(values: Readonly<Record<string, unknown>>): ChoiceRules;
  /** Loads, attaches, and yields messages until the signal, the duration or the end. */
  run(context: RunContext): AsyncIterable<Message>;
}

export interface ToolColumn extends Column {
  /** What the field means, for FIELDS in the man page. */
  readonly help: string;
  /** The option that shows the column; undefined when it is always there. */
  readonly option?: Option;
}

/** Whether a command can be given to be traced, from its start to its end: what filters by process can do that. */
export function tracesCommands({ options }: Pick<Tool, 'options'>): boolean {
  return options.pid?.set === 'filter_pid' || options.pid?.set === 'filter_pids';
}
