import { KscopeError } from '../model/errors.ts';
import { choice, flag, integer, lettered, list, type Option, text } from './options.ts';

type Details = Omit<Option<number | undefined, never>, 'flags' | 'summary' | 'parse'>;

const common = { group: 'common' } as const;
const output = { group: 'output' } as const;

/** Accepted by every tool, whatever its shape. Most of their values are for whoever runs the tool, not for the tool. */
export const commonOptions = {
  json: flag('--json', 'print one JSON object a line', output),
  view: flag('--view', 'show a live view on the terminal instead of lines', { ...output, conflicts: ['json'] }),
  record: text('--record <FILE>', "also write everything to FILE, to be played by 'kscope view'", {
    ...output,
    completes: 'file',
  }),
  fields: list('--fields <FIELDS>', 'print only these fields, in this order', fieldName, output),
  time: choice('--time <FORMAT>', 'how times are written', ['clock', 'rfc3339', 'unix', 'relative'], output),
  utc: flag('--utc', 'write times in UTC', output),
  duration: seconds('--duration <SECONDS>', 'end after this time', common),
  bufferSize: bytes('--buffer-size <BYTES>', 'size of the event buffer; K, M and G are understood', common),
  stats: flag('--stats', 'say at the end what tracing cost: program runs, CPU time, maps, buffers', common),
  statsInterval: seconds('--stats-interval <SECONDS>', 'also say what tracing costs while it runs, this often', common),
  readyFd: integer('--ready-fd <NUMBER>', "say 'ready' on this descriptor when all hooks are attached", {
    ...common,
    min: 3,
    max: 65_535,
  }),
  btf: text('--btf <FILE>', 'BTF of the running kernel, if it does not carry it', { ...common, completes: 'file' }),
  verbose: flag('-v, --verbose', 'say which hooks were chosen and why, and show logs with errors', common),
};

/** Of tools whose rows people put into spreadsheets. */
export const csvOption = flag('--csv', 'print comma-separated values', { ...output, conflicts: ['json'] });

/** A length of time in seconds, decimals allowed; the value is in seconds. */
export function seconds(flags: string, summary: string, details: Details = {}): Option<number | undefined, never> {
  return { flags, summary, parse: parseSeconds, ...details };
}

const PAGE = 4096;

/** The size of the event buffer by bcc's measure, for tools that have such an option there; its key is bufferPages. */
export function bufferPages(flags: string) {
  return integer(flags, `size of the event buffer in pages of ${PAGE} bytes`, {
    ...common,
    min: 1,
    max: 2 ** 18,
    conflicts: ['bufferSize'],
  });
}

/** What was asked for by that option, in bytes. */
export function bufferPagesSize(values: { readonly bufferPages?: unknown }): number | undefined {
  return typeof values.bufferPages === 'number' ? values.bufferPages * PAGE : undefined;
}

/** With the letter that bcc has for it in some tools. */
export const durationOption = lettered(commonOptions.duration, 'd');

/** `[duration]`: bcc's custom in tools that print what happens, or all at the end. */
export const runTime = { seconds: seconds('[duration]', 'seconds to trace') };

/** Reads a length of time in seconds, decimals allowed. @throws KscopeError usage */
export function parseSeconds(given: string): number {
  const value = /^\d+(\.\d+)?$/.test(given) ? Number(given) : Number.NaN;
  if (!(value > 0 && value <= 1e8)) {
    throw new KscopeError('usage', `'${given}' is not a number of seconds above 0`);
  }
  return value;
}

function bytes(flags: string, summary: string, details: Details): Option<number | undefined, never> {
  return { flags, summary, parse: parseBytes, ...details };
}

function parseBytes(given: string): number {
  const match = /^(\d+)([kmg]?)$/i.exec(given);
  const unit = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 }[(match?.[2] ?? '').toLowerCase()] ?? 1;
  const value = Number(match?.[1]) * unit;
  if (!(value >= 4096 && value <= 2 ** 30)) {
    throw new KscopeError('usage', `'${given}' is not a size from 4K to 1G`);
  }
  return value;
}

function fieldName(given: string): string {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(given)) {
    throw new KscopeError('usage', `'${given}' is not a field name`);
  }
  return given;
}
