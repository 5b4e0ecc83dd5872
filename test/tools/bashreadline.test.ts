import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseElf } from '../../lib/bpf/elf.ts';
import { functionsOf } from '../../lib/bpf/user-functions.ts';
import { runTool } from '../helpers/run-tool.ts';
import { watch } from '../helpers/watch.ts';

const bash = '/bin/bash';

/** Types lines into an interactive bash on a terminal of its own. @returns its pid, which it was made to print */
async function type(lines: readonly string[]): Promise<number> {
  const child = spawn('script', ['-qc', `${bash} --norc --noprofile -i`, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  let output = '';
  child.stdout.on('data', (text) => {
    output += text;
  });
  child.stdin.end(`${['echo "pid=$$="', ...lines, 'exit'].join('\n')}\n`);
  await once(child, 'close');
  return Number(/pid=(\d+)=/.exec(output)?.[1]);
}

function lacks(): string | false {
  if (spawnSync('script', ['--version']).status !== 0) {
    return 'there is no script(1) to give bash a terminal';
  }
  const own = functionsOf(parseElf(readFileSync(bash), bash), ['readline']);
  return own.length === 0 && 'bash has readline in a library';
}

test('each line that is typed is one row, by the shell that read it', { skip: lacks() }, async () => {
  const long = `: ${'x'.repeat(1500)}`;
  let pid = 0;
  const seen = await watch('bashreadline', { all: ['--json'], file: ['--json', '-s', bash], text: [] }, async () => {
    pid = await type(['echo  two   spaces', '', `bash -c 'echo not typed'`, ': ünï', long]);
    // Not interactive: nothing is read with readline.
    spawnSync(bash, { input: 'echo from a pipe\n' });
  });
  const rows = seen.all.rows.filter((row) => row.pid === pid);
  const [first, ...typed] = ['echo "pid=$$="', 'echo  two   spaces', '', `bash -c 'echo not typed'`, ': ünï'];
  assert.deepEqual(
    rows.map(({ command, uid, comm, truncated }) => ({ command, uid, comm, truncated })),
    [
      ...[first, ...typed].map((command) => ({ command, uid: 0, comm: 'bash', truncated: undefined })),
      { command: long.slice(0, 959), uid: 0, comm: 'bash', truncated: true },
      { command: 'exit', uid: 0, comm: 'bash', truncated: undefined },
    ],
  );
  assert.equal(
    seen.all.rows.some(({ command }) => String(command).includes('from a pipe')),
    false,
  );
  assert.deepEqual(
    seen.file.rows.filter((row) => row.pid === pid).map(({ command }) => command),
    rows.map(({ command }) => command),
  );
  const [header = '', ...lines] = seen.text.stdout.trimEnd().split('\n');
  assert.equal(header.split(/ +/).join(' '), 'TIME PID COMMAND');
  assert.equal(lines.filter((line) => line.includes(` ${pid} `)).length, rows.length);
});

test('a file without the function is refused', async () => {
  const { code, stderr } = await runTool('bashreadline', ['-s', '/bin/true']);
  assert.equal(code, 2);
  assert.match(stderr, /^bashreadline: '\/bin\/true' is no ELF file that has readline\n/);
});
