import { formatBytes, formatNanoseconds } from './amounts.ts';
import { unescapeText } from './escape.ts';
import { flagNames } from './flag-names.ts';
import { formatIp, formatIp4, formatIp6, parseIp, parseIp4, parseIp6 } from './ip.ts';
import type { JsonSchema, JsonValue } from './json.ts';
import { errorName, signalName } from './kernel-names.ts';
import { formatOpenFlags } from './open-flags.ts';
import { syscallName } from './syscalls.ts';
import { decodeData, decodeHex, joinDentries, quoteArgument, splitArguments } from './text-fields.ts';
import { formatTime, rfc3339, type TimeStyle, timeWidth } from './time-format.ts';
import {
  absentable,
  additive,
  address,
  asIs,
  count,
  isZero,
  maybeText,
  named,
  noValue,
  readOnly,
  text,
  wordsToBigint,
} from './type-parts.ts';

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
  /** What is too long for a cell: text prints it below the row, a line each. */
  lines?(value: V): readonly string[];
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

const pieces = 'sequence of path components';

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
  {
    ...count('cpu_percent_t', 'share of the time of one processor in percent', 7, (value) => value.toFixed(2)),
    schema: { type: 'number', minimum: 0 },
    decode: { from: 'number', to: (raw) => raw / 100, back: (value) => Math.round((value ?? 0) * 100) },
  } satisfies SemanticType<number>,
  count('ip_version_t', 'IP version: 4 or 6', 8),
  count('namespace_t', 'inode of the namespace', 10),
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
      count('tcp_flags_t', 'flags of the TCP header', 11, (value) => flagNames(tcpFlags, value)),
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
  readOnly(text('dentry_path_t', 'path', 24, true), pieces, true, joinDentries),
  // No name in a directory has a slash.
  readOnly(maybeText('maybe_dentry_path_t', 'path, where it is told'), pieces, false, (bytes, start, end) =>
    bytes[start] === 0x2f ? undefined : joinDentries(bytes, start, end),
  ),
  readOnly(text('data_t', 'data, escaped where it is no text', 24, true), 'data', true, decodeData),
  {
    ...readOnly(text('hex_t', 'data, in hexadecimal', 24, true), 'data', true, decodeHex),
    schema: { type: 'string', pattern: '^([0-9a-f]{2})*$' },
  },
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
