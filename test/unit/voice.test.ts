import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ownCommands } from '../../lib/cli/own-commands.ts';
import { Registry } from '../../lib/cli/registry.ts';
import type { Option } from '../../lib/shapes/options.ts';
import { told } from '../helpers/told.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const tools = await new Registry().loadAll();

/** Options that have a name, by it, with the tools and commands that have them. */
const options = new Map<string, { readonly tool: string; readonly option: Option }[]>();
for (const [tool, { options: own }] of [...tools, ...Object.entries(ownCommands)]) {
  for (const option of Object.values(own)) {
    const name = /--[\w-]+/.exec(option.flags)?.[0];
    if (name !== undefined && option.unlisted !== true) {
      options.set(name, [...(options.get(name) ?? []), { tool, option }]);
    }
  }
}

/** Letters besides the usual one: those that the tools of bcc have, which gave the same option several. */
const otherLetters: Readonly<Record<string, string>> = {
  '--address': 'a',
  '--cgroup': 'c',
  '--comm': 'c',
  '--count': 'C',
  '--cpu': 'C',
  '--csv': 'js',
  '--duration': 'dD',
  '--failures': 'f',
  '--flags': 'f',
  '--json': 'jJ',
  '--latency': 'Ll',
  '--lock': 'L',
  '--lport': 'lp',
  '--netns': 'N',
  '--per-cpu': 'C',
  '--per-thread': 'LP',
  '--ppid': 'c',
  '--print-netns': 'N',
  '--reason': 'r',
  '--remoteport': 'R',
  '--rport': 'P',
  '--sort': 'S',
  '--string-size': 'Z',
  '--syscalls': 'S',
  '--tid': 'L',
  '--tids': 'T',
  '--threshold': 't',
  '--timestamp': 't',
};

test('an option has the same letter in all tools, unless a letter means something else there', () => {
  const wrong = [...options].flatMap(([name, uses]) => {
    const [[usual = ''] = [], ...others] = told(uses, ({ option }) => /^-(\w),/.exec(option.flags)?.[1] ?? '');
    const allowed = `${otherLetters[name] ?? ''}`;
    return others.filter(([letter]) => letter !== '' && !allowed.includes(letter)).map((one) => [name, usual, ...one]);
  });
  assert.deepEqual(wrong, []);
});

/**
 * Options whose help says what they choose among the rows, requests or calls of that tool; all others say the same
 * everywhere.
 */
const aboutRows = new Set([
  ...['--all', '--count', '--dist', '--extended', '--extra', '--failed', '--failures', '--flags', '--list', '--wide'],
  ...['--comm', '--disk', '--interface', '--name', '--pid', '--tid', '--tids', '--tpid', '--type', '--uid'],
  ...['--port', '--lport', '--rport', '--localport', '--remoteport', '--reason', '--full-path'],
  ...['--min', '--threshold', '--latency', '--top', '--datasize', '--print-tids', '--syscalls', '--verbose'],
  ...['--per-cpu', '--per-process', '--per-thread'],
]);

/** Options that mean the same in other words: of each output or each line, of the rows or of the probes. */
const otherWords: Readonly<Record<string, number>> = { '--timestamp': 3, '--rows': 2 };

/** Numbers and what holds unless something else is given are a tool's own. */
function meaning({ summary }: Option): string {
  return summary.replace(/; (?:usually|otherwise) .+$/, '');
}

test('the help of an option says the same in all tools, unless it is about their rows', () => {
  for (const [name, uses] of options) {
    const texts = told(uses, ({ option }) => meaning(option));
    if (!aboutRows.has(name)) {
      assert.ok(texts.length <= (otherWords[name] ?? 1), JSON.stringify([name, ...texts.slice(-3)]));
    }
  }
});

test('no exception outlives its reason', () => {
  const several = (name: string, of: (option: Option) => string) =>
    told(options.get(name) ?? [], ({ option }) => of(option)).length > 1;
  assert.deepEqual(
    [...aboutRows, ...Object.keys(otherWords)].filter(
      (name) => !several(name, meaning) && !several(name, ({ flags }) => flags),
    ),
    [],
  );
  assert.deepEqual(
    Object.keys(otherLetters).filter((name) => !several(name, ({ flags }) => flags)),
    [],
  );
});

test('the help of an option is a phrase: no capital at its beginning, no period at its end', () => {
  const wrong = [...options.values()].flat().filter(({ option: { summary } }) => !isPhrase(summary));
  assert.deepEqual(
    wrong.map(({ tool, option }) => [tool, option.summary]),
    [],
  );
});

test('what chooses is a filter, what shows is a column, what prints is about the output', () => {
  const headings: readonly (readonly [words: RegExp, groups: readonly string[]])[] = [
    [/^only /, ['filter']],
    [/^(also )?show (?!a live view)/, ['column', 'output']],
    [/^(also )?(print|put|write) /, ['output']],
  ];
  const wrong = [...options.values()].flat().filter(({ option: { summary, group = 'own' } }) => {
    const groups = headings.find(([words]) => words.test(summary))?.[1];
    return groups === undefined ? group === 'filter' || group === 'column' : !groups.includes(group);
  });
  assert.deepEqual(
    wrong.map(({ tool, option: { flags, summary, group } }) => [tool, group, flags, summary]),
    [],
  );
});

/** Words of which there is another one for the same everywhere else. */
const otherWordings: Readonly<Record<string, RegExp>> = {
  'also ...': /, too$|\bas well\b/,
  'at least, at most this many ...':
    /\b(so|that) (many|much)\b|\bat (least|most) this long\b|\bthis many .*\bat (least|most)\b/,
  'begins with PREFIX, contains TEXT': /\b(begins?|contains?) (so|this)$/,
  'leave out ...': /^not /,
  'otherwise ..., usually ...': /\bwithout it\b|\bby default\b|\bunless given\b/,
  'what it is': /^the same\b/,
};

test('the help of options uses the same words for the same', () => {
  const places = [...tools, ...Object.entries(ownCommands)].flatMap(([tool, { positionals }]) =>
    positionals.map(({ summary }) => ({ tool, summary })),
  );
  const named = [...options.values()].flat().map(({ tool, option: { summary } }) => ({ tool, summary }));
  const wrong = [...named, ...places].flatMap(({ tool, summary }) =>
    Object.entries(otherWordings)
      .filter(([, other]) => other.test(summary))
      .map(([words]) => [tool, summary, words]),
  );
  assert.deepEqual(wrong, []);
});

test('what an option takes is called the same in its name and in its help, and choices are listed once', () => {
  const wrong = [...options.values()].flat().filter(({ option: { flags, summary, choices = [] } }) => {
    const value = /<([A-Z:]+)>$/.exec(flags)?.[1];
    const named = (summary.match(/\b(FILE|PREFIX|REGEX|TEXT)\b/g) ?? []).every((word) => word === value);
    const one = `(${choices.join('|')})`;
    const listed = choices.length > 0 && new RegExp(`\\b${one}(, | or )${one}\\b`).test(summary);
    return !named || listed || /<(LIST|N|P|USECS)>/.test(flags);
  });
  assert.deepEqual(
    wrong.map(({ tool, option: { flags, summary } }) => [tool, flags, summary]),
    [],
  );
});

test('the summaries read as one list', () => {
  const verbs = /^(Count|Find|Have|Keep|List|Print|Profile|Sample|Show|Summarize|Trace)\b/;
  for (const [name, { summary, area }] of tools) {
    assert.match(summary, verbs, name);
    assert.match(summary, /^[^.\n]+\.$/, name);
    assert.ok(name.length + summary.length <= 80, name);
    assert.notEqual(area, 'other', `${name} does not say what it is about: area`);
  }
});

test('examples are shown in the order in which they are written', () => {
  // An object has keys that are whole numbers first, wherever they were written.
  const wrong = [...tools].flatMap(([name, { examples }]) => Object.keys(examples).map((args) => [name, args]));
  assert.deepEqual(
    wrong.filter(([, args = '']) => /^(0|[1-9]\d*)$/.test(args)),
    [],
    'write the option that it stands for, or another number',
  );
});

/** Texts that follow a mark in the sources, as far as they are written in one piece. */
function textsAfter(mark: RegExp): readonly string[] {
  const text = new RegExp(`${mark.source}\\s*(?:'((?:\\\\.|[^'\\\\])*)'|\`((?:\\\\.|[^\`\\\\])*)\`|"([^"]*)")`, 'g');
  return ['lib', 'tools'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .flatMap((file) =>
        [...readFileSync(join(root, folder, file), 'utf8').matchAll(text)].map(([, a, b, c]) => a ?? b ?? c ?? ''),
      ),
  );
}

/** Names of things keep their capital: 'BTF', 'Node.js', 'Linux'. */
function isPhrase(text: string): boolean {
  const [first = ''] = text.split(' ');
  return !/\.$/.test(text) && (!/^[A-Z][a-z]*$/.test(first) || /^(Go|Linux)$/.test(first));
}

test('errors and hints are phrases in one form', () => {
  const errors = textsAfter(/new KscopeError\(\s*'\w+',/);
  const hints = textsAfter(/\bhint:/);
  assert.ok(errors.length > 150 && hints.length > 50, `${errors.length} errors, ${hints.length} hints`);
  assert.deepEqual(
    [...errors, ...hints].filter((text) => !isPhrase(text)),
    [],
  );
});
