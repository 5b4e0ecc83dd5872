import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { test } from 'node:test';
import { formatBytes, formatNanoseconds } from '../../lib/model/amounts.ts';
import { arrayOf, enumeration, structOf } from '../../lib/model/derived-types.ts';
import { formatEndpoint, formatIp, formatIp6, parseIp, parseIp4, parseIp6 } from '../../lib/model/ip.ts';
import { errorName, errorNumber, signalName, signalNumber } from '../../lib/model/kernel-names.ts';
import { formatOpenFlags } from '../../lib/model/open-flags.ts';
import { formatTime, rfc3339, type TimeStyle, timeWidth } from '../../lib/model/time-format.ts';
import {
  renderJson,
  renderText,
  type SemanticType,
  semanticType,
  semanticTypes,
  type TextStyle,
  widthOf,
} from '../../lib/model/types.ts';

const style: TextStyle = { time: 'clock', utc: true };

function known(name: string): SemanticType {
  const type = semanticType(name);
  assert.ok(type, `there is no type ${name}`);
  return type;
}

/** Runs `body` with another local time zone. */
function inZone(zone: string, body: () => void): void {
  const before = process.env.TZ;
  process.env.TZ = zone;
  try {
    body();
  } finally {
    if (before === undefined) {
      delete process.env.TZ;
    } else {
      process.env.TZ = before;
    }
  }
}

test('every typedef of types.h has a type and every type is a typedef there', () => {
  const header = readFileSync(new URL('../../../bpf/include/types.h', import.meta.url), 'utf8');
  const typedefs = [...header.matchAll(/^typedef\s[^;]*?(\w+);/gm)].map((match) => match[1] as string);
  const meaningful = typedefs.filter((name) => !name.startsWith('__') && name !== 'bool');
  assert.ok(meaningful.length > 20);
  assert.deepEqual(meaningful.sort(), [...semanticTypes()].map(({ name }) => name).sort());
});

test('a name that is no typedef of ours has no type', () => {
  assert.equal(semanticType('u32'), undefined);
  assert.equal(semanticType('constructor'), undefined);
});

const texts: readonly (readonly [type: string, value: unknown, text: string, json: unknown])[] = [
  ['pid_t', 181, '181', 181],
  ['uid_t', 4294967295, '4294967295', 4294967295],
  ['fd_t', 3, '3', 3],
  ['fd_t', undefined, '-', undefined],
  ['errno_t', 2, 'ENOENT', 2],
  ['errno_t', 512, 'ERESTARTSYS', 512],
  ['errno_t', 4000, '4000', 4000],
  ['errno_t', undefined, '-', undefined],
  ['signal_t', 15, 'SIGTERM', 15],
  ['signal_t', 35, 'SIGRTMIN+1', 35],
  ['signal_t', 32, '32', 32],
  ['mark_t', true, 'yes', true],
  ['mark_t', undefined, '-', undefined],
  ['comm_t', 'bash', 'bash', 'bash'],
  ['data_t', 'one\\ntwo', 'one\\ntwo', 'one\\ntwo'],
  ['hex_t', '00ff', '00ff', '00ff'],
  ['args_t', ['ls', '-l', 'my file', ''], 'ls -l "my file" ""', ['ls', '-l', 'my file', '']],
  ['args_t', ['say "hi"'], '"say \\"hi\\""', ['say "hi"']],
  ['ns_t', 1234567, '1.23ms', 1234567],
  ['us_t', 1500, '1.50ms', 1500],
  ['bytes_t', 4096, '4.0K', 4096],
  ['count_t', 123456, '123456', 123456],
  ['port_t', 443, '443', 443],
  ['maybe_ip_t', undefined, '-', undefined],
  ['tcp_state_t', 'LISTEN', 'LISTEN', 'LISTEN'],
  ['tcp_state_t', undefined, '-', undefined],
  ['tcp_flags_t', 0x12, 'SYN|ACK', 0x12],
  ['tcp_flags_t', undefined, '-', undefined],
  ['file_mode_t', 0o644, '0644', 420],
  ['file_mode_t', 0o4755, '04755', 2541],
  ['file_mode_t', 0, '00', 0],
  ['open_flags_t', 0, 'O_RDONLY', 0],
  ['boot_ns_t', 1_700_000_000_123_456, '22:13:20', '2023-11-14T22:13:20.123456Z'],
  ['dev_t', '8:1', '8:1', '8:1'],
  ['load_t', 1.25048828125, '1.250', 1.25048828125],
  ['addr_t', '0xffffffff81000000', '0xffffffff81000000', '0xffffffff81000000'],
];

for (const [name, value, text, json] of texts) {
  test(`${name}: ${String(value)} is written as ${text}`, () => {
    const type = known(name);
    assert.equal(renderText(type, value, style), text);
    assert.deepEqual(renderJson(type, value, true), json);
  });
}

test('absent values are optional in the schema of nothing else', () => {
  const optional = [...semanticTypes()].filter((type) => type.optional).map(({ name }) => name);
  const maybe = [
    'maybe_addr_t',
    'maybe_bytes_t',
    'maybe_comm_t',
    'maybe_count_t',
    'maybe_ip_t',
    'maybe_ns_t',
    'maybe_pid_t',
    'maybe_text_t',
    'maybe_dentry_path_t',
  ];
  assert.deepEqual(
    optional.sort(),
    [
      'errno_t',
      'fd_t',
      'file_mode_t',
      'mark_t',
      'percent_t',
      'port_t',
      'signal_t',
      'syscall_t',
      'tcp_flags_t',
      'tcp_state_t',
      ...maybe,
    ].sort(),
  );
});

test('every type says what it is', () => {
  for (const type of semanticTypes()) {
    assert.match(type.help, /^[a-zA-Z].*[a-z0-9)]$/, type.name);
    assert.ok(type.width > 0, type.name);
    assert.ok(type.schema.type !== undefined, type.name);
    assert.match(type.typescript, /^(number|string|boolean|readonly string\[\])$/);
  }
});

test('sizes are scaled by 1024 and never show four digits before the point', () => {
  const sizes: readonly (readonly [number, string])[] = [
    [0, '0'],
    [1023, '1023'],
    [1024, '1.0K'],
    [1536, '1.5K'],
    [1024 * 1024 - 1, '1.0M'],
    [1023.9 * 1024, '1023.9K'],
    [5 * 1024 ** 3, '5.0G'],
    [2 ** 60, '1.0E'],
    [2 ** 64, '16.0E'],
    [-2048, '-2.0K'],
  ];
  for (const [value, text] of sizes) {
    assert.equal(formatBytes(value), text);
  }
});

test('durations have three digits and a unit', () => {
  const durations: readonly (readonly [number, string])[] = [
    [0, '0ns'],
    [999, '999ns'],
    [1000, '1.00us'],
    [9994, '9.99us'],
    [9996, '10.0us'],
    [99_960, '100us'],
    [999_499, '999us'],
    [999_600, '1.00ms'],
    [1_234_567, '1.23ms'],
    [45_600_000, '45.6ms'],
    [999_600_000, '1.00s'],
    [7_890_000_000, '7.89s'],
    [3_600_000_000_000, '3600s'],
    [-1500, '-1.50us'],
  ];
  for (const [value, text] of durations) {
    assert.equal(formatNanoseconds(value), text);
  }
});

test('open flags are named, unknown ones are shown as a number', () => {
  const { arch } = process;
  const directory = arch === 'arm64' ? 0o40000 : 0o200000;
  assert.equal(formatOpenFlags(0o1 | 0o100 | 0o1000 | 0o2000000), 'O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC');
  assert.equal(formatOpenFlags(0o2 | 0o4010000), 'O_RDWR|O_SYNC');
  assert.equal(formatOpenFlags(0o10000), 'O_RDONLY|O_DSYNC');
  assert.equal(formatOpenFlags(directory), 'O_RDONLY|O_DIRECTORY');
  assert.equal(formatOpenFlags((directory | 0o20000000) >>> 0), 'O_RDONLY|O_TMPFILE');
  assert.equal(formatOpenFlags(0x80000000), 'O_RDONLY|0x80000000');
  assert.equal(formatOpenFlags(3), 'O_ACCMODE');
});

test('error names are those of this system', () => {
  for (const [name, number] of Object.entries(constants.errno)) {
    assert.equal(errorNumber(name), number, name);
    assert.equal(errorNumber(errorName(number) ?? ''), number, name);
  }
  assert.equal(errorName(0), undefined);
  assert.equal(errorName(41), undefined);
  assert.equal(errorName(133), 'EHWPOISON');
  assert.equal(errorName(-2), undefined);
  assert.equal(errorNumber('enoent'), 2);
  assert.equal(errorNumber('-'), undefined);
  assert.equal(errorNumber('EWHAT'), undefined);
});

test('signal names are those of this system', () => {
  const aliases = new Set(['SIGIOT', 'SIGPOLL', 'SIGUNUSED']);
  for (const [name, number] of Object.entries(constants.signals)) {
    if (!aliases.has(name)) {
      assert.equal(signalName(number), name);
      assert.equal(signalNumber(name), number);
    }
  }
  assert.equal(signalName(0), undefined);
  assert.equal(signalName(34), 'SIGRTMIN');
  assert.equal(signalName(64), 'SIGRTMIN+30');
  assert.equal(signalName(65), undefined);
  assert.equal(signalNumber('term'), 15);
  assert.equal(signalNumber('rtmin+30'), 64);
  assert.equal(signalNumber('rtmin+31'), undefined);
  assert.equal(signalNumber(''), undefined);
});

const instant = 1_700_000_000_000_042;

test('times are written as --time asks', () => {
  const written = (time: TimeStyle['time'], firstTime?: number): string =>
    formatTime(instant, { time, utc: true, firstTime });
  assert.equal(written('clock'), '22:13:20');
  assert.equal(written('rfc3339'), '2023-11-14T22:13:20.000042Z');
  assert.equal(written('unix'), '1700000000.000042');
  assert.equal(written('relative', instant - 1_500_000), '1.500000');
  assert.equal(written('relative', instant + 1), '-0.000001');
  assert.equal(written('relative'), '0.000000');
  for (const time of ['clock', 'rfc3339', 'unix'] as const) {
    for (const utc of [true, false]) {
      assert.equal(formatTime(instant, { time, utc }).length, timeWidth({ time, utc }), time);
    }
  }
  assert.equal(widthOf(known('boot_ns_t'), { time: 'rfc3339', utc: false }), 32);
  assert.equal(widthOf(known('pid_t'), { time: 'rfc3339', utc: false }), known('pid_t').width);
});

test('local times carry the offset of their moment', () => {
  // A second of their own for each zone: seconds that were just written are remembered.
  inZone('Europe/Berlin', () => {
    assert.equal(rfc3339(1_700_000_101_000_000), '2023-11-14T23:15:01.000000+01:00');
    assert.equal(rfc3339(1_690_000_102_999_999), '2023-07-22T06:28:22.999999+02:00');
  });
  inZone('Australia/Adelaide', () => {
    assert.equal(rfc3339(1_700_000_105_000_000), '2023-11-15T08:45:05.000000+10:30');
  });
  inZone('UTC', () => {
    assert.equal(rfc3339(1_700_000_106_000_000), '2023-11-14T22:15:06.000000+00:00');
  });
  inZone('America/St_Johns', () => {
    assert.equal(rfc3339(1_700_000_103_000_001), '2023-11-14T18:45:03.000001-03:30');
    assert.equal(formatTime(1_700_000_104_000_000, { time: 'clock', utc: false }), '18:45:04');
  });
});

test('seconds change where they should, also before 1970 and at the end of what 64 bits can say', () => {
  assert.equal(rfc3339(1_700_000_000_999_999, true), '2023-11-14T22:13:20.999999Z');
  assert.equal(rfc3339(1_700_000_001_000_000, true), '2023-11-14T22:13:21.000000Z');
  assert.equal(rfc3339(1_700_000_000_999_999, true), '2023-11-14T22:13:20.999999Z');
  assert.equal(rfc3339(-1, true), '1969-12-31T23:59:59.999999Z');
  assert.equal(rfc3339(2 ** 64 / 1000, true), '2554-07-21T23:34:33.709552Z');
  assert.match(rfc3339(Number.MAX_VALUE, true), /^1970/);
});

test('IPv6 addresses are written in their canonical form and read back', () => {
  const forms: readonly (readonly [string, string])[] = [
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['0:0:1:0:0:0:1:0', '0:0:1::1:0'],
    ['1:0:0:0:0:0:0:0', '1::'],
    ['fe80::0204:61ff:fe9d:f156', 'fe80::204:61ff:fe9d:f156'],
    ['::ffff:192.0.2.1', '::ffff:192.0.2.1'],
    ['::ffff:c000:201', '::ffff:192.0.2.1'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
  ];
  for (const [from, to] of forms) {
    const bytes = parseIp6(from);
    assert.ok(bytes, from);
    assert.equal(formatIp6(bytes, 0), to);
    assert.deepEqual(parseIp6(to), bytes);
  }
});

test('an address of either family is IPv4 when it is mapped', () => {
  const four = parseIp('192.0.2.1');
  assert.ok(four);
  assert.equal(formatIp(four, 0), '192.0.2.1');
  assert.deepEqual(parseIp('::ffff:192.0.2.1'), four);
  const six = parseIp('2001:db8::1');
  assert.ok(six);
  assert.equal(formatIp(six, 0), '2001:db8::1');
});

test('an address with its port is written so that both can be told', () => {
  assert.equal(formatEndpoint('192.0.2.1', 80), '192.0.2.1:80');
  assert.equal(formatEndpoint('2001:db8::1', 80), '[2001:db8::1]:80');
  assert.equal(formatEndpoint('2001:db8::1', undefined), '2001:db8::1');
});

test('what is no address is refused', () => {
  for (const text of ['', '1.2.3', '1.2.3.4.5', '256.1.1.1', '01.2.3.4', '1.2.3.x', ' 1.2.3.4', '1.2.3.4 ']) {
    assert.equal(parseIp4(text), undefined, text);
  }
  const wrong = [
    '',
    ':',
    ':::',
    '1::2::3',
    '12345::',
    'g::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '::1%eth0',
    '1.2.3.4::',
    '::1.2.3',
    '1:',
  ];
  for (const text of wrong) {
    assert.equal(parseIp6(text), undefined, text);
  }
});

test('an enumeration has names for its numbers and numbers for the rest', () => {
  const type = enumeration(
    'enum state',
    new Map([
      [0n, 'IDLE'],
      [5n, 'BUSY'],
      [-1n, 'BAD'],
    ]),
  );
  assert.ok(type.decode.from === 'number' && type.decode.to && type.decode.back);
  const context = { bootToEpochMicros: 0 };
  assert.equal(type.decode.to(5, context), 'BUSY');
  assert.equal(type.decode.to(-1, context), 'BAD');
  assert.equal(type.decode.to(7, context), '7');
  assert.equal(type.decode.back('BUSY', context), 5);
  assert.equal(type.decode.back('7', context), 7);
  assert.throws(
    () => type.decode.from === 'number' && type.decode.back?.('WHAT', context),
    /'WHAT' is not a valid enum state/,
  );
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is a type in TypeScript
  assert.equal(type.typescript, '"IDLE" | "BUSY" | "BAD" | `${number}`');
});

test('an enumeration with values beyond 2^53 stays exact', () => {
  const type = enumeration(
    'enum big',
    new Map([
      [2n ** 63n, 'HIGH\n'],
      [2n ** 63n + 1n, 'NEXT'],
    ]),
  );
  assert.ok(type.decode.from === 'bigint' && type.decode.to && type.decode.back);
  assert.equal(type.decode.to(2n ** 63n), 'HIGH\\n');
  assert.equal(type.decode.to(2n ** 63n + 1n), 'NEXT');
  assert.equal(type.decode.to(2n ** 63n + 2n), '9223372036854775810');
  assert.equal(type.decode.back('NEXT'), 2n ** 63n + 1n);
});

test('arrays and structures are written by what is in them', () => {
  const ports = arrayOf(known('port_t'));
  assert.equal(ports.text([80, undefined, 443], style), '80 - 443');
  assert.deepEqual(ports.json?.([80, undefined]), [80, null]);
  assert.equal(ports.typescript, 'readonly (number | undefined)[]');
  assert.equal(arrayOf(known('args_t')).typescript, 'readonly (readonly string[])[]');
  const inner = structOf('struct where', [
    { name: 'time', semantic: known('boot_ns_t') },
    { name: 'port', semantic: known('port_t') },
  ]);
  assert.equal(inner.text({ time: instant, port: undefined }, style), 'time=22:13:20 port=-');
  assert.deepEqual(inner.json?.({ time: instant, port: undefined }, true), { time: '2023-11-14T22:13:20.000042Z' });
  assert.equal(inner.typescript, '{ time: number; port: number | undefined; }');
  assert.deepEqual(inner.schema.required, ['time']);
});
