import { framesJson } from '../model/frames.ts';
import { percentile } from '../model/histogram.ts';
import type { JsonValue } from '../model/json.ts';
import type { Column, FieldTypes, HistogramMessage, Message, Row, WeighedStack } from '../model/message.ts';
import { rfc3339 } from '../model/time-format.ts';
import type { Output } from './output.ts';
import type { Writer } from './writer.ts';

type Serialize = (row: Row) => string;

export interface JsonOptions {
  readonly utc?: boolean;
  /**
   * The option values of a run that is recorded: all fields are written, and besides them what it takes to show them
   * as they were shown: the activity, these values, columns, types, and where each interval begins.
   */
  readonly recorded?: Readonly<Record<string, unknown>>;
}

/** One JSON object a line, each with a `type`; the fields of an event are flat in it. */
export class JsonOutput implements Output {
  readonly #writer: Writer;
  readonly #utc: boolean;
  readonly #recorded: Readonly<Record<string, unknown>> | undefined;
  #event: Serialize | undefined;
  #types: FieldTypes = {};
  #fields: readonly string[] | undefined;
  /** Descriptions that were written, by the type of the lines that they are about. */
  readonly #described = new Map<string, string>();

  constructor(writer: Writer, options: JsonOptions = {}) {
    this.#writer = writer;
    this.#utc = options.utc ?? false;
    this.#recorded = options.recorded;
  }

  message(message: Message): Promise<void> | undefined {
    switch (message.type) {
      case 'ready': {
        const { tool, hooks, activity } = message;
        this.#types = fieldTypes(message.columns, message.types);
        this.#fields = this.#recorded === undefined ? message.fields : undefined;
        this.#event = undefined;
        this.#described.clear();
        const written = this.#line({
          type: 'ready',
          tool,
          time: this.#time(message.time),
          hooks: hooks.map(({ program, hook }) => ({ program, hook })),
          ...(this.#recorded !== undefined && { activity, options: plainValues(this.#recorded) }),
        });
        this.#describe('event', message.columns, message.types, { stacks: message.stacks });
        return written;
      }
      case 'events': {
        const [first] = message.rows;
        if (first === undefined) {
          return undefined;
        }
        this.#event ??= compileObject(this.#fields ?? Object.keys(first), this.#types, {
          open: '{"type":"event"',
          utc: this.#utc,
        });
        let text = '';
        for (const row of message.rows) {
          text += this.#event(row);
          text += '\n';
        }
        return this.#writer.write(text);
      }
      case 'table': {
        const types = fieldTypes(message.columns, message.types);
        this.#describe('table', message.columns, message.types, {
          key: message.key,
          sort: message.sort,
          stacks: message.stacks,
        });
        const [first] = message.rows;
        const fields = this.#recorded === undefined ? message.fields : undefined;
        const serialize = compileObject(fields ?? Object.keys(first ?? {}), types, { open: '{', utc: this.#utc });
        const rows = message.rows.map(serialize).join(',');
        return this.#writer.write(
          `{"type":"table","time":${JSON.stringify(this.#time(message.time))},"rows":[${rows}]}\n`,
        );
      }
      case 'interval': {
        const { time, stamp, clear, heading } = message;
        return this.#recorded === undefined
          ? undefined
          : this.#line({
              type: 'interval',
              time: this.#time(time),
              stamp,
              clear,
              ...(heading !== undefined && { heading }),
            });
      }
      case 'histogram':
        this.#describe('histogram', message.columns, message.types, { details: message.details });
        return this.#histogram(message);
      case 'stacks': {
        if (message.partial === true) {
          return undefined;
        }
        const { types, tip, offsets, addresses, annotations } = message;
        this.#describe('stack', [], types, { tip, offsets, addresses, annotations });
        const serialize = compileObject(Object.keys(message.stacks[0]?.key ?? {}), message.types, {
          open: '',
          utc: this.#utc,
        });
        const start = `{"type":"stack","time":${JSON.stringify(this.#time(message.time))}`;
        return this.#writer.write(
          message.stacks
            .map((one) => `${start}${serialize(one.key).slice(0, -1)},${stackMembers(one, message.unit).slice(1)}\n`)
            .join(''),
        );
      }
      case 'lost': {
        const { what, count, total, final } = message;
        return this.#line({ type: 'lost', what, count, total, ...(this.#recorded !== undefined && { final }) });
      }
      case 'stats': {
        const { type, time, final: _, ...stats } = message;
        return this.#line({ type, time: this.#time(time), ...stats } as unknown as JsonValue);
      }
      case 'warning': {
        const { text, hint } = message;
        return this.#line({ type: 'warning', text, ...(hint === undefined ? {} : { hint }) });
      }
    }
  }

  #histogram({
    key,
    types,
    time,
    unit,
    buckets,
    count,
    total,
    kernel,
    user,
    fields,
  }: HistogramMessage): Promise<void> | undefined {
    const at = (share: number) => percentile(buckets, share);
    const rest: Readonly<Record<string, unknown>> = {
      unit,
      buckets,
      count,
      total,
      average: count === 0 ? 0 : total / count,
      p50: at(0.5),
      p90: at(0.9),
      p99: at(0.99),
      kernel: kernel && framesJson(kernel),
      user: user && framesJson(user),
    };
    const all = { time: this.#time(time), ...key, ...rest };
    const names = (this.#recorded === undefined ? fields : undefined) ?? Object.keys(all);
    // The time is text already.
    const { time: _, ...meanings } = types;
    const serialize = compileObject(names, meanings, { open: '{"type":"histogram"', utc: this.#utc });
    return this.#writer.write(`${serialize(all)}\n`);
  }

  /** Says how the lines that follow are to be shown, unless that has been said. */
  #describe(
    of: string,
    columns: readonly Column[],
    types: FieldTypes = {},
    more: Readonly<Record<string, unknown>> = {},
  ): void {
    if (this.#recorded === undefined) {
      return;
    }
    const line = JSON.stringify({
      type: 'columns',
      of,
      columns: columns.map(({ name, header, width, align, type }) => ({ name, header, width, align, type: type.name })),
      types: Object.fromEntries(Object.entries(types).map(([name, type]) => [name, type.name])),
      ...more,
    });
    if (this.#described.get(of) !== line) {
      this.#described.set(of, line);
      this.#writer.write(`${line}\n`);
    }
  }

  #time(instant: number): string {
    return rfc3339(instant, this.#utc);
  }

  #line(value: JsonValue): Promise<void> | undefined {
    return this.#writer.write(`${JSON.stringify(value)}\n`);
  }
}

/** The values that JSON can carry. */
function plainValues(values: Readonly<Record<string, unknown>>): JsonValue {
  const isPlain = (value: unknown): boolean =>
    typeof value === 'string' ||
    typeof value === 'boolean' ||
    (typeof value === 'number' && Number.isFinite(value)) ||
    (Array.isArray(value) && value.every(isPlain));
  return Object.fromEntries(Object.entries(values).filter(([, value]) => isPlain(value))) as JsonValue;
}

/** The members of a stack's JSON that are not its key. */
function stackMembers({ user, kernel, weight }: WeighedStack, unit: string): string {
  const missed = Object.entries({ user, kernel }).flatMap(([whose, stack]) => (stack === 'missed' ? [whose] : []));
  return JSON.stringify({
    unit,
    weight,
    user: framesJson(user),
    kernel: framesJson(kernel),
    ...(missed.length > 0 && { missed }),
  });
}

function fieldTypes(columns: readonly Column[], types: FieldTypes | undefined): FieldTypes {
  return { ...Object.fromEntries(columns.map(({ name, type }) => [name, type])), ...types };
}

/**
 * Makes the function from row to JSON object. Compiled for the same reason as the text of a row: each field has
 * its own call site. `open` is how the object begins: a bare brace, or members without the comma after them.
 */
export function compileObject(
  fields: readonly string[],
  types: FieldTypes,
  { open = '{', utc = false }: { readonly open?: string; readonly utc?: boolean } = {},
): Serialize {
  const known = fields.map((name) => (Object.hasOwn(types, name) ? types[name] : undefined));
  const lines = fields.map((name, i) => {
    const value = known[i]?.json === undefined ? 'value' : `type${i}.json(value, utc)`;
    return `value = row[${JSON.stringify(name)}];
if (value !== undefined && (value = ${value}) !== undefined) text += ${JSON.stringify(`,${JSON.stringify(name)}:`)} + write(value);`;
  });
  // After a bare brace the first member that is there has a comma too many.
  const result = open === '{' ? "'{' + text.slice(1)" : `${JSON.stringify(open)} + text`;
  const body = `'use strict';
return (row) => {
let value, text = '';
${lines.join('\n')}
return ${result} + '}';
};`;
  const make = new Function('write', 'utc', ...fields.map((_, i) => `type${i}`), body);
  return make(jsonText, utc, ...known) as Serialize;
}

// Anything but printable ASCII without the quote and the backslash is left to JSON.stringify, which also writes lone
// surrogates in a way that every decoder takes.
const unusual = /[^ !#-[\]-~]/;

/** JSON of any decoded value; 64-bit integers become strings, what JSON cannot say becomes null. */
export function jsonText(value: unknown): string {
  switch (typeof value) {
    case 'number':
      return Number.isFinite(value) ? String(value) : 'null';
    case 'string':
      return unusual.test(value) ? JSON.stringify(value) : `"${value}"`;
    case 'boolean':
      return value ? 'true' : 'false';
    case 'bigint':
      return `"${value}"`;
    default:
      return JSON.stringify(value, bigintAsString) ?? 'null';
  }
}

function bigintAsString(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}
