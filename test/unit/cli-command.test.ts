import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CommandSpec, exampleLines, helpText, parseArguments, unknownCommand } from '../../lib/cli/command.ts';
import { KscopeError } from '../../lib/model/errors.ts';
import { accepted, choice, flag, integer, list, type Options, parseInteger, text } from '../../lib/shapes/options.ts';
import { fakeTool } from '../helpers/fake-tool.ts';
import { assertGolden } from '../helpers/golden.ts';

const options: Options = {
  pid: integer('-p, --pid <PID>', 'only this process', { min: 1, group: 'filter' }),
  failedOnly: flag('-x, --failed', 'only what failed', { hidden: ['--failed_only', '-X'] }),
  good: flag('--good', 'only what did not fail', { conflicts: ['failedOnly'], hidden: ['--with-failed=false'] }),
  names: list('-n, --name <NAMES>', 'only these names', (one) => one, { hidden: ['--only'] }),
  kind: choice('--kind <KIND>', 'what kind', ['raw', 'fine'], { default: 'fine' }),
  noHeader: flag('--no-header', 'leave the header out'),
  where: text('--where [PLACE]', 'somewhere'),
};

const spec: CommandSpec = {
  summary: 'Do something.',
  options,
  positionals: [
    { key: 'interval', name: '[interval]', summary: 'seconds', parse: (given) => parseInteger(given, 1, 100) },
    { key: 'count', name: 'count', summary: 'how often', parse: (given) => parseInteger(given, 1, 100) },
  ],
  examples: {},
};

function values(...argv: string[]): Readonly<Record<string, unknown>> {
  const parsed = parseArguments('thing', spec, argv);
  assert.equal(parsed.kind, 'run');
  return parsed.kind === 'run' ? parsed.values : {};
}

function refusal(...argv: string[]): { readonly message: string; readonly hints: readonly string[] } {
  try {
    parseArguments('thing', spec, argv);
  } catch (error) {
    assert.ok(error instanceof KscopeError, String(error));
    assert.equal(error.code, 'usage');
    return { message: error.message, hints: error.hints };
  }
  return assert.fail(`accepted: ${argv.join(' ')}`);
}

test('without arguments every value is its default', () => {
  assert.deepEqual(values(), {
    pid: undefined,
    failedOnly: false,
    good: false,
    names: undefined,
    kind: 'fine',
    noHeader: false,
    where: undefined,
    interval: undefined,
    count: undefined,
  });
});

test('values are stored under the key of the definition, however they are spelled', () => {
  for (const spelling of [['-p', '7'], ['-p7'], ['--pid', '7'], ['--pid=7'], ['-xp7'], ['-p', '0x7']]) {
    assert.equal(values(...spelling).pid, 7, spelling.join(' '));
  }
  for (const spelling of ['-x', '--failed', '--failed_only', '-X']) {
    assert.equal(values(spelling).failedOnly, true, spelling);
  }
  assert.deepEqual(values('--only', 'a').names, ['a']);
});

test('a flag can be the opposite of one that is on elsewhere', () => {
  assert.equal(values('--with-failed=false').good, true);
  assert.equal(values('--with-failed=true').good, false);
  assert.equal(values('--with-failed').good, false);
  assert.match(refusal('--with-failed=no').message, /'no' is not true or false/);
});

test('an argument that can be given several times is a list', () => {
  const several: CommandSpec = {
    ...spec,
    positionals: [
      { key: 'names', name: '<name...>', summary: 'names', parse: (given) => [parseInteger(given, 1, 100)] },
    ],
  };
  const parsed = parseArguments('thing', several, ['3', '-x', '1', '2']);
  assert.deepEqual(parsed.kind === 'run' && parsed.values.names, [3, 1, 2]);
  assert.throws(() => parseArguments('thing', several, []), /missing required argument 'name'/);
  assert.throws(() => parseArguments('thing', several, ['1', 'two']), /argument '<name\.\.\.>': 'two' is not/);
});

test('a flag that begins with no- is on when it is given', () => {
  assert.equal(values('--no-header').noHeader, true);
});

test('repeated lists are joined in order, other options take the last value', () => {
  assert.deepEqual(values('-n', 'a,b', '--only=c', '-n', 'd').names, ['a', 'b', 'c', 'd']);
  assert.equal(values('-p', '1', '-p', '2').pid, 2);
});

test('arguments may stand anywhere', () => {
  const { interval, count, failedOnly } = values('5', '-x', '2');
  assert.deepEqual({ interval, count, failedOnly }, { interval: 5, count: 2, failedOnly: true });
  assert.equal(values('--', '5').interval, 5);
});

test('parsing twice starts from nothing twice', () => {
  values('-n', 'a', '-x');
  assert.equal(values().names, undefined);
  assert.equal(values().failedOnly, false);
});

test('a wrong command line is refused with one sentence and what to do', () => {
  const help = 'thing --help';
  assert.deepEqual(refusal('--pod'), { message: "unknown option '--pod'", hints: ['did you mean --pid?', help] });
  assert.deepEqual(refusal('-q'), { message: "unknown option '-q'", hints: [help] });
  assert.deepEqual(refusal('-p', '0'), {
    message: "option '-p, --pid <PID>': '0' is not a whole number from 1 to 2147483647",
    hints: [help],
  });
  assert.deepEqual(refusal('--kind', 'odd'), {
    message: "option '--kind <KIND>': 'odd' is not one of raw, fine",
    hints: [help],
  });
  assert.deepEqual(refusal('-p'), { message: "option '-p, --pid <PID>' needs a value", hints: [help] });
  assert.deepEqual(refusal('--good', '-x'), {
    message: "option '--good' cannot be used with option '-x, --failed'",
    hints: [help],
  });
  assert.match(refusal('--good', '--failed_only').message, /cannot be used with/);
  assert.deepEqual(refusal('x'), {
    message: "argument '[interval]': 'x' is not a whole number from 1 to 100",
    hints: [help],
  });
  assert.deepEqual(refusal('1', '2', 'three'), { message: "unexpected argument 'three'", hints: [help] });
});

test('an error of a parser that is no usage error is not made one', () => {
  const broken: Options = {
    user: {
      flags: '--user <NAME>',
      summary: 'a user',
      parse: () => {
        throw new KscopeError('failed', 'no such file');
      },
    },
    bug: {
      flags: '--bug <X>',
      summary: 'a bug',
      parse: () => {
        throw new TypeError('oops');
      },
    },
  };
  const parse =
    (...argv: string[]) =>
    () =>
      parseArguments('thing', { ...spec, options: broken }, argv);
  assert.throws(parse('--user', 'x'), { code: 'failed', message: 'no such file' });
  assert.throws(parse('--bug', 'x'), TypeError);
});

test('a letter or name used twice is refused', () => {
  const twice = (a: string, b: string) => () =>
    parseArguments('thing', { ...spec, options: { a: flag(a, 'a'), b: flag(b, 'b') } }, []);
  assert.throws(twice('-a, --aa', '-a, --bb'));
  assert.throws(twice('--aa', '--aa'));
  assert.throws(twice('-h, --aa', '--bb'));
  assert.throws(twice('-V, --aa', '--bb'));
  assert.doesNotThrow(twice('-a, --aa', '-b, --bb'));
});

test('--version names the command and the package', () => {
  const parsed = parseArguments('thing', spec, ['--version']);
  assert.match(parsed.kind === 'text' ? parsed.text : '', /^thing \(kscope \d+\.\d+\.\d+.*\)\n$/);
  assert.deepEqual(parseArguments('thing', spec, ['-V']), parsed);
});

test('help shows groups, choices and examples, and nothing that is hidden', () => {
  assertGolden('help/all-kinds.txt', helpText('thing', { ...spec, examples: { '-x 5': 'what fails in 5 seconds' } }));
  const tool = fakeTool(async function* () {});
  assertGolden('help/tool.txt', helpText('rows', tool));
  assert.deepEqual(parseArguments('rows', tool, ['-h']), { kind: 'text', text: helpText('rows', tool) });
});

test('help wins over everything else on the line', () => {
  assert.equal(parseArguments('thing', spec, ['-x', '--help']).kind, 'text');
});

test('examples that do not fit beside their explanation stand above it', () => {
  const long = { [`--name ${'x'.repeat(60)}`]: 'a long one', '-x': 'short' };
  const lines = exampleLines('thing', long);
  assert.deepEqual(lines, [`  thing --name ${'x'.repeat(60)}`, '      a long one', '  thing -x', '      short']);
});

test('an unknown command is told with the nearest one', () => {
  assert.deepEqual(unknownCommand('lits', ['list', 'help']).hints, ['did you mean list?', 'kscope --help']);
  const { message, hints } = unknownCommand('zzz', ['list', 'help']);
  assert.deepEqual({ message, hints }, { message: "unknown command 'zzz'", hints: ['kscope --help'] });
});

test('what is accepted for the sake of other tools is told nowhere', () => {
  const more = {
    ...spec,
    options: { ...options, old: accepted('-o, --old-way'), size: accepted('-s, --size <COUNT>') },
  };
  assert.equal(helpText('thing', more), helpText('thing', spec));
  const parsed = parseArguments('thing', more, ['-o', '-s', '3', '--pid', '7', '5']);
  assert.ok(parsed.kind === 'run');
  assert.deepEqual([parsed.values.pid, parsed.values.interval, parsed.values.size], [7, 5, '3']);
});
