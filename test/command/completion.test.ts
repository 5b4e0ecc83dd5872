import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { completedCommands, completionScript, type Shell } from '../../lib/cli/completion.ts';
import type { Tool } from '../../lib/shapes/definition.ts';
import { choice, type Options, text } from '../../lib/shapes/options.ts';
import { fakeTool } from '../helpers/fake-tool.ts';
import { assertGolden } from '../helpers/golden.ts';

const folder = mkdtempSync(join(tmpdir(), 'kscope-completion-'));
after(() => rmSync(folder, { recursive: true }));

const own: Options = {
  odd: choice('--odd <WORD>', "it's [odd]: $HOME `x` \\", ['plain', 'two words', "it's", '$HOME', '`x`', 'a:b', '*']),
  pid: text('-p, --pid <PID>', 'a process', { completes: 'pid' }),
  user: text('--user <USER>', 'a user', { completes: 'user' }),
  place: text('--place <DIR>', 'a folder', { completes: 'directory' }),
};
const plain = fakeTool(async function* () {}, { aliases: { 'three-rows': ['--rows', '3'] } });
const tools = new Map<string, Tool>([
  ['rows', plain],
  ['odd-tool', { ...plain, aliases: {}, options: { ...own, ...plain.options } }],
]);
const commands = completedCommands(tools);

function has(command: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${command}`]).status === 0;
}

function scriptFile(shell: Shell, name: string): string {
  const path = join(folder, name);
  writeFileSync(path, completionScript(shell, commands));
  return path;
}

function run(command: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}): string {
  const { status, stdout, stderr } = spawnSync(command, args, {
    encoding: 'utf8',
    cwd: folder,
    env: { ...process.env, ...environment },
  });
  assert.equal(stderr, '', args.join(' '));
  assert.equal(status, 0, args.join(' '));
  return stdout;
}

for (const [shell, name] of [
  ['bash', 'kscope.bash'],
  ['zsh', '_kscope'],
  ['fish', 'kscope.fish'],
] as const) {
  test(`the script for ${shell} is what it was`, () =>
    assertGolden(`completion/${name}`, completionScript(shell, commands)));
  test(`${shell} can read it`, { skip: !has(shell) }, () => {
    run(shell, ['-n', scriptFile(shell, name)]);
  });
}

/** What bash offers for the last of these words. */
function offered(words: readonly string[], { breaks = true } = {}): string[] {
  const script = scriptFile('bash', 'kscope.bash');
  const drive = `
    source "$1"; shift
    COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
    # The function that bash itself would call, found as bash finds it.
    spec=$(complete -p "\${COMP_WORDS[0]}"); name=\${spec#*-F }; \${name%% *}
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  const split = breaks
    ? words.flatMap((word) => (word.startsWith('--') ? word.split(/(=)/).filter((part) => part !== '') : [word]))
    : words;
  return run('bash', ['--norc', '-c', drive, 'bash', script, ...split])
    .split('\n')
    .slice(0, -1);
}

test('bash offers commands, then their options', () => {
  assert.deepEqual(offered(['kscope', 'r']), ['rows']);
  assert.deepEqual(offered(['kscope', '']), [
    'completion',
    'doctor',
    'help',
    'list',
    'odd-tool',
    'rows',
    'schema',
    'three-rows',
    'types',
    'view',
    '-h',
    '--help',
    '-V',
    '--version',
  ]);
  const options = ['--fields', '--failed'];
  assert.deepEqual(offered(['rows', '--f']).sort(), options.sort());
  assert.deepEqual(offered(['kscope', 'rows', '--f']).sort(), options);
  assert.deepEqual(offered(['three-rows', '--f']).sort(), options);
  assert.deepEqual(offered(['kscope', 'list', '--']), ['--json', '--help']);
  assert.deepEqual(offered(['kscope', 'no-such-tool', '']), ['']);
});

test('bash offers the arguments of commands', () => {
  assert.deepEqual(offered(['kscope', 'schema', 'o']), ['odd-tool']);
  assert.deepEqual(offered(['kscope', 'completion', '']).slice(0, 3), ['bash', 'zsh', 'fish']);
  assert.deepEqual(offered(['kscope', 'help', 'd']), ['doctor']);
});

test('bash offers values, whichever way they are given', () => {
  assert.deepEqual(offered(['rows', '--time', '']), ['clock', 'rfc3339', 'unix', 'relative']);
  assert.deepEqual(offered(['rows', '--time=r']), ['rfc3339', 'relative']);
  assert.deepEqual(offered(['rows', '--time=']), ['clock', 'rfc3339', 'unix', 'relative']);
  assert.deepEqual(offered(['rows', '--time=r'], { breaks: false }), ['--time=rfc3339', '--time=relative']);
  assert.deepEqual(offered(['kscope', 'rows', '--time', 'u']), ['unix']);
  assert.deepEqual(offered(['rows', '--fields', 'p']), ['pid', 'path']);
  assert.deepEqual(offered(['rows', '--fields', 'pid,fd,p']), ['pid,fd,pid', 'pid,fd,path']);
  assert.deepEqual(offered(['rows', '--rows', '']), ['']);
});

test('bash offers words as they are, without evaluating them', () => {
  assert.deepEqual(offered(['odd-tool', '--odd', '']), ['plain', 'two words', "it's", '$HOME', '`x`', 'a:b', '*']);
});

test('bash offers processes, users, files and folders', () => {
  assert.ok(offered(['odd-tool', '-p', '']).includes(String(process.pid)));
  assert.ok(offered(['odd-tool', '--user', '']).includes(userInfo().username));
  const file = join(folder, 'a file');
  writeFileSync(file, '');
  assert.deepEqual(offered(['rows', '--btf', join(folder, 'a')]), [file]);
  assert.deepEqual(offered(['odd-tool', '--place', join(folder, 'a')]), ['']);
});

test('fish offers commands, options and values', { skip: !has('fish') }, () => {
  const script = scriptFile('fish', 'kscope.fish');
  const complete = (line: string) =>
    run('fish', ['--no-config', '-c', `source ${script}; complete -C ${JSON.stringify(line)}`])
      .trimEnd()
      .split('\n')
      .map((answer) => answer.split('\t')[0]);
  assert.deepEqual(complete('kscope r'), ['rows']);
  assert.deepEqual(complete('kscope schema o'), ['odd-tool']);
  assert.deepEqual(complete('rows --time r').sort(), ['relative', 'rfc3339']);
  assert.deepEqual(complete('kscope rows --time r').sort(), ['relative', 'rfc3339']);
  assert.ok(complete('rows --f').includes('--failed'));
  assert.deepEqual(
    complete('odd-tool --odd ').sort(),
    ['plain', 'two words', "it's", '$HOME', '`x`', 'a:b', '*'].sort(),
  );
});

test('zsh offers commands, options and values', { skip: !has('zsh') }, () => {
  scriptFile('zsh', '_kscope');
  // Completion needs a line editor: zsh starts another one in a pseudo-terminal, and types when its prompt is there.
  const drive = `
    zmodload zsh/zpty
    zpty z zsh -f -i
    zpty -w z 'fpath=(${folder} $fpath); autoload -Uz compinit; compinit -u -D'
    zpty -w z 'bindkey "^I" list-choices; zstyle ":completion:*" list-grouped false; LISTMAX=999; PS1=PRO""MPT'
    zpty -r z text '*PROMPT*'
    zpty -w -n z "$1"$'\\t'$'\\C-u''print EN""D'$'\\n'
    zpty -r z text '*END*'
    print -r -- $text
    zpty -d z`;
  const complete = (line: string) => run('zsh', ['-f', '-c', drive, 'zsh', line]);
  assert.match(complete('kscope '), /odd-tool[\s\S]*three-rows/);
  assert.match(complete('rows --time '), /clock\s+relative\s+rfc3339\s+unix/);
  assert.match(complete('rows --fail'), /--failed/);
  assert.match(complete('kscope schema '), /odd-tool\s+rows/);
});
