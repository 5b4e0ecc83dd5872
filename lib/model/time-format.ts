/** How times are written in text; JSON always carries RFC 3339. */
export type TimeFormat = 'clock' | 'rfc3339' | 'unix' | 'relative';

export interface TimeStyle {
  readonly time: TimeFormat;
  /** UTC instead of the local time zone. */
  readonly utc: boolean;
  /** Instant that `relative` counts from; set by whoever sees the first event. */
  firstTime?: number | undefined;
}

/** The part of a written time that is the same for a whole second. */
interface Second {
  second: number;
  clock: string;
  date: string;
  offset: string;
}

// Events come in order, so remembering one second for each zone is enough; a new second costs about a microsecond.
const local: Second = { second: Number.NaN, clock: '', date: '', offset: '' };
const universal: Second = { second: Number.NaN, clock: '', date: '', offset: '' };

function secondOf(second: number, utc: boolean): Second {
  const cached = utc ? universal : local;
  if (cached.second !== second) {
    const date = new Date(second * 1000);
    const minutes = utc ? 0 : -date.getTimezoneOffset();
    const shifted = new Date(second * 1000 + minutes * 60_000);
    const iso = Number.isNaN(shifted.getTime()) ? '1970-01-01T00:00:00.000Z' : shifted.toISOString();
    const dot = iso.lastIndexOf('.');
    cached.second = second;
    cached.date = iso.slice(0, dot);
    cached.clock = iso.slice(dot - 8, dot);
    cached.offset = utc ? 'Z' : writeOffset(minutes);
  }
  return cached;
}

function writeOffset(minutes: number): string {
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

function two(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}

function six(micros: number): string {
  return String(1_000_000 + micros).slice(1);
}

/** RFC 3339 with microseconds: '2025-11-21T06:14:03.123456+01:00', or with 'Z' for UTC. `instant` is in µs since 1970. */
export function rfc3339(instant: number, utc = false): string {
  const whole = Math.floor(instant);
  const second = Math.floor(whole / 1_000_000);
  const { date, offset } = secondOf(second, utc);
  return `${date}.${six(whole - second * 1_000_000)}${offset}`;
}

/** An instant (µs since 1970) as `--time` and `--utc` ask for it. */
export function formatTime(instant: number, style: TimeStyle): string {
  switch (style.time) {
    case 'clock':
      return secondOf(Math.floor(instant / 1_000_000), style.utc).clock;
    case 'rfc3339':
      return rfc3339(instant, style.utc);
    case 'unix':
      return seconds(instant);
    case 'relative':
      return seconds(instant - (style.firstTime ?? instant));
  }
}

/** Microseconds as seconds with six decimals, without the rounding of a division. */
function seconds(micros: number): string {
  const size = Math.floor(Math.abs(micros));
  const whole = Math.floor(size / 1_000_000);
  return `${micros < 0 ? '-' : ''}${whole}.${six(size - whole * 1_000_000)}`;
}

/** Columns that `formatTime` takes. */
export function timeWidth(style: TimeStyle): number {
  switch (style.time) {
    case 'clock':
      return 8;
    case 'rfc3339':
      return style.utc ? 27 : 32;
    case 'unix':
      return 17;
    case 'relative':
      return 11;
  }
}
