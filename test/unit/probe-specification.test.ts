import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KscopeError } from '../../lib/model/errors.ts';
import { parseSpecification, type Specification } from '../../lib/probes/parse-specification.ts';
import { distance, nearestNames } from '../../lib/probes/specification-error.ts';
import type { Expression } from '../../lib/probes/syntax.ts';
import { assertMarked } from '../helpers/marked-error.ts';
import { randomNumbers } from '../helpers/random.ts';

/** An expression with all its parentheses. */
function written(one: Expression): string {
  switch (one.is) {
    case 'number':
      return String(one.value);
    case 'text':
      return JSON.stringify(Buffer.from(one.bytes).toString('latin1'));
    case 'name':
      return one.name;
    case 'member':
      return `${written(one.of)}${one.arrow ? '->' : '.'}${one.name}`;
    case 'element':
      return `${written(one.of)}[${written(one.index)}]`;
    case 'unary':
      return `(${one.operator}${written(one.of)})`;
    case 'binary':
      return `(${written(one.left)} ${one.operator} ${written(one.right)})`;
    case 'cast':
      return `((${one.type.words.join(' ')}${'*'.repeat(one.type.pointers)})${written(one.of)})`;
    case 'call':
      return `${one.name}(${one.arguments.map(written).join(', ')})`;
    case 'user':
      return `${written(one.of)}@user`;
  }
}

function placeOf({ place }: Specification): string {
  const { kind, where, name, offset, kernel, provider } = place;
  return [
    kind,
    kernel && kind !== 'tracepoint' ? 'kernel' : where,
    ...(provider === undefined ? [] : [provider]),
    name,
    ...(offset > 0 ? [offset] : []),
  ].join(' ');
}

test('places are read in all their forms', () => {
  const cases: Readonly<Record<string, string>> = {
    vfs_read: 'entry kernel vfs_read',
    'p::vfs_read': 'entry kernel vfs_read',
    'r::vfs_read': 'return kernel vfs_read',
    'r:vfs_read': 'return kernel vfs_read',
    'p::vfs_read+0x1c': 'entry kernel vfs_read 28',
    'c:malloc': 'entry c malloc',
    'p:c:malloc': 'entry c malloc',
    'r:c:malloc': 'return c malloc',
    'p:/usr/bin/node:uv_fs_open': 'entry /usr/bin/node uv_fs_open',
    '/opt/a:b/lib.so:f': 'entry /opt/a:b/lib.so f',
    ':main': 'entry  main',
    't:sched:sched_switch': 'tracepoint sched sched_switch',
    'u:/usr/bin/postgres:query__start': 'usdt /usr/bin/postgres query__start',
    'u:pthread:libpthread:mutex_entry': 'usdt pthread libpthread mutex_entry',
  };
  for (const [text, expected] of Object.entries(cases)) {
    const specification = parseSpecification(text);
    const { at, name } = specification.place;
    assert.equal(placeOf(specification), expected);
    assert.equal(text.slice(at.start, at.end), name);
  }
});

test('conditions bind as in C', () => {
  const cases: Readonly<Record<string, string>> = {
    'a + b * c - d': '((a + (b * c)) - d)',
    'a & 1 == b': '(a & (1 == b))',
    'a << 2 + 1 > 7': '((a << (2 + 1)) > 7)',
    'a || b && !c': '(a || (b && (!c)))',
    'a | b ^ c & d': '(a | (b ^ (c & d)))',
    '-a->b.c[2]->d': '(-a->b.c[2]->d)',
    '*p == &q[1]': '((*p) == (&q[1]))',
    '(int)x < 0': '(((int)x) < 0)',
    '(unsigned char)x + 1': '(((unsigned char)x) + 1)',
    '((struct sock *)arg1)->sk_family': '((struct sock*)arg1)->sk_family',
    '(foo_t **)x': '((foo_t**)x)',
    '(foo)->x': 'foo->x',
    '(a) - 1': '(a - 1)',
    "c == 'x' || c == '\\n' || c == '\\x41'": '(((c == 120) || (c == 10)) || (c == 65))',
    '0x10 + 010 + 0b11 + 10UL + 0': '((((16 + 8) + 3) + 10) + 0)',
    'name == "a\\"b\\x41\\n"': '(name == "a\\"bA\\n")',
    'STRCMP("x", arg1@user) && $pid != 3': '(STRCMP("x", arg1@user) && ($pid != 3))',
    '18446744073709551615 > a': '(18446744073709551615 > a)',
  };
  for (const [text, expected] of Object.entries(cases)) {
    const { predicate } = parseSpecification(`f (${text})`);
    assert.equal(predicate && written(predicate), expected, text);
  }
});

test('signatures, formats and values are told apart from conditions', () => {
  const whole = parseSpecification(
    'do_sys_openat2(int dfd, const char __user *filename, how) (dfd == -100 && how->flags) "%s=%-5d %% %#llx\\n", filename, dfd, how->flags',
  );
  assert.deepEqual(
    whole.signature?.map(({ name, type }) => [name, type?.words, type?.pointers]),
    [
      ['dfd', ['int'], 0],
      ['filename', ['char'], 1],
      ['how', undefined, undefined],
    ],
  );
  assert.deepEqual(whole.format?.texts, ['', '=', ' % ', '\n']);
  assert.deepEqual(
    whole.format?.conversions.map(({ letter, bits, left, width }) => [letter, bits, left, width]),
    [
      ['s', 32, false, 0],
      ['d', 32, true, 5],
      ['x', 64, false, 0],
    ],
  );
  assert.deepEqual(whole.values.map(written), ['filename', 'dfd', 'how->flags']);
  assert.equal(parseSpecification('f (a > 3)').signature, undefined);
  assert.equal(parseSpecification('f(a) (a > 3)').signature?.length, 1);
  // A comma in a call is none between values.
  assert.equal(parseSpecification('f "%d", STRCMP("a,b", c)').values.length, 1);
});

test('what is wrong is pointed at', () => {
  const cases: readonly [text: string, why: RegExp, marked: string][] = [
    ['', /does not say where/, ''],
    ['t:sched', /a tracepoint has a category and a name/, 't:sched'],
    ['c:', /no name behind the last colon/, ''],
    ['vfs_*', /one place is traced/, 'vfs_*'],
    ['r:c:malloc+4', /only entries/, 'malloc+4'],
    ['f+x', /is no number of bytes/, 'f+x'],
    ['t:a:b(int x)', /a tracepoint has no signature/, '('],
    ['f (a ==)', /should be a value here/, ')'],
    ['f (a == 1', /should be a \) here/, ''],
    ['f (a < b < c)', /do not chain/, 'a < b < c'],
    ['f (a b)', /should be a \) here/, 'b'],
    ['f (09 == a)', /no whole number/, '09'],
    ['f (99999999999999999999 == a)', /more than 64 bits/, '99999999999999999999'],
    ['f (a->)', /name of a member/, ')'],
    ['f (a == "x)', /quotation does not end/, '"x)'],
    ['f (a == "\\q")', /no escape/, '"\\q"'],
    ['f (a ? b : c)', /no meaning/, '?'],
    ['f (arg1@kernel)', /only @user/, 'kernel'],
    ['f "%y", a', /no conversion %y/, '%y'],
    ['f "100%"', /does not end/, '%'],
    ['f "%d"', /no value for this conversion/, '%d'],
    ['f "%d", a, b', /has 1 conversions/, 'b'],
    ['f "x" y', /a comma or the end/, 'y'],
    ['f x', /a condition/, 'x'],
    ['u:b', /one of a library or program/, 'u:b'],
    ['f(3)', /there should be a parameter here/, '3'],
    ['f(int *)', /the name of the parameter here/, ')'],
    ['f(int a int b)', /a comma or a \) here/, 'int'],
    ['u:a:b(int x)', /a USDT probe has no signature/, '('],
    [`f "${'%d'.repeat(21)}"${', a'.repeat(21)}`, /20 values are the most/, 'a'],
    ["f (a == 'xy')", /quotation does not end|no meaning/, "'xy')"],
    ['f (STRCMP("a" b))', /should be/, 'b'],
    ['f (a[1)', /should be/, ')'],
    [`f (${'('.repeat(200)}`, /nested too deeply/, '('],
    [`f (a${'->b'.repeat(300)})`, /chain is too long/, '->'],
  ];
  for (const [text, why, marked] of cases) {
    assertMarked(parseSpecification, text, why, marked);
  }
});

test('a long text is shown around the place, and nothing in it reaches the terminal', () => {
  const text = `f (${'a + '.repeat(100)}\u001b[31m)`;
  assert.throws(
    () => parseSpecification(text),
    ({ excerpt }: KscopeError) => {
      const [shown = '', mark = ''] = excerpt;
      assert.ok(shown.length < 140 && mark.length < 140);
      assert.doesNotMatch(shown, /\p{Cc}/u);
      assert.equal(shown.slice(mark.indexOf('^'), mark.indexOf('^') + 2), '\\x');
      return true;
    },
  );
});

test('nothing that is given takes long, or ends otherwise than well or with a sentence', () => {
  const random = randomNumbers(7);
  const parts = [
    ...[
      'f',
      'c:f',
      't:a:b',
      'u:x:y',
      ' ',
      '(',
      ')',
      '"',
      '%s',
      '%d',
      ',',
      '->',
      '.',
      '[',
      ']',
      '==',
      '&&',
      '!',
      '-',
      '*',
    ],
    ...[
      'int',
      'struct',
      'x',
      '0',
      '0x',
      "'",
      '\\',
      '@user',
      '$pid',
      'STRCMP',
      '\u0000',
      '\u{1f600}',
      '\n',
      '+',
      '((((((((',
      '&',
    ],
  ];
  let wellFormed = 0;
  for (let round = 0; round < 20_000; round++) {
    const text = Array.from({ length: 1 + random(14) }, () => parts[random(parts.length)]).join('');
    try {
      parseSpecification(text);
      wellFormed++;
    } catch (error) {
      assert.ok(error instanceof KscopeError && error.code === 'usage', `${JSON.stringify(text)}: ${error}`);
    }
  }
  assert.ok(wellFormed > 100);
  for (const deep of [
    `f (${'('.repeat(4000)}`,
    `f (${'!'.repeat(4000)}1)`,
    `f (a${'->b'.repeat(1300)})`,
    `f (${'1+'.repeat(2000)}1)`,
  ]) {
    try {
      parseSpecification(deep);
    } catch (error) {
      assert.ok(error instanceof KscopeError && error.code === 'usage');
    }
  }
  assert.throws(() => parseSpecification('f'.repeat(5000)), { code: 'usage' });
});

test('the nearest names are offered', () => {
  assert.equal(distance('kitten', 'sitting', 5), 3);
  assert.equal(distance('abc', 'xyz', 1), 2);
  assert.equal(distance('nmae', 'name', 1), 1);
  assert.equal(distance('ab', 'ba', 2), 1);
  assert.equal(nearestNames('did you mean', 'vfs_raed', ['vfs_read', 'vfs_write', 'x']), 'did you mean: vfs_read');
  assert.equal(nearestNames('did you mean', 'qqqq', ['vfs_read']), '');
});
