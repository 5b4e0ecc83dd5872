import { KscopeError } from './errors.ts';
import { escapeBytes, escapeTerminated, escapeText, terminator, unescapeText } from './escape.ts';
import { formatIp, formatIp4, formatIp6, parseIp, parseIp4, parseIp6 } from './ip.ts';
import type { JsonSchema, JsonValue } from './json.ts';
import { errorName, signalName } from './kernel-names.ts';
import { syscallName } from './syscalls.ts';
import { formatTime, rfc3339, type TimeStyle, timeWidth } from './time-format.ts';

/** What text renderings depend on. */
export type TextStyle = TimeStyle;

/** Microseconds since the Unix epoch, a whole number. */
export type Instant = number;

/** What decoding depends on; the owner of the records refreshes it once for each batch. */
export interface DecodeContext {
  /** Microseconds to add to a boot-time clock reading to get an `Instant`. */
  bootToEpochMicros: number;
}

/**
 * How bytes become the value. `to` may return undefined only for a type that is `optional`; `back` is its inverse, for
 * map keys and constants, and throws KscopeError for a value that has no bytes.
 *
 * - number: an integer of up to 64 bits as a number; from 2^53 on the nearest one that a number can hold.
 * - bigint: an integer of up to 64 bits, exact.
 * - words: the same as two unsigned halves, for exact conversions that need no bigint.
 * - bytes: bytes[start, end) in memory order. `sizes` are the lengths allowed (any when absent). A `variable` one may
 *   be the last member of a record and then end where the record ends.
 */
export type Decoding<V = unknown> =
  | {
      readonly from: 'number';
      to?(raw: number, context: DecodeContext): V | undefined;
      back?(value: V | undefined, context: DecodeContext): number;
    }
  | {
      readonly from: 'bigint';
      to?(raw: bigint): V | undefined;
      back?(value: V | undefined): bigint;
    }
  | {
      readonly from: 'words';
      to(low: number, high: number): V | undefined;
      back(value: V | undefined): bigint;
    }
  | {
      readonly from: 'bytes';
      readonly sizes?: readonly number[];
      readonly variable?: boolean;
      to(bytes: Uint8Array, start: number, end: number): V | undefined;
      back(value: V | undefined, size: number): Uint8Array;
    };

/** Everything the toolkit knows about one kind of value. `V` excludes undefined, also for optional types. */
export interface SemanticType<V = unknown> {
  /** The typedef's name, or 'u32', 'bool', 'enum NAME' … for a member whose type has no meaning of its own. */
  readonly name: string;
  /** What it is, as a noun phrase: 'process id'. */
  readonly help: string;
  /** The TypeScript type of a present value. */
  readonly typescript: string;
  readonly schema: JsonSchema;
  /** Usual width of a text column. */
  readonly width: number;
  /** Width of a text column where that depends on the style. */
  widthIn?(style: TextStyle): number;
  readonly align: 'left' | 'right';
  /** The value may be undefined: left out of JSON, '-' in text. */
  readonly optional: boolean;
  /** Counts and amounts, of which a sum makes sense: they grow in the kernel and are read as differences. */
  readonly additive?: boolean;
  readonly decode: Decoding<V>;
  /** Safe to print; the caller deals with undefined (`renderText`). */
  text(value: V, style: TextStyle): string;
  /** The value in JSON; the value itself when absent. `utc` only matters to times. */
  json?(value: V, utc?: boolean): JsonValue;
}

/** Text of a value that may be absent. */
export function renderText(type: SemanticType, value: unknown, style: TextStyle): string {
  return value === undefined ? '-' : type.text(value, style);
}

/** JSON of a value that may be absent (then undefined, which JSON.stringify leaves out). */
export function renderJson(type: SemanticType, value: unknown, utc = false): JsonValue | undefined {
  return value === undefined || type.json === undefined ? (value as JsonValue | undefined) : type.json(value, utc);
}

/** Columns a value of this type usually takes in text. */
export function widthOf(type: SemanticType, style: TextStyle): number {
  return type.widthIn?.(style) ?? type.width;
}

const asIs = (value: unknown): string => String(value);
const natural: JsonSchema = { type: 'integer', minimum: 0 };

function noValue(type: string, value: unknown): KscopeError {
  return new KscopeError('failed', `'${escapeText(String(value))}' is not a valid ${type}`);
}

function count(
  name: string,
  help: string,
  width: number,
  text: (value: number) => string = asIs,
): SemanticType<number> {
  return {
    name,
    help,
    typescript: 'number',
    schema: natural,
    width,
    align: 'right',
    optional: false,
    decode: { from: 'number' },
    text,
  };
}

/** A number that has a name where it has one. */
function named(
  name: string,
  help: string,
  width: number,
  nameOf: (value: number) => string | undefined,
): SemanticType<number> {
  return { ...count(name, help, width, (value) => nameOf(value) ?? String(value)), align: 'left' };
}

function additive(type: SemanticType<number>): SemanticType<number> {
  return { ...type, additive: true };
}

/** A number of which zero, or everything negative, means that there is none. */
function absentable(type: SemanticType<number>, absent: 'zero' | 'negative'): SemanticType<number> {
  const decode: Decoding<number> =
    absent === 'zero'
      ? { from: 'number', to: (raw) => (raw === 0 ? undefined : raw), back: (value) => value ?? 0 }
      : { from: 'number', to: (raw) => (raw < 0 ? undefined : raw), back: (value) => value ?? -1 };
  return { ...type, optional: true, decode };
}

function text(name: string, help: string, width: number, variable: boolean): SemanticType<string> {
  return {
    name,
    help,
    typescript: 'string',
    schema: { type: 'string' },
    width,
    align: 'left',
    optional: false,
    decode: {
      from: 'bytes',
      variable,
      to: escapeTerminated,
      back: (value, size) => textBytes(value ?? '', size),
    },
    text: asIs,
  };
}

function isZero(bytes: Uint8Array, start: number, length: number): boolean {
  for (let i = start; i < start + length; i++) {
    if (bytes[i] !== 0) {
      return false;
    }
  }
  return true;
}

/** A string of which the empty one means that there is none. */
function maybeText(name: string, help: string): SemanticType<string> {
  return {
    ...text(name, help, 16, false),
    optional: true,
    decode: {
      from: 'bytes',
      variable: false,
      to: (bytes, start, end) => escapeTerminated(bytes, start, end) || undefined,
      back: (value, size) => textBytes(value ?? '', size),
    },
  };
}

function textBytes(value: string, size: number): Uint8Array {
  const bytes = unescapeText(value);
  if (bytes.length >= size && size > 0) {
    throw new KscopeError('failed', `'${escapeText(value)}' is longer than ${size - 1} bytes`);
  }
  return bytes;
}

function address(
  name: string,
  help: string,
  width: number,
  size: number,
  format: (bytes: Uint8Array, at: number) => string,
  parse: (text: string) => Uint8Array | undefined,
): SemanticType<string> {
  return {
    name,
    help,
    typescript: 'string',
    schema: { type: 'string' },
    width,
    align: 'left',
    optional: false,
    decode: {
      from: 'bytes',
      sizes: [size],
      to: format,
      back: (value) => {
        const bytes = value === undefined ? undefined : parse(value);
        if (bytes === undefined) {
          throw noValue(help, value);
        }
        return bytes;
      },
    },
    text: asIs,
  };
}

function wordsToBigint(value: string | undefined, type: string): bigint {
  if (value === undefined || !/^(?:\d+|0x[0-9a-f]+)$/i.test(value)) {
    throw noValue(type, value);
  }
  return BigInt(value);
}

const kilo = ['', 'K', 'M', 'G', 'T', 'P', 'E'];

/** Bytes in powers of 1024 with one decimal: '512', '4.0K', '1.5M'. */
export function formatBytes(value: number): string {
  let size = value;
  let unit = 0;
  // 1023.95 and more would be written as 1024.0.
  while (Math.abs(size) >= (unit === 0 ? 1024 : 1023.95) && unit < kilo.length - 1) {
    size /= 1024;
    unit++;
  }
  return unit === 0 ? String(value) : `${size.toFixed(1)}${kilo[unit]}`;
}

/** A duration in nanoseconds with three significant digits and its unit: '999ns', '1.23us', '45.6ms', '7.89s'. */
export function formatNanoseconds(value: number): string {
  const size = Math.abs(value);
  return size < 999.5
    ? `${Math.round(value)}ns`
    : size < 999_500
      ? `${digits(value / 1e3)}us`
      : size < 999_500_000
        ? `${digits(value / 1e6)}ms`
        : `${digits(value / 1e9)}s`;
}

function digits(value: number): string {
  const size = Math.abs(value);
  return value.toFixed(size < 9.995 ? 2 : size < 99.95 ? 1 : 0);
}

function flags(names: readonly (readonly [number, string])[], value: number): string {
  let rest = value;
  const found: string[] = [];
  for (const [bit, name] of names) {
    if ((rest & bit) === bit) {
      found.push(name);
      rest &= ~bit;
    }
  }
  if (rest !== 0 || found.length === 0) {
    found.push(`0x${(rest >>> 0).toString(16)}`);
  }
  return found.join('|');
}

const arm = process.arch === 'arm64';

// Multi-bit flags come before the bits they contain. Four of them have other values on arm64.
const openFlags: readonly (readonly [number, string])[] = [
  [0o20000000 | (arm ? 0o40000 : 0o200000), 'O_TMPFILE'],
  [0o4010000, 'O_SYNC'],
  [0o10000, 'O_DSYNC'],
  [0o100, 'O_CREAT'],
  [0o200, 'O_EXCL'],
  [0o400, 'O_NOCTTY'],
  [0o1000, 'O_TRUNC'],
  [0o2000, 'O_APPEND'],
  [0o4000, 'O_NONBLOCK'],
  [0o20000, 'O_ASYNC'],
  [arm ? 0o200000 : 0o40000, 'O_DIRECT'],
  [arm ? 0o400000 : 0o100000, 'O_LARGEFILE'],
  [arm ? 0o40000 : 0o200000, 'O_DIRECTORY'],
  [arm ? 0o100000 : 0o400000, 'O_NOFOLLOW'],
  [0o1000000, 'O_NOATIME'],
  [0o2000000, 'O_CLOEXEC'],
  [0o10000000, 'O_PATH'],
];
const accessModes = ['O_RDONLY', 'O_WRONLY', 'O_RDWR', 'O_ACCMODE'] as const;

/** Flags of open(2) by name: 'O_WRONLY|O_CREAT|O_CLOEXEC'. */
export function formatOpenFlags(value: number): string {
  const mode = accessModes[value & 3] as string;
  const rest = value & ~3;
  return rest === 0 ? mode : `${mode}|${flags(openFlags, rest)}`;
}

/** The number of one flag of open(2) by its name, with or without 'O_'. @throws KscopeError usage */
export function parseOpenFlag(name: string): number {
  const full = `O_${name.toUpperCase().replace(/^O_/, '')}`;
  const mode = (accessModes as readonly string[]).indexOf(full);
  const number = mode >= 0 ? mode : openFlags.find(([, flag]) => flag === full)?.[0];
  if (number === undefined) {
    const names = [...accessModes, ...openFlags.map(([, flag]) => flag)].join(', ');
    throw new KscopeError('usage', `'${escapeText(name)}' is not a flag of open(2)`, { hint: `flags: ${names}` });
  }
  return number;
}

/** Whether flags of open(2) hold one of them: all bits of it, or just that access mode (O_RDONLY has no bit). */
export function hasOpenFlag(flags: number, flag: number): boolean {
  return flag <= 3 ? (flags & 3) === flag : (flags & flag) === flag;
}

function quoteArgument(argument: string): string {
  return argument === '' || /[ "']/.test(argument) ? `"${argument.replaceAll('"', '\\"')}"` : argument;
}

function splitArguments(bytes: Uint8Array, start: number, end: number): readonly string[] {
  const found: string[] = [];
  for (let at = start; at < end; ) {
    const stop = terminator(bytes, at, end);
    found.push(escapeTerminated(bytes, at, stop));
    at = stop + 1;
  }
  return found;
}

/** Bytes behind their number, which may be wrong. */
function decodeData(bytes: Uint8Array, start: number, end: number): string {
  if (end - start < 4) {
    return '';
  }
  const length = new DataView(bytes.buffer, bytes.byteOffset + start, 4).getUint32(0, true);
  return escapeBytes(bytes, start + 4, Math.min(end, start + 4 + length));
}

const slash = 0x2f;
// Where paths are put together, one at a time.
let room = Buffer.alloc(16384);

const beginning = Buffer.from('\0...\0');

/** Where a path ends in a field of fixed length, which zeros fill up. */
function endOfDentries(bytes: Uint8Array, start: number, limit: number): number {
  let end = limit;
  while (end - start > 2 && bytes[end - 1] === 0 && bytes[end - 2] === 0 && bytes[end - 3] === 0) {
    end--;
  }
  return end < limit && beginning.every((byte, i) => bytes[end - 1 - beginning.length + i] === byte) ? end - 1 : end;
}

/**
 * The pieces of a path, leaf first, put the other way round with slashes between them. The outermost piece is empty for
 * a path from the root, '...' for one whose beginning is not known.
 */
function joinDentries(bytes: Uint8Array, start: number, limit: number): string {
  const end = endOfDentries(bytes, start, limit);
  const first = terminator(bytes, start, end);
  if (first >= end - 1) {
    return escapeTerminated(bytes, start, first);
  }
  const stop = bytes[end - 1] === 0 ? end - 1 : end;
  const length = stop - start;
  if (length > room.length) {
    room = Buffer.alloc(length);
  }
  // Slashes take the places of the NULs, so a piece ends as far from the end as it began from the start.
  for (let piece = start; piece <= stop; ) {
    const after = terminator(bytes, piece, stop);
    const to = stop - after;
    for (let i = piece; i < after; i++) {
      room[to + i - piece] = bytes[i] as number;
    }
    if (after < stop) {
      room[to - 1] = slash;
    }
    piece = after + 1;
  }
  return escapeTerminated(room, 0, length);
}

// The kernel's interface: /proc/net/tcp and struct tcp_info have the same numbers.
const tcpStates: readonly (string | undefined)[] = [
  undefined,
  'ESTABLISHED',
  'SYN_SENT',
  'SYN_RECV',
  'FIN_WAIT1',
  'FIN_WAIT2',
  'TIME_WAIT',
  'CLOSE',
  'CLOSE_WAIT',
  'LAST_ACK',
  'LISTEN',
  'CLOSING',
  'NEW_SYN_RECV',
];

const tcpFlags = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG', 'ECE', 'CWR'].map(
  (name, bit): readonly [number, string] => [1 << bit, name],
);

function hexadecimal(low: number, high: number): string {
  return high === 0 ? `0x${low.toString(16)}` : `0x${high.toString(16)}${low.toString(16).padStart(8, '0')}`;
}

const addressType = {
  name: 'addr_t',
  help: 'address',
  typescript: 'string',
  schema: { type: 'string', pattern: '^0x[0-9a-f]+$' },
  width: 18,
  align: 'left',
  optional: false,
  decode: {
    from: 'words',
    to: hexadecimal,
    back: (value) => wordsToBigint(value, 'address'),
  },
  text: asIs,
} satisfies SemanticType<string>;

const all: readonly SemanticType[] = [
  // Arguments of kill(2) and its like may be negative.
  { ...count('pid_t', 'process id', 7), schema: { type: 'integer' } },
  { ...absentable(count('maybe_pid_t', 'process id, where it is known', 7), 'zero'), schema: { type: 'integer' } },
  { ...count('thread_t', 'thread id', 7), schema: { type: 'integer' } },
  count('uid_t', 'user id', 7),
  count('gid_t', 'group id', 7),
  count('cpu_t', 'processor number', 4),
  additive(count('count_t', 'count', 8)),
  additive(count('slot_t', 'histogram count', 8)),
  additive(count('ns_t', 'duration in nanoseconds', 8, formatNanoseconds)),
  absentable(count('maybe_ns_t', 'duration in nanoseconds, where it is known', 8, formatNanoseconds), 'zero'),
  additive(count('us_t', 'duration in microseconds', 8, (value) => formatNanoseconds(value * 1000))),
  additive(count('bytes_t', 'size in bytes', 8, formatBytes)),
  absentable(count('maybe_count_t', 'count, where it is known', 8), 'zero'),
  absentable(count('maybe_bytes_t', 'size in bytes, where it is known', 8, formatBytes), 'zero'),
  count('sector_t', 'place on the disk in sectors of 512 bytes', 10),
  {
    ...count('load_t', 'load average', 7, (value) => value.toFixed(3)),
    schema: { type: 'number', minimum: 0 },
    decode: { from: 'number', to: (raw) => raw / 2048, back: (value) => Math.round((value ?? 0) * 2048) },
  } satisfies SemanticType<number>,
  {
    ...count('percent_t', 'share in percent', 7, (value) => value.toFixed(2)),
    schema: { type: 'number', minimum: 0, maximum: 100 },
    optional: true,
    decode: { from: 'number', to: (raw) => (raw === 0xffffffff ? undefined : raw / 100) },
  } satisfies SemanticType<number>,
  absentable(count('port_t', 'port', 5), 'zero'),
  absentable(count('fd_t', 'file descriptor', 4), 'negative'),
  { ...count('stack_id_t', 'stack id, or the negative error that there was', 7), schema: { type: 'integer' } },
  absentable(
    count('file_mode_t', 'permission bits', 5, (value) => `0${value.toString(8)}`),
    'negative',
  ),
  {
    name: 'mark_t',
    help: 'remark: present when it is true',
    typescript: 'boolean',
    schema: { type: 'boolean', const: true },
    width: 5,
    align: 'left',
    optional: true,
    decode: { from: 'number', to: (raw) => (raw === 0 ? undefined : true), back: (value) => (value === true ? 1 : 0) },
    text: () => 'yes',
  } satisfies SemanticType<boolean>,
  absentable(named('errno_t', 'error number', 7, errorName), 'zero'),
  {
    name: 'tcp_state_t',
    help: 'state of the TCP socket, where there is one',
    typescript: 'string',
    schema: { type: 'string' },
    width: 12,
    align: 'left',
    optional: true,
    decode: {
      from: 'number',
      to: (raw) => (raw === 0 ? undefined : (tcpStates[raw] ?? String(raw))),
      back: (value) => (value === undefined ? 0 : tcpStates.includes(value) ? tcpStates.indexOf(value) : Number(value)),
    },
    text: asIs,
  } satisfies SemanticType<string>,
  {
    ...absentable(
      count('tcp_flags_t', 'flags of the TCP header', 11, (value) => flags(tcpFlags, value)),
      'zero',
    ),
    align: 'left' as const,
  },
  absentable(named('signal_t', 'signal number', 9, signalName), 'zero'),
  { ...count('open_flags_t', 'flags of open(2)', 20, formatOpenFlags), align: 'left' as const },
  {
    name: 'syscall_t',
    help: 'system call; (32-bit) behind the name of one that a 32-bit program made on a 64-bit kernel',
    typescript: 'string',
    schema: { type: 'string' },
    width: 22,
    align: 'left',
    optional: true,
    decode: { from: 'number', to: (raw) => (raw === 0xffffffff ? undefined : syscallName(raw)) },
    text: asIs,
  } satisfies SemanticType<string>,
  text('comm_t', 'command name', 16, false),
  maybeText('maybe_comm_t', 'command name, where it is known'),
  maybeText('maybe_text_t', 'text, where there is any'),
  text('text_t', 'text', 16, true),
  text('path_t', 'path', 24, true),
  {
    ...text('dentry_path_t', 'path', 24, true),
    decode: {
      from: 'bytes',
      variable: true,
      to: joinDentries,
      back: (value) => {
        throw noValue('sequence of path components', value);
      },
    },
  } satisfies SemanticType<string>,
  {
    ...text('data_t', 'data, escaped where it is no text', 24, true),
    decode: {
      from: 'bytes',
      variable: true,
      to: decodeData,
      back: (value) => {
        throw noValue('data', value);
      },
    },
  } satisfies SemanticType<string>,
  {
    name: 'args_t',
    help: 'arguments',
    typescript: 'readonly string[]',
    schema: { type: 'array', items: { type: 'string' } },
    width: 32,
    align: 'left',
    optional: false,
    decode: {
      from: 'bytes',
      variable: true,
      to: splitArguments,
      back: (value) => Buffer.concat((value ?? []).map((one) => Buffer.concat([unescapeText(one), Uint8Array.of(0)]))),
    },
    text: (value) => value.map(quoteArgument).join(' '),
  } satisfies SemanticType<readonly string[]>,
  address('ip4_t', 'IPv4 address', 15, 4, formatIp4, parseIp4),
  address('ip6_t', 'IPv6 address', 25, 16, formatIp6, parseIp6),
  address('ip_t', 'IP address', 15, 16, formatIp, parseIp),
  {
    ...address('maybe_ip_t', 'IP address, where there is one', 15, 16, formatIp, parseIp),
    optional: true,
    decode: {
      from: 'bytes',
      sizes: [16],
      to: (bytes, start) => (isZero(bytes, start, 16) ? undefined : formatIp(bytes, start)),
      back: (value) => (value === undefined ? new Uint8Array(16) : (parseIp(value) ?? new Uint8Array(16))),
    },
  } satisfies SemanticType<string>,
  {
    name: 'boot_ns_t',
    help: 'time',
    typescript: 'number',
    schema: { type: 'string', format: 'date-time' },
    width: 8,
    widthIn: timeWidth,
    align: 'left',
    optional: false,
    decode: {
      from: 'number',
      to: (raw, context) => Math.floor(raw / 1000) + context.bootToEpochMicros,
      back: (value, context) => ((value ?? 0) - context.bootToEpochMicros) * 1000,
    },
    text: formatTime,
    json: (value, utc) => rfc3339(value, utc),
  } satisfies SemanticType<Instant>,
  {
    name: 'dev_t',
    help: 'device number (major:minor)',
    typescript: 'string',
    schema: { type: 'string', pattern: '^[0-9]+:[0-9]+$' },
    width: 7,
    align: 'left',
    optional: false,
    decode: {
      from: 'number',
      // The kernel's own form; what stat(2) returns is packed differently.
      to: (raw) => `${raw >>> 20}:${raw & 0xfffff}`,
      back: (value) => {
        const match = /^(\d{1,4}):(\d{1,7})$/.exec(value ?? '');
        if (match === null || Number(match[1]) > 0xfff || Number(match[2]) > 0xfffff) {
          throw noValue('device number', value);
        }
        return Number(match[1]) * 0x100000 + Number(match[2]);
      },
    },
    text: asIs,
  } satisfies SemanticType<string>,
  {
    name: 'cgroup_id_t',
    help: 'cgroup id',
    typescript: 'string',
    schema: { type: 'string', pattern: '^[0-9]+$' },
    width: 10,
    align: 'right',
    optional: false,
    decode: {
      from: 'words',
      to: (low, high) =>
        high < 0x200000 ? String(high * 0x100000000 + low) : String((BigInt(high) << 32n) | BigInt(low)),
      back: (value) => wordsToBigint(value, 'cgroup id'),
    },
    text: asIs,
  } satisfies SemanticType<string>,
  addressType,
  {
    ...addressType,
    name: 'maybe_addr_t',
    help: 'address, where it is known',
    optional: true,
    decode: {
      from: 'words',
      to: (low, high) => (low === 0 && high === 0 ? undefined : hexadecimal(low, high)),
      back: (value) => wordsToBigint(value ?? '0', 'address'),
    },
  } satisfies SemanticType<string>,
];

const byName: ReadonlyMap<string, SemanticType> = new Map(all.map((type) => [type.name, type]));

/** The meaning that a C typedef of this name carries, if it is one of bpf/include/types.h. */
export function semanticType(name: string): SemanticType | undefined {
  return byName.get(name);
}

/** Every semantic type, for documentation and tests. */
export function semanticTypes(): Iterable<SemanticType> {
  return byName.values();
}

/** A number without a meaning of its own. `name` is its C type: 'u32', 'double'. */
export function plainNumber(name: string, signed: boolean, whole: boolean): SemanticType<number> {
  return {
    name,
    help: 'number',
    typescript: 'number',
    schema: whole ? (signed ? { type: 'integer' } : natural) : { type: 'number' },
    width: 8,
    align: 'right',
    optional: false,
    decode: { from: 'number' },
    text: asIs,
    // JSON has no NaN and no infinity.
    ...(whole ? {} : { json: (value: number) => (Number.isFinite(value) ? value : null) }),
  };
}

/** A 64-bit integer without a meaning: exact, so a bigint, and text in JSON. */
export function plainBigint(name: string, signed: boolean): SemanticType<bigint> {
  return {
    name,
    help: 'number',
    typescript: 'bigint',
    schema: { type: 'string', pattern: signed ? '^-?[0-9]+$' : '^[0-9]+$' },
    width: 10,
    align: 'right',
    optional: false,
    decode: { from: 'bigint' },
    text: asIs,
    json: asIs,
  };
}

export const plainBoolean: SemanticType<boolean> = {
  name: 'bool',
  help: 'yes or no',
  typescript: 'boolean',
  schema: { type: 'boolean' },
  width: 5,
  align: 'left',
  optional: false,
  decode: { from: 'number', to: (raw) => raw !== 0, back: (value) => (value === true ? 1 : 0) },
  text: (value) => (value ? 'yes' : 'no'),
};

/** A char array without a meaning of its own. */
export const plainText: SemanticType<string> = text('char[]', 'text', 16, true);

/** An enumeration: its name where the number has one, the number in decimal where not. */
export function enumeration(name: string, values: ReadonlyMap<bigint, string>): SemanticType<string> {
  const names = new Map<bigint, string>();
  const numbers = new Map<string, bigint>();
  for (const [value, label] of values) {
    // A label is input: it reaches terminals and JSON like any other text.
    const safe = escapeText(label);
    names.set(value, safe);
    numbers.set(safe, value);
  }
  const back = (value: string | undefined): bigint => {
    const number = value === undefined ? undefined : numbers.get(value);
    if (number === undefined && !/^-?\d+$/.test(value ?? '')) {
      throw noValue(name, value);
    }
    return number ?? BigInt(value as string);
  };
  const labels = [...numbers.keys()];
  const byNumber = new Map([...names].map(([value, label]) => [Number(value), label]));
  const exact = [...byNumber.keys()].some((value) => !Number.isSafeInteger(value));
  return {
    name,
    help: 'one of a fixed set of names',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is a type in TypeScript
    typescript: [...labels.map((label) => JSON.stringify(label)), '`${number}`'].join(' | '),
    schema: { oneOf: [{ enum: labels }, { type: 'string', pattern: '^-?[0-9]+$' }] },
    width: labels.reduce((width, label) => Math.max(width, Math.min(label.length, 24)), 1),
    align: 'left',
    optional: false,
    decode: exact
      ? { from: 'bigint', to: (raw) => names.get(raw) ?? String(raw), back }
      : { from: 'number', to: (raw) => byNumber.get(raw) ?? String(raw), back: (value) => Number(back(value)) },
    text: asIs,
  };
}

/** Several values of one type. */
export function arrayOf(element: SemanticType): SemanticType<readonly unknown[]> {
  const type = element.optional ? `(${element.typescript} | undefined)` : element.typescript;
  return {
    name: `${element.name}[]`,
    help: `${element.help}, several`,
    typescript: `readonly ${/[ |{]/.test(type) && !type.startsWith('(') ? `(${type})` : type}[]`,
    schema: { type: 'array', items: element.optional ? { oneOf: [element.schema, { const: null }] } : element.schema },
    width: element.width,
    align: 'left',
    optional: false,
    ...(element.additive === true && { additive: true }),
    decode: composite,
    text: (values, style) => values.map((value) => renderText(element, value, style)).join(' '),
    json: (values, utc) => values.map((value) => renderJson(element, value, utc) ?? null),
  };
}

export interface NamedType {
  readonly name: string;
  readonly semantic: SemanticType;
}

/** A structure inside a record. */
export function structOf(name: string, members: readonly NamedType[]): SemanticType<Readonly<Record<string, unknown>>> {
  return {
    name,
    help: 'structure',
    typescript: `{ ${members.map((member) => `${propertyTypescript(member)} `).join('')}}`,
    schema: objectSchema(members),
    width: 24,
    align: 'left',
    optional: false,
    decode: composite,
    text: (value, style) =>
      members.map(({ name, semantic }) => `${name}=${renderText(semantic, value[name], style)}`).join(' '),
    json: (value, utc) => {
      const out: Record<string, JsonValue> = {};
      for (const { name, semantic } of members) {
        const json = renderJson(semantic, value[name], utc);
        if (json !== undefined) {
          out[name] = json;
        }
      }
      return out;
    },
  };
}

// Arrays and structures are decoded member by member, never as a whole.
const composite: Decoding<undefined> = {
  from: 'bytes',
  to: () => undefined,
  back: () => {
    throw new KscopeError('failed', 'a structure is written member by member');
  },
};

/** A property of an object type: 'fd: number | undefined;'. The property is always there, also without a value. */
export function propertyTypescript({ name, semantic }: NamedType): string {
  return `${name}: ${semantic.typescript}${semantic.optional ? ' | undefined' : ''};`;
}

/** The JSON Schema of an object with one property for each member. */
export function objectSchema(members: readonly NamedType[]): JsonSchema {
  return {
    type: 'object',
    properties: Object.fromEntries(members.map(({ name, semantic }) => [name, semantic.schema])),
    required: members.filter(({ semantic }) => !semantic.optional).map(({ name }) => name),
  };
}
