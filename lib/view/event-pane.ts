import { cell } from '../model/cell.ts';
import type { Column, FieldTypes, Message, Row } from '../model/message.ts';
import { firstNotBefore } from '../model/sorted.ts';
import { renderText } from '../model/types.ts';
import { placeCells, placeColumns } from './columns-layout.ts';
import { moved, scrolled, within } from './cursor.ts';
import type { Key } from './key.ts';
import { clip, type Line, type Size, span } from './line.ts';
import { type Hint, matcher, type Pane, type PaneContext } from './pane.ts';
import { fit } from './text-width.ts';

/** Events that are kept to be looked at. */
const kept = 10_000;

/** The events that a pane looks at: the last ones, each with a number that stays its own. */
class EventLog {
  rows: Row[] = [];
  /** Number of the first that is kept. */
  first = 0;

  get end(): number {
    return this.first + this.rows.length;
  }

  add(rows: readonly Row[]): void {
    // One by one: a batch may have more rows than a call takes arguments.
    for (const row of rows) {
      this.rows.push(row);
    }
    // Dropped in large parts: taking away the first of an array moves all others.
    if (this.rows.length > 2 * kept) {
      const dropped = this.rows.length - kept;
      this.rows = this.rows.slice(dropped);
      this.first += dropped;
    }
  }

  copy(): EventLog {
    const copy = new EventLog();
    copy.rows = this.rows.slice();
    copy.first = this.first;
    return copy;
  }
}

/** Events as a list that grows at its end: it is followed until somebody moves up in it. */
export class EventPane implements Pane {
  readonly title = 'events';
  readonly #context: PaneContext;
  #columns: readonly Column[] = [];
  #types: FieldTypes = {};
  #log = new EventLog();
  #frozen: EventLog | undefined;
  #filter = '';
  /** Numbers of the events that the filter lets through, of those before `#filtered`. */
  #matching: number[] = [];
  #filtered = 0;
  /** Number of the selected event; undefined follows the newest. */
  #selected: number | undefined;
  #top = 0;
  #page = 1;
  #skip = 0;

  constructor(context: PaneContext) {
    this.#context = context;
  }

  get used(): boolean {
    return this.#columns.length > 0 || this.#log.end > 0;
  }

  get summary(): string {
    return `${this.#log.end.toLocaleString('en')} event${this.#log.end === 1 ? '' : 's'}`;
  }

  get hints(): readonly Hint[] {
    return [
      ['↑↓', 'move'],
      ['←→', 'columns'],
      ['enter', 'details'],
      ['G', this.#selected === undefined ? 'following' : 'follow'],
    ];
  }

  receive(message: Message): void {
    if (message.type === 'ready') {
      this.#columns = message.columns;
      this.#types = {
        ...Object.fromEntries(message.columns.map(({ name, type }) => [name, type])),
        ...message.types,
      };
    } else if (message.type === 'events') {
      this.#log.add(message.rows);
    }
  }

  reset(): void {
    this.#log = new EventLog();
    this.#frozen = undefined;
    this.#selected = undefined;
    this.#refilter();
  }

  freeze(frozen: boolean): void {
    this.#frozen = frozen ? this.#log.copy() : undefined;
    this.#refilter();
  }

  filter(text: string): void {
    this.#filter = text;
    this.#refilter();
  }

  key(key: Key): boolean {
    const shown = this.#shown();
    const last = shown.length - 1;
    const at = this.#selected === undefined ? last : this.#place(shown, this.#selected);
    const next = moved(key, at, this.#page, shown.length);
    if (next !== undefined) {
      const place = within(next, shown.length);
      this.#selected = place >= last && next >= at ? undefined : shown[place];
      return true;
    }
    if (key === 'left' || key === 'right') {
      this.#skip = within(this.#skip + (key === 'left' ? -1 : 1), this.#columns.length);
      return true;
    }
    return false;
  }

  details(): readonly (readonly [string, string])[] | undefined {
    const shown = this.#shown();
    const row = this.#row(this.#selected ?? shown.at(-1));
    return row && detailsOf(row, this.#columns, this.#types, this.#context);
  }

  render({ width, height }: Size): Line[] {
    const shown = this.#shown();
    const rowsHeight = Math.max(1, height - 1);
    this.#page = Math.max(1, rowsHeight - 1);
    const at = this.#selected === undefined ? shown.length - 1 : this.#place(shown, this.#selected);
    this.#top =
      this.#selected === undefined
        ? Math.max(0, shown.length - rowsHeight)
        : scrolled(this.#top, at, rowsHeight, shown.length);
    const visible = shown.slice(this.#top, this.#top + rowsHeight);
    const rows = visible.map((number) => this.#row(number) ?? {});
    const { style } = this.#context;
    const placed = placeColumns(this.#columns, rows, style, width, { skip: this.#skip });
    const header = placed.map(({ column, width: room }) => fit(column.header, room, column.align)).join(' ');
    return [
      clip([span(header, 'header')], width),
      ...rows.map((row, i): Line => {
        const text = fit(placeCells(placed, row, style).join(' '), width);
        return [visible[i] === this.#selected ? span(text, 'selected') : span(text)];
      }),
    ];
  }

  get #events(): EventLog {
    return this.#frozen ?? this.#log;
  }

  #row(number: number | undefined): Row | undefined {
    return number === undefined ? undefined : this.#events.rows[number - this.#events.first];
  }

  #refilter(): void {
    this.#matching = [];
    this.#filtered = 0;
  }

  /** Numbers of the events that are let through. */
  #shown(): readonly number[] {
    const { rows, first, end } = this.#events;
    const start = Math.max(first, end - kept);
    const matches = matcher(this.#filter);
    for (let number = Math.max(this.#filtered, start); number < end; number++) {
      if (this.#filter === '' || matches(this.#line(rows[number - first] as Row))) {
        this.#matching.push(number);
      }
    }
    this.#filtered = end;
    const gone = this.#matching.findIndex((number) => number >= start);
    if (gone !== 0) {
      this.#matching = gone < 0 ? [] : this.#matching.slice(gone);
    }
    return this.#matching;
  }

  #line(row: Row): string {
    return this.#columns.map((column) => cell(column, row, this.#context.style)).join(' ');
  }

  /** Where the event is in the list, or the one after it when it is not there any more. */
  #place(shown: readonly number[], number: number): number {
    const at = firstNotBefore(shown.length, (index) => (shown[index] as number) < number);
    return within(at, shown.length);
  }
}

/** Everything that is known of a row: what columns show, then the other fields. */
export function detailsOf(
  row: Row,
  columns: readonly Column[],
  types: FieldTypes,
  { style }: PaneContext,
): (readonly [string, string])[] {
  const shown = new Set(columns.map(({ name }) => name));
  return [
    ...columns.map((column) => [column.name, cell(column, row, style)] as const),
    ...Object.entries(types)
      .filter(([name]) => !shown.has(name) && row[name] !== undefined)
      .map(([name, type]) => [name, renderText(type, row[name], style)] as const),
  ];
}
