import { KscopeError } from '../model/errors.ts';
import type {
  HistogramMessage,
  Message,
  ReadyMessage,
  Stack,
  StacksMessage,
  TableMessage,
  WeighedStack,
} from '../model/message.ts';
import type { Tool, ToolColumn } from '../shapes/definition.ts';
import type { Line } from './lines.ts';
import { mostFields, RecordedColumns } from './recorded-columns.ts';
import { parse, rowOf } from './recorded-rows.ts';
import { framesOf, instantOf, listOf, type Members, Misfit, membersOf, numberOf, textOf } from './values.ts';

/** A definition by the name that a recording gives; undefined when there is none. */
export type FindTool = (name: string) => Promise<Tool | undefined>;

/** A message, and when it was: µs since the epoch, as far as its line says so. */
export interface Timed {
  readonly message: Message;
  readonly time?: number;
}

const mostBuckets = 1024;
const mostStacks = 200_000;

/** Members of the line of a histogram that are not its key. */
const statistics = new Set(['type', 'time', 'unit', 'buckets', 'count', 'total', 'average', 'p50', 'p90', 'p99']);
/** Members of the line of a stack that are not its key. */
const stackMembers = new Set(['type', 'time', 'unit', 'weight', 'user', 'kernel', 'missed']);

/**
 * Turns lines of `--json`, or of `--record`, back into the messages that they were made from. A recording says how it
 * is to be shown; for plain JSON, the definition of the tool does, and where there is none, the values themselves.
 * Nothing in a line is trusted.
 */
export class RecordedMessages {
  readonly #find: FindTool;
  readonly #fields: readonly string[] | undefined;
  #tool: Tool | undefined;
  #options: Members = {};
  /** Waits for what the columns are. */
  #ready: ReadyMessage | undefined;
  #started = false;
  #shown = new RecordedColumns([]);
  #interval: number | undefined;
  #stacks: { time: number; stacks: WeighedStack[]; unit: string } | undefined;

  /** @param fields columns to show instead of those of the recording */
  constructor(find: FindTool, fields?: readonly string[]) {
    this.#find = find;
    this.#fields = fields;
  }

  /** The option values of the recorded run, as far as the recording has them. */
  get options(): Members {
    return this.#options;
  }

  /**
   * What a line says. Messages may come with the line after theirs: some are made of several.
   * @throws KscopeError failed, with the number of the line
   */
  line({ text, number }: Line): Timed[] | Promise<Timed[]> {
    try {
      if (text.trim() === '') {
        return [];
      }
      const found = this.#read(membersOf(parse(text)));
      return Array.isArray(found)
        ? found
        : found.catch((cause) => {
            throw damaged(number, cause);
          });
    } catch (cause) {
      throw damaged(number, cause);
    }
  }

  /** What is left at the end. */
  end(): Timed[] {
    return [...this.#begin(), ...this.#flushStacks()];
  }

  #read(line: Members): Timed[] | Promise<Timed[]> {
    const type = textOf(line.type);
    if (type === 'ready') {
      return this.#readReady(line);
    }
    if (!this.#started && this.#ready === undefined) {
      throw new Misfit('it does not begin with a line of type "ready"');
    }
    if (type === 'columns') {
      this.#shown.describe(textOf(line.of), line);
      return textOf(line.of) === 'event' ? this.#begin() : [];
    }
    const before = [
      ...this.#begin(type === 'event' ? line : undefined),
      ...(type === 'stack' ? [] : this.#flushStacks()),
    ];
    const found = this.#data(type, line);
    return before.length === 0 ? found : [...before, ...found];
  }

  async #readReady(line: Members): Promise<Timed[]> {
    const before = this.end();
    const tool = textOf(line.tool);
    this.#options = line.options === undefined ? {} : membersOf(line.options);
    this.#tool = await this.#find(tool);
    this.#shown = new RecordedColumns(this.#columnsOfTool(), this.#fields);
    this.#interval = undefined;
    this.#started = true;
    this.#ready = {
      type: 'ready',
      tool,
      activity: line.activity === undefined ? `Played: ${tool}` : textOf(line.activity),
      time: instantOf(line.time),
      hooks: listOf(line.hooks ?? [], mostFields).map((hook) => {
        const { program, hook: where } = membersOf(hook);
        return { program: textOf(program), hook: textOf(where) };
      }),
      columns: [],
    };
    // A recording describes its columns next. Otherwise a tool that has no events has no columns yet, and one that has
    // nothing else shows those that are always there.
    const described = line.options !== undefined;
    if (!described && this.#tool !== undefined && this.#tool.shape !== 'custom') {
      if (this.#tool.shape === 'snoop') {
        this.#shown.guess('event', undefined);
      }
      return [...before, ...this.#begin()];
    }
    return before;
  }

  #columnsOfTool(): readonly ToolColumn[] {
    try {
      return this.#tool?.columns(this.#options) ?? [];
    } catch {
      // Its object may be missing, or the recorded values may be none that it takes.
      return [];
    }
  }

  /** The ready message, once it can be said. */
  #begin(event?: Members): Timed[] {
    const ready = this.#ready;
    if (ready === undefined) {
      return [];
    }
    this.#ready = undefined;
    const shown = event === undefined ? this.#shown.known('event') : this.#shown.of('event', event);
    const message: ReadyMessage = {
      ...ready,
      columns: shown?.columns ?? [],
      types: shown?.types ?? {},
      ...(shown?.stacks !== undefined && { stacks: shown.stacks }),
    };
    return [{ message, time: ready.time }];
  }

  #data(type: string, line: Members): Timed[] {
    switch (type) {
      case 'event': {
        const { types } = this.#shown.of('event', line);
        const row = rowOf(line, types);
        const { time } = line;
        return [
          { message: { type: 'events', rows: [row] }, ...(typeof time === 'string' && { time: instantOf(time) }) },
        ];
      }
      case 'interval': {
        const { heading } = line;
        const time = instantOf(line.time);
        this.#interval = time;
        return [
          {
            message: {
              type: 'interval',
              time,
              stamp: line.stamp === true,
              clear: line.clear === true,
              ...(heading !== undefined && { heading: textOf(heading) }),
            },
            time,
          },
        ];
      }
      case 'table': {
        const time = instantOf(line.time);
        return this.#withInterval(time, this.#table(line, time));
      }
      case 'histogram': {
        const time = instantOf(line.time);
        return this.#withInterval(time, this.#histogram(line, time));
      }
      case 'stack':
        return this.#stack(line);
      case 'lost':
        return [
          {
            message: {
              type: 'lost',
              what: textOf(line.what),
              count: numberOf(line.count),
              total: numberOf(line.total),
              final: line.final === true,
            },
          },
        ];
      case 'warning':
        return [
          {
            message: {
              type: 'warning',
              text: textOf(line.text),
              ...(line.hint !== undefined && { hint: textOf(line.hint) }),
            },
          },
        ];
      case 'stats':
        // What tracing cost is said of the run, not by what is played.
        return [];
      default:
        throw new Misfit(`there are no lines of type ${JSON.stringify(type)}`);
    }
  }

  /** Plain JSON does not say where intervals begin, but data of one interval has one time. */
  #withInterval(time: number, message: Message): Timed[] {
    const known = this.#interval === time;
    this.#interval = time;
    const begin: Message = { type: 'interval', time, stamp: false, clear: false };
    return [...(known ? [] : [{ message: begin, time }]), { message, time }];
  }

  #table(line: Members, time: number): TableMessage {
    const rows = listOf(line.rows).map(membersOf);
    const [first] = rows;
    const { columns, types, key, sort, stacks } = this.#shown.of('table', first);
    return {
      type: 'table',
      time,
      columns,
      types,
      rows: rows.map((row) => rowOf(row, types)),
      ...(key !== undefined && { key }),
      ...(sort !== undefined && { sort }),
      ...(stacks !== undefined && { stacks }),
    };
  }

  #histogram(line: Members, time: number): HistogramMessage {
    const keys = Object.fromEntries(Object.entries(line).filter(([name]) => !statistics.has(name)));
    const { columns, types, details = false } = this.#shown.of('histogram', keys);
    return {
      type: 'histogram',
      time,
      key: rowOf(keys, types),
      columns,
      types,
      unit: textOf(line.unit),
      buckets: listOf(line.buckets, mostBuckets).map((bucket) => {
        const { from, to, count } = membersOf(bucket);
        return { from: numberOf(from), to: numberOf(to), count: numberOf(count) };
      }),
      count: numberOf(line.count),
      total: numberOf(line.total),
      details: details || this.#options.details === true,
    };
  }

  /** Stacks of one message have one time; they are complete when something else comes. */
  #stack(line: Members): Timed[] {
    const time = instantOf(line.time);
    const before = this.#stacks?.time === time ? [] : this.#flushStacks();
    const keys = Object.fromEntries(Object.entries(line).filter(([name]) => !stackMembers.has(name)));
    const { types } = this.#shown.of('stack', keys);
    this.#stacks ??= { time, stacks: [], unit: textOf(line.unit) };
    if (this.#stacks.stacks.length >= mostStacks) {
      throw new Misfit(`there are more than ${mostStacks} stacks`);
    }
    const missed = listOf(line.missed ?? [], 2);
    const stack = (whose: 'user' | 'kernel'): Stack =>
      missed.includes(whose) ? 'missed' : line[whose] === undefined ? 'none' : framesOf(line[whose]);
    this.#stacks.stacks.push({
      key: rowOf(keys, types),
      user: stack('user'),
      kernel: stack('kernel'),
      weight: numberOf(line.weight),
    });
    return before;
  }

  #flushStacks(): Timed[] {
    const waiting = this.#stacks;
    if (waiting === undefined) {
      return [];
    }
    this.#stacks = undefined;
    const { types = {}, tip, offsets, addresses, annotations } = this.#shown.known('stack') ?? {};
    const message: StacksMessage = {
      type: 'stacks',
      types,
      ...waiting,
      ...(tip !== undefined && { tip }),
      ...(offsets && { offsets }),
      ...(addresses && { addresses }),
      ...(annotations && { annotations }),
    };
    return [{ message, time: waiting.time }];
  }
}

function damaged(number: number, cause: unknown): unknown {
  const why =
    cause instanceof Misfit ? cause.message : cause instanceof RangeError ? 'it is nested too deeply' : undefined;
  return why === undefined ? cause : new KscopeError('failed', `line ${number} cannot be played: ${why}`, { cause });
}
