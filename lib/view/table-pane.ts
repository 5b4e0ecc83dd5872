import { cell } from '../model/cell.ts';
import type { Column, Message, Row, TableMessage } from '../model/message.ts';
import { formatTime } from '../model/time-format.ts';
import { placeCells, placeColumns } from './columns-layout.ts';
import { moved, scrolled, within } from './cursor.ts';
import { detailsOf } from './event-pane.ts';
import { character, type Key } from './key.ts';
import { clip, type Line, type Size, type Span, span } from './line.ts';
import { type Hint, matcher, type Pane, type PaneContext } from './pane.ts';
import { sparkline } from './sparkline.ts';
import { fit } from './text-width.ts';

/** Tables whose rows are remembered, and keys of which that is done. */
const remembered = 60;
const mostKeys = 2_000;
const trendWidth = 20;
/** Room that a table must have beside the course of a value. */
const trendFrom = 64;

/** The rows that one key had, by the number of the table. */
interface Course {
  readonly tables: number[];
  readonly rows: Row[];
}

interface Shown {
  readonly message: TableMessage;
  readonly heading: string;
  readonly number: number;
}

/** The latest table, with the course of the sorted column for each row. */
export class TablePane implements Pane {
  readonly title = 'table';
  readonly #context: PaneContext;
  #shown: Shown | undefined;
  #latest: Shown | undefined;
  #number = 0;
  #heading = '';
  #frozen = false;
  #filter = '';
  /** Name of the column; undefined keeps the order of the table. */
  #sort: string | undefined;
  #reverse = false;
  #courses = new Map<string, Course>();
  /** Key of the selected row, which is followed when the order changes. */
  #selected: string | undefined;
  #at = 0;
  #top = 0;
  #page = 1;
  #skip = 0;

  constructor(context: PaneContext) {
    this.#context = context;
  }

  get used(): boolean {
    return this.#latest !== undefined;
  }

  get summary(): string {
    const count = this.#shown?.message.rows.length ?? 0;
    return `${count.toLocaleString('en')} row${count === 1 ? '' : 's'}`;
  }

  get hints(): readonly Hint[] {
    return [
      ['<>', 'sort by'],
      ['r', 'reverse'],
      ['↑↓', 'move'],
      ['←→', 'columns'],
      ['enter', 'details'],
    ];
  }

  receive(message: Message): void {
    if (message.type === 'interval') {
      this.#heading = message.heading ?? '';
    } else if (message.type === 'table') {
      this.#number++;
      this.#latest = { message, heading: this.#heading, number: this.#number };
      this.#remember(message);
      if (!this.#frozen) {
        this.#shown = this.#latest;
      }
    }
  }

  reset(): void {
    this.#shown = undefined;
    this.#latest = undefined;
    this.#number = 0;
    this.#courses.clear();
  }

  freeze(frozen: boolean): void {
    this.#frozen = frozen;
    if (!frozen) {
      this.#shown = this.#latest;
    }
  }

  filter(text: string): void {
    this.#filter = text;
  }

  key(key: Key): boolean {
    const rows = this.#rows();
    const next = moved(key, this.#at, this.#page, rows.length);
    if (next !== undefined) {
      this.#at = within(next, rows.length);
      const row = rows[this.#at];
      this.#selected = row && this.#keyOf(row);
      return true;
    }
    const columns = this.#shown?.message.columns ?? [];
    switch (typeof key === 'string' ? key : character(key)) {
      case 'left':
      case 'right':
        this.#skip = within(this.#skip + (key === 'left' ? -1 : 1), columns.length);
        return true;
      case '<':
      case ',':
        this.#sortBeside(columns, -1);
        return true;
      case '>':
      case '.':
      case 's':
        this.#sortBeside(columns, 1);
        return true;
      case 'r':
        this.#reverse = !this.#reverse;
        return true;
      default:
        return false;
    }
  }

  details(): readonly (readonly [string, string])[] | undefined {
    const row = this.#rows()[this.#at];
    const { columns = [], types = {} } = this.#shown?.message ?? {};
    return row && detailsOf(row, columns, types, this.#context);
  }

  render({ width, height }: Size): Line[] {
    const { message, heading = '' } = this.#shown ?? {};
    if (message === undefined) {
      return [];
    }
    const { style } = this.#context;
    const above: Line[] =
      height >= 8 ? [clip([span([formatTime(message.time, style), heading].join('  ').trimEnd(), 'dim')], width)] : [];
    const rows = this.#rows();
    const rowsHeight = Math.max(1, height - 1 - above.length);
    this.#page = Math.max(1, rowsHeight - 1);
    const followed = this.#selected === undefined ? -1 : rows.findIndex((row) => this.#keyOf(row) === this.#selected);
    this.#at = within(followed >= 0 ? followed : this.#at, rows.length);
    this.#top = scrolled(this.#top, this.#at, rowsHeight, rows.length);
    const visible = rows.slice(this.#top, this.#top + rowsHeight);

    const order = this.#order();
    const sorted = message.columns.find(({ name }) => name === order);
    const trend = this.#number > 1 && width >= trendFrom ? this.#trend(order) : undefined;
    const room = trend ? width - trendWidth - 2 : width;
    const placed = placeColumns(message.columns, visible, style, room, { skip: this.#skip, keep: sorted?.name });
    // Numbers fall and texts rise, unless they are turned round.
    const mark = (sorted?.align === 'right') === this.#reverse ? '▲' : '▼';
    const header = placed.flatMap(({ column, width: own }, i): Span[] => {
      const name = column.name === sorted?.name ? `${column.header}${mark}` : column.header;
      const text = fit(name, own, column.align);
      return [...(i === 0 ? [] : [span(' ')]), span(text, column.name === sorted?.name ? 'sorted' : 'header')];
    });
    const lines = visible.map((row, i): Line => {
      const text = fit(placeCells(placed, row, style).join(' '), room);
      const selected = this.#top + i === this.#at && this.#selected !== undefined;
      const course: Span[] = trend
        ? [span('  '), span(sparkline(this.#course(row, trend.name), trendWidth), 'accent')]
        : [];
      return selected
        ? clip([span(text + course.map((one) => one.text).join(''), 'selected')], width)
        : [span(text), ...course];
    });
    const title = trend
      ? [...clip(header, room), span('  '), span(fit(trend.header, trendWidth, 'right'), 'dim')]
      : header;
    return [...above, clip(title, width), ...lines];
  }

  /** The rows that are let through, in the order that is wanted. */
  #rows(): readonly Row[] {
    const { message } = this.#shown ?? {};
    if (message === undefined) {
      return [];
    }
    const matches = matcher(this.#filter);
    const { style } = this.#context;
    const rows =
      this.#filter === ''
        ? [...message.rows]
        : message.rows.filter((row) => matches(message.columns.map((column) => cell(column, row, style)).join(' ')));
    const by = this.#sort;
    if (by !== undefined) {
      rows.sort((a, b) => compare(b[by], a[by]));
    }
    return this.#reverse ? rows.reverse() : rows;
  }

  /** The field that the rows are in the order of: the one that was asked for, or that the table names, or else a guess. */
  #order(): string | undefined {
    const { columns = [], key = [], rows = [], sort } = this.#shown?.message ?? {};
    const falling = columns.find(
      ({ name }) =>
        !key.includes(name) &&
        rows.length > 1 &&
        rows.every((row, i) => i === 0 || falls(rows[i - 1]?.[name], row[name])),
    );
    return this.#sort ?? sort ?? falling?.name;
  }

  /** The amount whose course is shown: the one that rows are in the order of, or else the first that is added up. */
  #trend(order: string | undefined): { readonly name: string; readonly header: string } | undefined {
    const { columns = [], types = {}, key = [] } = this.#shown?.message ?? {};
    const column = columns.find(({ name }) => name === order);
    if (order !== undefined && !key.includes(order) && (column?.align ?? types[order]?.align) === 'right') {
      return { name: order, header: column?.header ?? order.toUpperCase() };
    }
    return columns.find(({ type }) => type.additive === true);
  }

  #sortBeside(columns: readonly Column[], step: number): void {
    const order = this.#order();
    const at = columns.findIndex(({ name }) => name === order);
    this.#sort = columns[(at + step + columns.length) % columns.length]?.name;
    this.#reverse = false;
  }

  /** What tells the row from others: what the table says does, or else everything that is no amount. */
  #keyOf(row: Row): string {
    const { key, columns = [], types = {} } = this.#shown?.message ?? {};
    const names =
      key ??
      columns
        .map(({ name }) => name)
        .filter((name) => types[name]?.additive !== true && !/^(double|float)$/.test(types[name]?.name ?? ''));
    return keyText(row, names);
  }

  #remember(message: TableMessage): void {
    const before = this.#shown;
    this.#shown = this.#latest;
    for (const row of message.rows) {
      const key = this.#keyOf(row);
      const course = this.#courses.get(key) ?? { tables: [], rows: [] };
      // Last used, last dropped.
      this.#courses.delete(key);
      this.#courses.set(key, course);
      course.tables.push(this.#number);
      course.rows.push(row);
      while ((course.tables[0] ?? 0) <= this.#number - remembered) {
        course.tables.shift();
        course.rows.shift();
      }
    }
    for (const [key, { tables }] of this.#courses) {
      if (this.#courses.size <= mostKeys && (tables.at(-1) ?? 0) > this.#number - remembered) {
        break;
      }
      this.#courses.delete(key);
    }
    this.#shown = before;
  }

  /** Values of a field up to the table that is shown; 0 where the key was not in the table. */
  #course(row: Row, name: string): number[] {
    const { tables, rows } = this.#courses.get(this.#keyOf(row)) ?? { tables: [], rows: [] };
    const end = this.#shown?.number ?? this.#number;
    const values = new Array<number>(Math.min(end, remembered)).fill(0);
    tables.forEach((number, i) => {
      const place = values.length - 1 - (end - number);
      const value = Number(rows[i]?.[name]);
      if (place >= 0 && place < values.length && Number.isFinite(value)) {
        values[place] = value;
      }
    });
    return values;
  }
}

function keyText(row: Row, names: readonly string[]): string {
  return names.map((name) => String(row[name])).join('\0');
}

function falls(before: unknown, after: unknown): boolean {
  return typeof before === 'number' && typeof after === 'number' && before >= after;
}

/** Numbers by size, anything else by its text, from Z to A as numbers fall. */
function compare(a: unknown, b: unknown): number {
  return typeof a === 'number' && typeof b === 'number' ? a - b : String(b ?? '').localeCompare(String(a ?? ''), 'en');
}
