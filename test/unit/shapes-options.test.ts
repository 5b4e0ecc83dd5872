import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KscopeError } from '../../lib/model/errors.ts';
import { commonOptions, seconds } from '../../lib/shapes/common-options.ts';
import { filters } from '../../lib/shapes/filters.ts';
import { choice, flag, integer, list, longName, type Option, pattern, text } from '../../lib/shapes/options.ts';

function refused(option: Pick<Option, 'flags' | 'parse'>, given: string): string {
  let message = '';
  assert.throws(
    () => option.parse?.(given),
    (error) => {
      assert.ok(error instanceof KscopeError && error.code === 'usage', String(error));
      message = error.message;
      return true;
    },
    `${option.flags} takes '${given}'`,
  );
  return message;
}

test('a flag takes no value', () => {
  const option = flag('-x, --failed', 'only what failed', { set: 'failed_only' });
  assert.equal(option.parse, undefined);
  assert.equal(option.set, 'failed_only');
});

test('free text is taken as it is', () => {
  assert.equal(text('--name <TEXT>', '').parse?.(' a\u001b '), ' a\u001b ');
});

test('whole numbers are read within their bounds, in decimal and in hexadecimal', () => {
  const option = integer('-n, --rows <COUNT>', '', { min: -5, max: 300 });
  for (const [given, value] of Object.entries({ '-5': -5, '0': 0, '007': 7, '300': 300, '0x10': 16, '0XfF': 255 })) {
    assert.equal(option.parse?.(given), value);
  }
  for (const given of ['', ' ', '-6', '301', '1.5', '1e2', '1_0', '+1', '0x', '0b1', '--1', '٣', 'Infinity', '1\n']) {
    assert.equal(refused(option, given), `'${given}' is not a whole number from -5 to 300`);
  }
  const wide = integer('--wide <N>', '', { max: Number.MAX_SAFE_INTEGER });
  assert.equal(wide.parse?.('9007199254740991'), 2 ** 53 - 1);
  refused(wide, '9007199254740992');
});

test('without bounds a number is one of the kernel: from 0 to what an int holds', () => {
  const option = integer('-n <N>', '');
  assert.equal(option.parse?.('2147483647'), 2147483647);
  refused(option, '2147483648');
  refused(option, '-1');
});

test('a choice takes one of its words, spelt like that', () => {
  const option = choice('--time <FORMAT>', '', ['clock', 'unix']);
  assert.equal(option.parse?.('unix'), 'unix');
  for (const given of ['Unix', '', 'unix,clock', 'toString']) {
    assert.equal(refused(option, given), `'${given}' is not one of clock, unix`);
  }
});

test('a list reads each of its elements', () => {
  const option = list('--ports <PORTS>', '', (one) => integer('-p', '', { max: 65535 }).parse?.(one) ?? -1);
  assert.deepEqual(option.parse?.('80, 443,0x50'), [80, 443, 80]);
  assert.equal(refused(option, '80,,443'), "'' is not a whole number from 0 to 65535");
  assert.equal(option.repeatable, 'commas');
});

test('a pattern is a regular expression over whole characters', () => {
  const option = pattern('--name <REGEX>', '');
  assert.ok(option.parse?.('^.$').test('👩'));
  assert.equal(refused(option, '('), "'(' is not a regular expression");
});

test('times are seconds above 0', () => {
  const option = seconds('--duration <SECONDS>', '');
  assert.equal(option.parse?.('0.25'), 0.25);
  assert.equal(option.parse?.('100000000'), 1e8);
  for (const given of ['0', '0.0', '-1', '1e3', '.5', '5.', '', '100000001', '1s', 'NaN']) {
    refused(option, given);
  }
});

test('sizes know their units', () => {
  const { parse } = commonOptions.bufferSize;
  for (const [given, value] of Object.entries({ '4096': 4096, '4k': 4096, '8K': 8192, '2M': 2 ** 21, '1g': 2 ** 30 })) {
    assert.equal(parse?.(given), value);
  }
  for (const given of ['4095', '3k', '1025M', '2G', '1T', '1.5M', '', 'K', '-4096', '4 K', '0x1000']) {
    refused(commonOptions.bufferSize, given);
  }
});

test('names of fields are identifiers', () => {
  assert.deepEqual(commonOptions.fields.parse?.('pid, comm,_x1'), ['pid', 'comm', '_x1']);
  for (const given of ['', 'pid,', 'a-b', '1a', 'a b', 'é', '__proto__.x']) {
    refused(commonOptions.fields, given);
  }
});

test('users are given by number or by name', () => {
  const { parse } = filters.uid;
  assert.equal(parse?.('0'), 0);
  assert.equal(parse?.('root'), 0);
  assert.equal(parse?.('4294967294'), 2 ** 32 - 2);
  for (const given of ['4294967295', '-1', '', 'nobody-has-this-name', 'root:x', '0x0']) {
    refused(filters.uid, given);
  }
});

test('the name to filter by is cut where the kernel cuts it, by bytes, and may be written as it is printed', () => {
  const { encode } = filters.comm;
  assert.equal(encode?.('a-very-long-command-name'), 'a-very-long-com');
  assert.equal(encode?.('ééééééééé'), 'ééééééé\\xc3');
});

test('an option is known by its long name', () => {
  assert.equal(longName(flag('-x, --failed-only', '')), 'failed-only');
  assert.equal(longName(text('--name <TEXT>', '')), 'name');
  assert.throws(() => longName(flag('-x', '')), { message: "option '-x' has no long name" });
});

test('no common option or filter has the name of another', () => {
  const flags = Object.values({ ...commonOptions, ...filters }).flatMap(
    ({ flags }) => flags.match(/-{1,2}[a-z-]+/gi) ?? [],
  );
  assert.deepEqual(flags.length, new Set(flags).size);
});
