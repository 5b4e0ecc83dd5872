import { stackNames } from '../model/frames.ts';
import type {
  Column,
  Document,
  HistogramMessage,
  IntervalMessage,
  Message,
  ReadyMessage,
  Row,
  Stack,
  StackFields,
  StacksMessage,
  TableMessage,
} from '../model/message.ts';
import { formatTime } from '../model/time-format.ts';
import { type TextStyle, widthOf } from '../model/types.ts';
import type { Output } from './output.ts';
import type { Writer } from './writer.ts';

/** How stacks are written: a line each, or with a line between kernel and user frames. */
export interface StackStyle {
  readonly folded?: boolean;
  readonly delimited?: boolean;
}

type FormatRow = (row: Row) => string;

/** Rows for people: a header when all hooks are attached, one line for each row, a table for what is finite. */
export class TextOutput implements Output {
  readonly #writer: Writer;
  readonly #style: TextStyle;
  #row: FormatRow = () => '';
  #printed = false;
  #rendering: Promise<void> = Promise.resolve();
  readonly #isTerminal: () => boolean;
  readonly #stackStyle: StackStyle;

  /** `isTerminal` is asked before a screen is cleared: whether there is one. */
  constructor(writer: Writer, style: TextStyle, isTerminal: () => boolean = () => false, stacks: StackStyle = {}) {
    this.#writer = writer;
    this.#style = style;
    this.#isTerminal = isTerminal;
    this.#stackStyle = stacks;
  }

  message(message: Message): Promise<void> | undefined {
    switch (message.type) {
      case 'ready':
        this.#style.firstTime = message.time;
        this.#row = withStacks(withLines(compileRow(message.columns, this.#style), message), message.stacks);
        return message.columns.length === 0 ? undefined : this.#writer.write(header(message.columns, this.#style));
      case 'events': {
        let text = '';
        for (const row of message.rows) {
          text += this.#row(row);
        }
        this.#printed = true;
        return this.#writer.write(text);
      }
      case 'interval':
        return this.#render(() => this.#interval(message));
      case 'histogram':
        return this.#render(() => this.#histogram(message));
      case 'stacks':
        return this.#render(() => this.#stacks(message));
      case 'table':
        return this.#render(() => this.#table(message));
      default:
        return undefined;
    }
  }

  #interval({ time, stamp, clear, heading }: IntervalMessage): string {
    const gap = this.#printed ? '\n' : '';
    this.#printed = false;
    const line = [...(stamp ? [formatTime(time, this.#style)] : []), ...(heading === undefined ? [] : [heading])].join(
      ' ',
    );
    // Home, then erase what is below: the scrollback is left alone.
    const start = clear && this.#isTerminal() ? '\x1b[H\x1b[J' : gap;
    return line === '' ? start : `${start}${line}\n`;
  }

  async rendered(): Promise<void> {
    await this.#rendering;
  }

  /** In the order of the calls, also while modules are still being loaded. */
  async #render(text: () => string | Promise<string>): Promise<void> {
    let room: Promise<void> | undefined;
    this.#rendering = this.#rendering.then(async () => {
      room = this.#writer.write(await text());
    });
    await this.#rendering;
    await room;
  }

  async #histogram(message: HistogramMessage): Promise<string> {
    const { renderHistogram } = await import('./histogram.ts');
    return this.#gap() + renderHistogram(message, this.#style);
  }

  async #stacks(message: StacksMessage): Promise<string> {
    const { renderFolded, renderStacks } = await import('./stacks.ts');
    const { folded = false, delimited = false } = this.#stackStyle;
    return folded ? renderFolded(message) : renderStacks(message, this.#style, delimited);
  }

  async #table({ columns, rows, stacks, document }: TableMessage): Promise<string> {
    if (document !== undefined) {
      return this.#gap() + (await rendered(document));
    }
    if (stacks !== undefined) {
      const line = withStacks(compileRow(columns, this.#style), stacks);
      return this.#gap() + header(columns, this.#style) + rows.map(line).join('');
    }
    const { renderTable } = await import('./table.ts');
    return this.#gap() + renderTable(columns, rows, this.#style);
  }

  /** Between what was printed and what comes. */
  #gap(): string {
    const gap = this.#printed ? '\n' : '';
    this.#printed = true;
    return gap;
  }
}

/** Puts below the row what is too long for it, unless somebody chose fields. */
function withLines(line: FormatRow, { types = {}, fields }: ReadyMessage): FormatRow {
  const long = Object.entries(types).filter(([, type]) => type.lines !== undefined);
  return long.length === 0 || fields !== undefined
    ? line
    : (row) =>
        line(row) +
        long
          .flatMap(([name, type]) => (row[name] === undefined ? [] : (type.lines?.(row[name]) ?? [])))
          .map((one) => `    ${one}\n`)
          .join('');
}

/** Puts stacks below the row, the innermost frame first. */
function withStacks(line: FormatRow, fields: StackFields | undefined): FormatRow {
  if (fields === undefined) {
    return line;
  }
  const names = (row: Row, whose: 'kernel' | 'user') => {
    const stack = fields[whose] === undefined ? undefined : (row[fields[whose]] as Stack | undefined);
    if (stack === undefined) {
      return [];
    }
    return stackNames(stack, whose, false, fields.addresses).reverse();
  };
  return (row) => line(row) + [...names(row, 'kernel'), ...names(row, 'user')].map((name) => `    ${name}\n`).join('');
}

/** The line above the rows, with its newline. */
export function header(columns: readonly Column[], style: TextStyle): string {
  const cells = columns.map((column, i) => {
    const width = columnWidth(column, style);
    if (column.align === 'right') {
      return column.header.padStart(width);
    }
    return i === columns.length - 1 ? column.header : column.header.padEnd(width);
  });
  return `${cells.join(' ')}\n`;
}

const widest = 64;
const spaces = Array.from({ length: widest + 1 }, (_, count) => ' '.repeat(count));

function columnWidth(column: Column, style: TextStyle): number {
  const width = Math.max(
    column.width,
    column.header.length,
    column.type.widthIn === undefined ? 0 : widthOf(column.type, style),
  );
  return Math.min(width, widest);
}

/**
 * Makes the function from row to line, newline included. It is compiled because this is the hottest code of
 * the process: every column gets its own call site, which a loop over the columns could not give.
 */
export function compileRow(columns: readonly Column[], style: TextStyle): FormatRow {
  const lines = columns.map((column, i) => {
    const name = JSON.stringify(column.name);
    const call = column.text === undefined ? `from${i}.text(value, style)` : `from${i}.text(value, row)`;
    const width = columnWidth(column, style);
    const gap = i === columns.length - 1 ? "'\\n'" : "' '";
    const last = i === columns.length - 1;
    const padding = `(part.length < ${width} ? spaces[${width} - part.length] : '')`;
    const padded = column.align === 'right' ? `${padding} + part` : last ? 'part' : `part + ${padding}`;
    return `value = row[${name}];
part = value === undefined ? '-' : ${call};
line += ${padded} + ${gap};`;
  });
  const parameters = columns.map((_, i) => `from${i}`);
  const body = `'use strict';
return (row) => {
let value, part, line = '';
${lines.join('\n')}
return line;
};`;
  const make = new Function('style', 'spaces', ...parameters, body);
  return make(
    style,
    spaces,
    ...columns.map((column) => (column.text === undefined ? column.type : column)),
  ) as FormatRow;
}

async function rendered({ format, content }: Document): Promise<string> {
  if (format === 'json') {
    return `${JSON.stringify(content, null, 2)}\n`;
  }
  const { yamlDocument } = await import('../model/yaml.ts');
  return content.map(yamlDocument).join('');
}
