import type { Message } from '../model/message.ts';
import type { Playback } from '../model/playback.ts';
import type { TextStyle } from '../model/types.ts';
import { EventPane } from './event-pane.ts';
import { HeatPane } from './heat-pane.ts';
import { character, type Key } from './key.ts';
import { clip, type Line, lineWidth, type Size, type Span, span, spread } from './line.ts';
import type { Hint, Pane, PaneContext } from './pane.ts';
import { clipRight, clock, hintSpans, speedText, wrapped } from './screen-text.ts';
import { TablePane } from './table-pane.ts';
import { fit } from './text-width.ts';
import { TreePane } from './tree-pane.ts';

export interface ScreenOptions {
  /** What the command is called. */
  readonly name: string;
  readonly style: TextStyle;
  /** Whether heat is shown by colour. */
  readonly colours: boolean;
  /** How a recording is steered; what is live cannot be. */
  readonly playback?: Playback;
  /** A clock in milliseconds. */
  readonly now?: () => number;
}

/** What a key asks for beyond a change of what is shown. */
export type Request = 'quit' | 'suspend' | 'repaint' | undefined;

const seekStep = 10_000_000;
/** How long a notice is shown. */
const noticeTime = 15_000;
const longestFilter = 200;

/**
 * Everything that a view shows, and what keys do to it. It consumes the messages that text and JSON are made of, knows
 * no tool, and does no input or output: its lines are made on demand, for any size.
 */
export class Screen {
  readonly #options: ScreenOptions;
  readonly #now: () => number;
  readonly #panes: readonly Pane[];
  readonly #start: number;
  #name: string;
  #activity = '';
  #chosen: Pane | undefined;
  #paused = false;
  #ended = false;
  #filter = '';
  #typing = false;
  #overlay: 'help' | 'details' | undefined;
  #lost = new Map<string, number>();
  #warnings: string[] = [];
  #warned = Number.NEGATIVE_INFINITY;

  constructor(options: ScreenOptions) {
    this.#options = options;
    this.#name = options.name;
    this.#now = options.now ?? (() => performance.now());
    this.#start = this.#now();
    const context: PaneContext = { style: options.style, colours: options.colours };
    this.#panes = [new TablePane(context), new HeatPane(context), new TreePane(), new EventPane(context)];
  }

  receive(message: Message): void {
    switch (message.type) {
      case 'ready':
        this.#options.style.firstTime = message.time;
        this.#activity = message.activity;
        this.#name = this.#options.playback === undefined ? this.#name : message.tool;
        break;
      case 'lost':
        this.#lost.set(message.what, message.total);
        return;
      case 'warning':
        this.#warnings = [
          ...this.#warnings,
          message.hint === undefined ? message.text : `${message.text} (${message.hint})`,
        ].slice(-20);
        this.#warned = this.#now();
        return;
      default:
    }
    for (const pane of this.#panes) {
      pane.receive(message);
    }
  }

  /** The recording starts again. */
  rewound(): void {
    for (const pane of this.#panes) {
      pane.reset();
    }
    this.#lost.clear();
    this.#warnings = [];
    this.#ended = false;
  }

  /** Nothing more will come. */
  end(): void {
    this.#ended = true;
  }

  /** Whether the screen changes by itself as time goes by. */
  get ticks(): boolean {
    return !this.#ended && !this.#paused;
  }

  key(key: Key): Request {
    if (key === 'ctrl-c') {
      return 'quit';
    }
    if (key === 'ctrl-z') {
      return 'suspend';
    }
    if (key === 'ctrl-l') {
      return 'repaint';
    }
    if (this.#typing) {
      this.#type(key);
      return undefined;
    }
    if (this.#overlay !== undefined) {
      this.#overlay = undefined;
      return key !== 'escape' && character(key) === 'q' ? 'quit' : undefined;
    }
    const typed = character(key);
    switch (typed) {
      case 'q':
        return 'quit';
      case ' ':
      case 'p':
        this.#pause();
        return undefined;
      case '/':
        this.#typing = true;
        return undefined;
      case '?':
        this.#overlay = 'help';
        return undefined;
      default:
    }
    if (key === 'tab') {
      this.#turn();
      return undefined;
    }
    if (key === 'escape') {
      this.#setFilter('');
      return undefined;
    }
    if (this.#steer(typed) || this.#pane().key(key)) {
      return undefined;
    }
    if (key === 'enter' && this.#pane().details?.() !== undefined) {
      this.#overlay = 'details';
    }
    return undefined;
  }

  /** The whole screen: exactly `height` lines of exactly `width` columns. */
  render({ width, height }: Size): Line[] {
    const pane = this.#pane();
    const title = this.#title(pane, width);
    const tabs = this.#tabs(pane, width, height);
    const notices = this.#notices(width);
    const help = this.#typing ? this.#prompt(width) : this.#helpLine(pane, width);
    const room = Math.max(1, height - 2 - tabs.length - notices.length);
    const body =
      this.#overlay === undefined
        ? this.#body(pane, { width, height: room })
        : this.#overlaid(pane, { width, height: room });
    const filled = [...body.slice(0, room)];
    while (filled.length < room) {
      filled.push([]);
    }
    // On a screen of a few lines, what is above counts more than what is below.
    return [title, ...tabs, ...filled, ...notices, help].slice(0, height).map((line) => clip(line, width));
  }

  #pane(): Pane {
    const [first] = this.#panes.filter(({ used }) => used);
    return this.#chosen ?? first ?? (this.#panes.at(-1) as Pane);
  }

  #body(pane: Pane, size: Size): Line[] {
    const lines = pane.used ? pane.render(size) : [];
    if (lines.length > 0 && pane.used) {
      return lines;
    }
    const text = this.#ended ? 'nothing came' : 'waiting for data…';
    const above = Array.from({ length: Math.floor((size.height - 1) / 2) }, (): Line => []);
    const indent = ' '.repeat(Math.max(0, Math.floor((size.width - text.length) / 2)));
    return [...above, [span(`${indent}${text}`, 'dim')]];
  }

  #title(pane: Pane, width: number): Line {
    const name = this.#name;
    const left: Line = [span(name, 'title'), span(`  ${this.#activity}`, 'dim')];
    const right: Line = [
      ...(pane.used ? [span(`${pane.summary}  `, 'dim')] : []),
      ...this.#state(),
      span(`  ${clock(this.#elapsed())}`),
    ];
    const room = width - lineWidth(right) - 1;
    return room < name.length
      ? clip([span(name, 'title'), span('  '), ...this.#state()], width)
      : spread(clipRight(left, room), right, width);
  }

  #state(): Span[] {
    const playback = this.#options.playback?.state;
    if (this.#ended) {
      return [span('■ ended', 'dim')];
    }
    if (playback?.paused === true || this.#paused) {
      return [span('❚❚ paused', 'warning')];
    }
    return playback?.timed === true ? [span(`▶ ${speedText(playback.speed)}`, 'good')] : [span('● live', 'good')];
  }

  #elapsed(): number {
    const { playback } = this.#options;
    return playback?.state.timed === true ? playback.state.position / 1000 : this.#now() - this.#start;
  }

  /** The panes to choose from, and the filter; nothing where there is nothing to say, or no room. */
  #tabs(pane: Pane, width: number, height: number): Line[] {
    const used = this.#panes.filter((one) => one.used);
    const filter = this.#filter === '' || this.#typing ? [] : [span('filter ', 'dim'), span(this.#filter, 'warning')];
    if ((used.length < 2 && filter.length === 0) || height < 8) {
      return [];
    }
    const tabs =
      used.length < 2
        ? []
        : used.flatMap((one) => [span(` ${one.title} `, one === pane ? 'selected' : 'dim'), span(' ')]);
    return [spread(tabs, filter, width)];
  }

  #notices(width: number): Line[] {
    const lost = Array.from(this.#lost, ([what, count]) => `lost ${count.toLocaleString('en')} ${what}`);
    const fresh = this.#now() - this.#warned < noticeTime || this.#ended ? this.#warnings.at(-1) : undefined;
    const older = this.#warnings.length > 0 && fresh === undefined ? `${this.#warnings.length} warnings: ?` : undefined;
    const line: Line = [
      ...(lost.length > 0 ? [span(` ${lost.join(', ')} `, 'bad'), span(' ')] : []),
      ...(fresh !== undefined ? [span(fresh, 'warning')] : []),
      ...(older !== undefined ? [span(older, 'dim')] : []),
    ];
    return line.length === 0 ? [] : [clip(line, width)];
  }

  #hints(pane: Pane): Hint[] {
    const { playback } = this.#options;
    return [
      ['q', 'quit'],
      ['space', this.#isPaused ? 'go on' : 'pause'],
      ['/', 'filter'],
      ...(this.#panes.filter(({ used }) => used).length > 1 ? ([['tab', 'next']] as const) : []),
      ...(playback?.state.timed === true
        ? ([
            ['n', 'step'],
            ['+-', 'speed'],
            ['[]', '10 s back, forth'],
          ] as const)
        : []),
      ...(pane.used ? pane.hints : []),
      ['?', 'help'],
    ];
  }

  #helpLine(pane: Pane, width: number): Line {
    const shown: Span[] = [];
    let used = 0;
    // What has no room is left out, from the right; the key to see all of them stays.
    const hints = this.#hints(pane);
    const last = hints.pop() as Hint;
    const lastWidth = lineWidth(hintSpans(last));
    for (const hint of hints) {
      const spans = hintSpans(hint);
      const own = lineWidth(spans) + 2;
      if (used + own + lastWidth > width) {
        break;
      }
      shown.push(...spans, span('  '));
      used += own;
    }
    return clip([...shown, ...hintSpans(last)], width);
  }

  #prompt(width: number): Line {
    const hint: Line = [span('enter', 'key'), span(' keep  ', 'dim'), span('esc', 'key'), span(' clear', 'dim')];
    const room = Math.max(4, width - lineWidth(hint) - 2);
    const text = this.#filter.length > room - 2 ? `…${this.#filter.slice(-(room - 3))}` : this.#filter;
    return spread([span('/', 'key'), span(text), span(' ', 'selected')], hint, width);
  }

  #overlaid(pane: Pane, { width, height }: Size): Line[] {
    const help: readonly (readonly [string, string])[] = [
      ...this.#hints(pane).filter(([key]) => key !== '?'),
      ['k j g G', 'up, down, first, last'],
      ['ctrl-l', 'paint the screen anew'],
      ['ctrl-z', 'suspend'],
    ];
    const entries = this.#overlay === 'details' ? (pane.details?.() ?? []) : help;
    const names = Math.min(Math.floor(width / 3), Math.max(4, ...entries.map(([name]) => name.length)));
    const room = Math.max(8, width - names - 4);
    const lines = entries.flatMap(([name, text]): Line[] =>
      wrapped(text, room).map((part, i) => [
        span('  '),
        span(fit(i === 0 ? name : '', names), this.#overlay === 'details' ? 'accent' : 'key'),
        span(`  ${part}`),
      ]),
    );
    const warnings = this.#overlay === 'help' ? this.#warnings.flatMap((text) => wrapped(text, width - 4)) : [];
    return [
      [span(this.#overlay === 'details' ? '  DETAILS' : '  KEYS', 'header'), span('  any key closes', 'dim')],
      [],
      ...lines,
      ...(warnings.length > 0
        ? [[], [span('  WARNINGS', 'header')], ...warnings.map((text): Line => [span(`  ${text}`)])]
        : []),
    ].slice(0, height);
  }

  get #isPaused(): boolean {
    return this.#options.playback?.state.paused ?? this.#paused;
  }

  #pause(): void {
    const { playback } = this.#options;
    if (playback !== undefined) {
      playback.pause(!playback.state.paused);
      return;
    }
    this.#paused = !this.#paused;
    for (const pane of this.#panes) {
      pane.freeze(this.#paused);
    }
  }

  #steer(typed: string | undefined): boolean {
    const { playback } = this.#options;
    if (playback?.state.timed !== true) {
      return false;
    }
    const { speed } = playback.state;
    switch (typed) {
      case 'n':
        playback.pause(true);
        playback.step();
        return true;
      case '+':
      case '=':
        playback.setSpeed(speed * 2);
        return true;
      case '-':
        playback.setSpeed(speed / 2);
        return true;
      case '[':
        playback.seek(-seekStep);
        return true;
      case ']':
        playback.seek(seekStep);
        return true;
      default:
        return false;
    }
  }

  #turn(): void {
    const used = this.#panes.filter((pane) => pane.used);
    this.#chosen = used[(used.indexOf(this.#pane()) + 1) % Math.max(1, used.length)];
  }

  #type(key: Key): void {
    const typed = character(key);
    if (key === 'enter') {
      this.#typing = false;
    } else if (key === 'escape') {
      this.#typing = false;
      this.#setFilter('');
    } else if (key === 'backspace') {
      this.#setFilter([...this.#filter].slice(0, -1).join(''));
    } else if (typed !== undefined) {
      this.#setFilter((this.#filter + typed).slice(0, longestFilter));
    }
  }

  #setFilter(filter: string): void {
    this.#filter = filter;
    for (const pane of this.#panes) {
      pane.filter(filter);
    }
  }
}
