import { cell } from '../model/cell.ts';
import { type Bucket, countOf, percentile } from '../model/histogram.ts';
import type { HistogramMessage, Message } from '../model/message.ts';
import { formatTime } from '../model/time-format.ts';
import { moved, within } from './cursor.ts';
import type { Key } from './key.ts';
import { clip, type Line, type Size, type Span, span, spread, type Tone } from './line.ts';
import { type Hint, matcher, type Pane, type PaneContext } from './pane.ts';
import { fit } from './text-width.ts';

const mostKeys = 64;
const mostIntervals = 400;
const levels = 8;
const shades = ['  ', '··', '░░', '░░', '▒▒', '▒▒', '▓▓', '▓▓', '██'];
const barWidth = 16;

/** The distributions of one key, the latest last. */
interface Course {
  readonly name: string;
  readonly intervals: HistogramMessage[];
}

/** Distributions over time: time goes to the right, values go up, and what was frequent is bright. */
export class HeatPane implements Pane {
  readonly title = 'heat map';
  readonly #context: PaneContext;
  #courses = new Map<string, Course>();
  #frozen: Map<string, Course> | undefined;
  #times: number[] = [];
  #filter = '';
  #at = 0;
  /** Intervals from the latest back to the one that is looked at. */
  #back = 0;

  constructor(context: PaneContext) {
    this.#context = context;
  }

  get used(): boolean {
    return this.#courses.size > 0;
  }

  get summary(): string {
    return `${this.#times.length} interval${this.#times.length === 1 ? '' : 's'}`;
  }

  get hints(): readonly Hint[] {
    return [...(this.#shown().length > 1 ? ([['↑↓', 'which']] as const) : []), ['←→', 'interval']];
  }

  receive(message: Message): void {
    if (message.type !== 'histogram') {
      return;
    }
    if (message.time !== this.#times.at(-1)) {
      this.#times.push(message.time);
      this.#times = this.#times.slice(-mostIntervals);
      if (this.#back > 0) {
        this.#back = Math.min(this.#back + 1, mostIntervals - 1);
      }
    }
    const name = nameOf(message, this.#context);
    const course = this.#courses.get(name) ?? { name, intervals: [] };
    if (!this.#courses.has(name) && this.#courses.size >= mostKeys) {
      return;
    }
    this.#courses.set(name, course);
    course.intervals.push(message);
    const oldest = this.#times[0] as number;
    while ((course.intervals[0]?.time ?? oldest) < oldest) {
      course.intervals.shift();
    }
  }

  reset(): void {
    this.#courses = new Map();
    this.#frozen = undefined;
    this.#times = [];
    this.#back = 0;
  }

  freeze(frozen: boolean): void {
    this.#frozen = frozen
      ? new Map([...this.#courses].map(([name, course]) => [name, { name, intervals: [...course.intervals] }]))
      : undefined;
  }

  filter(text: string): void {
    this.#filter = text;
  }

  key(key: Key): boolean {
    if (key === 'left' || key === 'right') {
      this.#back = within(this.#back + (key === 'left' ? 1 : -1), this.#times.length);
      return true;
    }
    const count = this.#shown().length;
    const next = moved(key, this.#at, 1, count);
    if (next !== undefined) {
      this.#at = within(next, count);
    }
    return next !== undefined;
  }

  render({ width, height }: Size): Line[] {
    const courses = this.#shown();
    const course = courses[within(this.#at, courses.length)];
    if (course === undefined) {
      return [];
    }
    const { style } = this.#context;
    const unit = course.intervals.at(-1)?.unit ?? '';
    const place = courses.length > 1 ? `${within(this.#at, courses.length) + 1} of ${courses.length}` : '';
    const title: Line = [
      span(course.name === '' ? unit : `${course.name}  `, 'strong'),
      ...(course.name === '' ? [] : [span(unit, 'dim')]),
    ];
    const head = spread(title, [span(place, 'dim')], width);

    const everything = sum(course.intervals.flatMap(({ buckets }) => buckets));
    const rowsHeight = Math.max(1, height - 3);
    const rows = merged(everything, rowsHeight);
    const labels = rows.map(({ from, to }) => labelOf(from, to));
    const labelWidth = Math.min(Math.floor(width / 2), Math.max(...labels.map((label) => label.length)));
    const bar = width >= 80 ? barWidth + 2 : 0;
    const cellWidth = width >= 60 ? 2 : 1;
    const times = this.#timesOf(course);
    const columns = times.slice(-Math.max(1, Math.floor((width - labelWidth - 2 - bar) / cellWidth)));
    const byTime = new Map(course.intervals.map((interval) => [interval.time, interval]));
    const counts = columns.map((time) => rows.map((row) => countWithin(byTime.get(time)?.buckets ?? [], row)));
    const most = Math.max(1, ...counts.flat());
    const widest = Math.max(1, ...rows.map(({ count }) => count));
    const looked = columns.length - 1 - Math.min(this.#back, columns.length - 1);

    // Few buckets on a high screen are drawn higher.
    const rowHeight = Math.max(1, Math.min(3, Math.floor(rowsHeight / rows.length)));
    const lines = rows
      .flatMap((row, r): Line[] => {
        const cells = columns.map(
          (_, c): Span => this.#cell(counts[c]?.[r] ?? 0, most, cellWidth, c === looked && this.#back > 0),
        );
        const padding = ' '.repeat(Math.max(0, width - labelWidth - 2 - bar - columns.length * cellWidth));
        return Array.from({ length: rowHeight }, (_, i): Line => {
          const label = i === Math.floor(rowHeight / 2) ? (labels[r] ?? '') : '';
          const bars: Span[] = bar === 0 ? [] : [span('  '), ...barOf(row.count / widest)];
          return [
            span(fit(label, labelWidth, 'right'), 'dim'),
            span(' ▏', 'dim'),
            ...grouped(cells),
            span(padding),
            ...bars,
          ];
        });
      })
      .reverse();
    const blank = Array.from({ length: Math.max(0, rowsHeight - lines.length) }, (): Line => []);
    const time = columns[looked];
    const interval = time === undefined ? undefined : byTime.get(time);
    const axis = [
      span(`${' '.repeat(labelWidth)} └`, 'dim'),
      span(columns.length > 0 ? formatTime(columns[0] as number, style) : '', 'dim'),
    ];
    const latest = columns.at(-1);
    return [
      head,
      ...blank,
      ...lines.map((line) => clip(line, width)),
      clip(
        latest === undefined || columns.length * cellWidth < 20
          ? axis
          : [...spread(axis, [span(formatTime(latest, style), 'dim')], labelWidth + 2 + columns.length * cellWidth)],
        width,
      ),
      clip(infoOf(interval, time, unit, this.#context), width),
    ];
  }

  #cell(count: number, most: number, width: number, looked: boolean): Span {
    // By the logarithm: rare values are what one looks for.
    const level = count === 0 ? 0 : Math.max(1, Math.ceil((Math.log(count + 1) / Math.log(most + 1)) * levels));
    const shade = this.#context.colours ? '  ' : (shades[level] as string);
    const text = (looked && level === 0 ? '┊ ' : shade).slice(0, width);
    return span(text, looked && !this.#context.colours ? 'selected' : (`heat${level}` as Tone));
  }

  #timesOf(course: Course): readonly number[] {
    const last = course.intervals.at(-1)?.time ?? 0;
    return this.#frozen === undefined ? this.#times : this.#times.filter((time) => time <= last);
  }

  #shown(): Course[] {
    const matches = matcher(this.#filter);
    return [...(this.#frozen ?? this.#courses).values()]
      .filter(({ name }) => matches(name))
      .sort((a, b) => total(b) - total(a) || (a.name < b.name ? -1 : 1));
  }
}

function total({ intervals }: Course): number {
  return intervals.reduce((all, { count }) => all + count, 0);
}

function nameOf(message: HistogramMessage, { style }: PaneContext): string {
  return message.columns
    .map((column) => `${column.header.toLowerCase()} = ${cell(column, message.key, style)}`)
    .join(', ');
}

function labelOf(from: number, to: number): string {
  return from === to ? short(from) : `${short(from)}..${short(to)}`;
}

/** Bounds are powers of two, or near them: '1023', '64K', '1M'. */
function short(value: number): string {
  const units = ['', 'K', 'M', 'G', 'T', 'P'];
  let size = value;
  let unit = 0;
  while (size >= 8192 && unit < units.length - 1) {
    size /= 1024;
    unit++;
  }
  return `${Math.round(size)}${units[unit]}`;
}

/** Counts by bucket, the lowest first. */
function sum(buckets: readonly Bucket[]): Bucket[] {
  const all = new Map<number, Bucket>();
  for (const { from, to, count } of buckets) {
    all.set(from, { from, to, count: (all.get(from)?.count ?? 0) + count });
  }
  const sorted = [...all.values()].sort((a, b) => a.from - b.from);
  const first = sorted.findIndex(({ count }) => count > 0);
  return first < 0 ? sorted.slice(0, 1) : sorted.slice(first, sorted.findLastIndex(({ count }) => count > 0) + 1);
}

/** Neighbours together, until there are no more than `height`. */
function merged(buckets: readonly Bucket[], height: number): Bucket[] {
  const together = Math.max(1, Math.ceil(buckets.length / height));
  const rows: Bucket[] = [];
  for (let i = 0; i < buckets.length; i += together) {
    const part = buckets.slice(i, i + together);
    rows.push({ from: part[0]?.from ?? 0, to: part.at(-1)?.to ?? 0, count: countOf(part) });
  }
  return rows;
}

function countWithin(buckets: readonly Bucket[], { from, to }: Bucket): number {
  return countOf(buckets.filter((bucket) => bucket.from >= from && bucket.to <= to));
}

function barOf(share: number): Span[] {
  const filled = Math.max(share > 0 ? 1 : 0, Math.round(share * barWidth));
  return [span('▆'.repeat(filled), 'accent'), span(' '.repeat(barWidth - filled))];
}

/** Cells of one tone together: fewer changes of colour to write. */
function grouped(cells: readonly Span[]): Span[] {
  const spans: Span[] = [];
  for (const one of cells) {
    const last = spans.at(-1);
    if (last !== undefined && last.tone === one.tone) {
      spans[spans.length - 1] = { ...last, text: last.text + one.text };
    } else {
      spans.push(one);
    }
  }
  return spans;
}

function infoOf(
  interval: HistogramMessage | undefined,
  time: number | undefined,
  unit: string,
  { style }: PaneContext,
): Line {
  if (time === undefined) {
    return [];
  }
  const when = span(`${formatTime(time, style)}  `, 'dim');
  if (interval === undefined || interval.count === 0) {
    return [when, span('nothing', 'dim')];
  }
  const at = (share: number) => percentile(interval.buckets, share).toLocaleString('en');
  const average = Math.round(interval.total / interval.count).toLocaleString('en');
  return [
    when,
    span(interval.count.toLocaleString('en'), 'strong'),
    span(' values  ', 'dim'),
    ...[
      ['avg', average],
      ['p50', at(0.5)],
      ['p90', at(0.9)],
      ['p99', at(0.99)],
    ].flatMap(([name, value]): Span[] => [span(`${name} `, 'dim'), span(`${value}  `)]),
    span(unit, 'dim'),
  ];
}
