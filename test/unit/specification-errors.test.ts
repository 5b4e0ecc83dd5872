import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KscopeError } from '../../lib/model/errors.ts';
import {
  type CType,
  type FindType,
  letter,
  nothing,
  number,
  pointerTo,
  type StructureType,
  s64,
  type TypeKind,
  u32,
  u64,
} from '../../lib/probes/c-types.ts';
import { Checker, type Dialect } from '../../lib/probes/check.ts';
import { ExpressionParser } from '../../lib/probes/parse-expression.ts';
import { parseSpecification } from '../../lib/probes/parse-specification.ts';
import { parseUsdtArguments } from '../../lib/probes/registers.ts';
import { functionScope, type Hook, type Signature, tracepointScope, usdtScope } from '../../lib/probes/scopes.ts';
import { tracepointRecord } from '../../lib/probes/tracepoint-record.ts';
import type { Scope, Typed } from '../../lib/probes/value.ts';

/** An error as people see it: where in the text, in « », and what it says. */
interface Expected {
  readonly text: string;
  readonly why: string;
  readonly hints?: readonly string[];
}

/** Does something that must fail, and looks at the message, at the place of the caret, and at the hints. */
function refuses({ text: marked, why, hints = [] }: Expected, run: (text: string) => unknown): void {
  const [before = '', part = '', after = ''] = marked.split(/[«»]/);
  const text = before + part + after;
  assert.throws(
    () => run(text),
    (error) => {
      assert.ok(error instanceof KscopeError, `${text}: ${error}`);
      assert.equal(error.code, 'usage');
      assert.deepEqual(
        { text, why: error.message, excerpt: error.excerpt, hints: error.hints },
        {
          ...{ text, why, hints },
          excerpt: [text, `${' '.repeat(before.length)}^${'~'.repeat(Math.max(0, part.length - 1))}`],
        },
      );
      return true;
    },
  );
}

const sock: StructureType = structure('struct sock', {
  sk_family: number('unsigned short', 2, false),
  sk_name: pointerTo(letter),
  sk_label: { is: 'array', element: () => letter, count: 8 },
  sk_next: { is: 'pointer', target: () => sock },
  sk_addr: structure('struct in_addr', { s_addr: u32 }),
});

function structure(name: string, members: Readonly<Record<string, CType>>): StructureType {
  const all = Object.entries(members);
  return {
    ...{ is: 'structure', name, size: 64 },
    member: (wanted) => {
      const at = all.findIndex(([one]) => one === wanted);
      return at < 0 ? undefined : { type: all[at]?.[1] as CType, bitOffset: at * 64, bits: 0 };
    },
    names: () => Object.keys(members),
  };
}

const find: FindType = Object.assign(
  (kind: TypeKind, name: string) => (kind === 'struct' && name === 'sock' ? sock : undefined),
  {
    names: (kind: TypeKind) =>
      ({ struct: ['sock', 'socket'], union: [], enum: ['state'], typedef: ['sector_t'] })[kind],
  },
);

const common = new Map<string, Typed>([
  ['$pid', { type: u32, value: { op: 'number', value: 1n }, space: 'any' }],
  ['$comm', { type: { is: 'array', element: () => letter, count: 16 }, value: { op: 'comm' }, space: 'kernel' }],
]);

/** What can be named at a function of the kernel whose types are known. */
const known: Signature = {
  parameters: [
    { name: 'sk', type: pointerTo(sock) },
    { name: 'size', type: u64 },
    { name: 'mode', type: number('int', 4, true) },
    { name: 'data', type: pointerTo(nothing) },
    { name: 'other', type: pointerTo({ is: 'opaque', name: 'struct sokc' }) },
  ],
  returns: s64,
};

function scopeAt(place: string, { hook = 'registers', types = known as Signature | undefined } = {}): Scope {
  const specification = parseSpecification(place);
  return functionScope({ specification, common, find, known: types, hook: hook as Hook });
}

function check(scope: Scope, dialect: Dialect = {}): (text: string) => unknown {
  return (text) => new Checker(text, scope, dialect).condition(new ExpressionParser(text).expression());
}

const cast = ['a cast says what it points to: ((struct sock *)arg1)->…'];
const elements = ['a cast says what it points to: ((int *)arg1)[0]'];
const members = ['members: sk_family, sk_name, sk_label, sk_next, sk_addr'];
const functions = 'functions: STRCMP("text", value), STARTS("text", value)';

test('what is wrong in an expression is said, where it is, with what would be right', () => {
  const cases: readonly Expected[] = [
    { text: '«"tcp"»', why: 'a text can only be compared', hints: ['write name == "text"'] },
    { text: '«sk->sk_addr»', why: 'this is no number: it is a struct in_addr', hints: ['members: s_addr'] },
    { text: 'mode + *«data»', why: "nothing is known about what is at an address of 'void'" },
    { text: 'mode + «$comm»', why: 'this is no number: it is an array (char[16])' },
    { text: 'sk->«sk_familly»', why: "struct sock has no member 'sk_familly'", hints: ['did you mean: sk_family'] },
    { text: 'sk->sk_next->«x»', why: "struct sock has no member 'x'", hints: members },
    { text: 'sk.«sk_family»', why: 'this is a pointer: write ->sk_family' },
    { text: 'mode->«x»', why: 'a number (int) has no members', hints: cast },
    { text: 'data->«x»', why: 'a pointer (void *) has no members' },
    { text: '$comm.«x»', why: 'an array (char[16]) has no members' },
    {
      ...{ text: 'other->«x»', why: 'nothing is known about struct sokc' },
      hints: ['did you mean struct: sock'],
    },
    { text: '«size»[1]', why: 'a number (u64) has no elements', hints: elements },
    { text: '«data»[1]', why: "nothing is known about an element of 'void'" },
    { text: '&«3»', why: 'this has no address' },
    { text: '&«(mode + 1)»', why: 'this has no address' },
    { text: '&«$comm»', why: 'this has no address' },
    { text: '«sk->sk_name < "a"»', why: 'texts are the same or not: there is no < of them' },
    { text: '«"a" + sk->sk_name»', why: 'texts are the same or not: there is no + of them' },
    { text: '«mode» == "a"', why: 'a number (int) is no text' },
    { text: '"a" != «sk»', why: 'a pointer (struct sock *) is no text' },
    { text: 'sk + «sk»', why: 'two pointers cannot be added' },
    { text: '«1» - sk', why: 'a pointer cannot be taken from a number' },
    {
      ...{ text: '«size» < 0', why: "'size' has no sign, so it is never below 0" },
      hints: ['a cast gives it a sign: (int)size'],
    },
    {
      ...{ text: '0 > «size»', why: "'size' has no sign, so it is never below 0" },
      hints: ['a cast gives it a sign: (int)size'],
    },
    {
      ...{ text: 'mode && «size» >= -1', why: "'size' has no sign, so it is never below 0" },
      hints: ['a cast gives it a sign: (int)size'],
    },
    {
      ...{ text: '(«struct sock»)data', why: 'nothing can be made a struct sock' },
      hints: ['a pointer to it can: (struct sock *)'],
    },
    { text: '(«sock *»)data', why: "there is no type 'sock'", hints: ['write struct sock'] },
    { text: '(«sectort *»)data', why: "there is no type 'sectort'", hints: ['did you mean: sector_t'] },
    {
      ...{ text: '((struct sokc *)data)->«x»', why: 'nothing is known about struct sokc' },
      hints: ['did you mean struct: sock'],
    },
    { text: '«STRCMPP("a", sk)»', why: "there is no function 'STRCMPP'", hints: ['did you mean: STRCMP', functions] },
    { text: '«$entry(size)»', why: "there is no function '$entry'", hints: [functions] },
    { text: '«STRCMP("a")»', why: 'STRCMP takes a text and a value', hints: ['STRCMP("text", value)'] },
    { text: '«STARTS(sk, sk)»', why: 'STARTS takes a text and a value', hints: ['STARTS("text", value)'] },
    { text: '«STARTS("a", "b")»', why: 'STARTS takes a text and a value', hints: ['STARTS("text", value)'] },
    { text: 'STRCMP("a", «sk->sk_addr»)', why: 'a struct in_addr is no text' },
    {
      ...{ text: '«siez» > 1', why: "there is no 'siez' here" },
      hints: [
        'did you mean: size',
        'known here: $pid, $comm, arg1, sk, arg2, size, arg3, mode, arg4, data, arg5, other, arg6, ctx',
      ],
    },
  ];
  const run = check(scopeAt('p::f'));
  for (const one of cases) {
    refuses(one, run);
  }
});

test('a text has a length that programs can compare, and a list of bytes is one', () => {
  const long = 'x'.repeat(60);
  const bytes = [...Array(129).keys()].map(() => '1').join(',');
  assert.throws(() => check(scopeAt('p::f'))(`sk->sk_name == "${long.repeat(3)}"`), /128 bytes at most/);
  const run = check(scopeAt('p::f'), { bytes: true });
  assert.throws(() => run(`STRCMP("{${bytes}}", sk)`), /128 bytes at most/);
  const why = 'this is no list of bytes';
  const hints = ['"{0x01, 0x02}"'];
  for (const list of ['', '{}', '{256}', '{0x100}', '1, 2', '{1 2}', '{-1}']) {
    refuses({ text: `STRCMP(«"${list}"», sk)`, why, hints }, run);
  }
  refuses({ text: 'STRCMP("{1}", «mode»)', why: 'a number (int) is no text' }, run);
});

test('what was, is not yet, or was never there is told apart', () => {
  const back = ['$pid', '$comm', 'retval', 'ctx'];
  const here = (names: readonly string[]) => [`known here: ${names.join(', ')}`];
  const cases: readonly (readonly [place: string, expected: Expected])[] = [
    [
      'p::f',
      {
        ...{ text: '«retval»', why: "retval is known at the return: 'r::f'" },
        hints: here('$pid, $comm, arg1, sk, arg2, size, arg3, mode, arg4, data, arg5, other, arg6, ctx'.split(', ')),
      },
    ],
    ['r::f', { text: '«sk»->sk_next', why: "'sk' is gone when the function returns", hints: here(back) }],
    ['r::f', { text: '«arg1»', why: "'arg1' is gone when the function returns", hints: here(back) }],
    ['r::f(a)', { text: '«a»', why: "'a' is gone when the function returns", hints: here(back) }],
    ['r::f', { text: '«retvla»', why: "there is no 'retvla' here", hints: ['did you mean: retval', ...here(back)] }],
  ];
  for (const [place, expected] of cases) {
    refuses(expected, check(scopeAt(place)));
  }
  const silent = { parameters: [], returns: nothing };
  refuses(
    { text: '«retval»', why: 'f returns nothing', hints: here(['$pid', '$comm', 'ctx']) },
    check(scopeAt('r::f', { types: silent })),
  );
  // Where a function of a library returns nobody knows what.
  refuses(
    {
      ...{ text: '«retval» == -1', why: "'retval' has no known type, so it is never below 0" },
      hints: ['a cast gives it a sign: (int)retval'],
    },
    check(functionScope({ specification: parseSpecification('r:c:f'), common, find, hook: 'registers' })),
  );
  // fexit knows both.
  assert.doesNotThrow(() => check(scopeAt('r::f', { hook: 'words' }))('sk->sk_family == 2 && retval < 0'));
});

test('a signature is compared with what the kernel says', () => {
  const parameters = ['parameters: sk, size, mode, data, other'];
  const cases: readonly Expected[] = [
    { text: 'p::f(a, b, c, d, e, «g»)', why: 'f has 5 parameters', hints: parameters },
    { text: 'p::f(«size»)', why: "'size' is parameter 2 of f, and this is 1", hints: parameters },
    { text: 'p::f(sk, «int mode»)', why: "'mode' is parameter 3 of f, and this is 2", hints: parameters },
    { text: 'p::f(«void a»)', why: 'no parameter is a void' },
    { text: 'p::f(«struct sokc a»)', why: 'no parameter is a struct sokc' },
    { text: 'p::f(«sectort» a)', why: "there is no type 'sectort'", hints: ['did you mean: sector_t'] },
  ];
  for (const one of cases) {
    refuses(one, (text) => scopeAt(text));
  }
  const nobody = { parameters: [], returns: s64 };
  refuses({ text: 'p::f(«a»)', why: 'f has 0 parameters' }, (text) => scopeAt(text, { types: nobody }));
});

test('a probe says which arguments it has', () => {
  const at = (given: string) => check(usdtScope(parseUsdtArguments(given), common, find));
  const here = ['known here: $pid, $comm'];
  refuses({ text: '«arg1» == 1', why: 'this probe has no arguments', hints: here }, at(''));
  const two = process.arch === 'arm64' ? '8@x0 4@x1' : '8@%rdi 4@%esi';
  refuses(
    {
      text: '«arg3»',
      why: 'this probe has 2 arguments',
      hints: ['did you mean: arg1, arg2', 'known here: $pid, $comm, arg1, arg2'],
    },
    at(two),
  );
  refuses({ text: '«arg1»', why: 'where arg1 of this probe is cannot be read', hints: here }, at('8@%nowhere'));
  refuses({ text: '«name»', why: "there is no 'name' here", hints: here }, at(''));
});

test('a tracepoint says which fields it has', () => {
  const field = (name: string, type: string, offset: number, size: number, signed: boolean) => ({
    name,
    type,
    offset,
    size,
    signed,
  });
  const record = tracepointRecord(
    [field('prev_pid', 'int', 8, 4, true), field('filename', '__data_loc char[]', 12, 4, true)] as never,
    'sched:x',
  );
  const run = check(tracepointScope(record, common, find));
  refuses(
    {
      ...{ text: 'args->«prev_pdi»', why: "tracepoint sched:x has no member 'prev_pdi'" },
      hints: ['did you mean: prev_pid'],
    },
    run,
  );
  refuses(
    {
      ...{ text: '«prev_pdi» == 1', why: "there is no 'prev_pdi' here" },
      hints: ['did you mean: prev_pid', 'known here: args->prev_pid, args->filename, prev_pid, filename, $pid, $comm'],
    },
    run,
  );
  refuses({ text: 'args.«prev_pid»', why: 'this is a pointer: write ->prev_pid' }, run);
});
