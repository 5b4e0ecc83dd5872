import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { viewModules, withLoadedModules } from '../helpers/loaded-modules.ts';
import { allowedProcessors } from '../helpers/processors.ts';
import { runTool, toolCommand } from '../helpers/run-tool.ts';
import { spinOn } from '../helpers/spinner.ts';
import { noTmux, quoted, Tmux } from '../helpers/tmux.ts';

const size = { width: 100, height: 30 };
const command = (name: string, ...args: string[]) => toolCommand(name, args).map(quoted).join(' ');

async function assertLeft(tmux: Tmux): Promise<void> {
  tmux.keys('q');
  const { status, before, after, screen } = await tmux.ended();
  assert.equal(status, 0, screen);
  assert.deepEqual(after, before);
  assert.equal(after.alternate, false);
}

test('a run without a view loads nothing of it', async () => {
  const { result, modules } = await withLoadedModules(toolCommand('opensnoop', ['--duration', '0.1']));
  assert.equal(result.code, 0, result.stderr);
  assert.deepEqual(viewModules(modules), []);
});

test('events are seen in a view', { skip: noTmux }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kscope-seen-'));
  using tmux = await Tmux.start(command('opensnoop', '--view', '-p', String(process.pid)), size);
  await tmux.until((text) => text.includes('● live'));
  closeSync(openSync(join(folder, 'a-file'), 'w'));
  await tmux.until((text) => text.includes(join(folder, 'a-file')));
  await assertLeft(tmux);
  rmSync(folder, { recursive: true });
});

test('a command that is traced in a view leaves the terminal to it, also when it has ended', {
  skip: noTmux,
}, async () => {
  using tmux = await Tmux.start(`${command('opensnoop', '--view')} -- cat /dev/null /etc/hostname`, size);
  const screen = await tmux.until((text) => text.includes('■ ended') && text.includes('/etc/hostname'));
  assert.doesNotMatch(screen, new RegExp(`^${hostname()}$`, 'm'));
  await assertLeft(tmux);
});

test('counts that are printed at the end are seen all the time in a view', { skip: noTmux }, async () => {
  using tmux = await Tmux.start(command('softirqs', '--view'), size);
  await tmux.until((text) => /^timer +\d+ +\d+/m.test(text));
  await assertLeft(tmux);
});

test('distributions are a heat map in a view', { skip: noTmux }, async () => {
  using tmux = await Tmux.start(command('softirqs', '--view', '-d', '0.2'), size);
  await tmux.until((text) => /^softirq = \w+ {2}usecs/m.test(text) && /p99/.test(text));
  await assertLeft(tmux);
});

test('stacks are seen while they are sampled', { skip: noTmux }, async () => {
  using tmux = await Tmux.start(command('profile', '--view'), size);
  await tmux.until((text) => /^.*SHARE +SAMPLES +FUNCTION/m.test(text) && /\d\.\d% +\d+ +[▸▾]/.test(text));
  await assertLeft(tmux);
});

for (const [name, ...args] of [
  ['opensnoop', '-T', '--duration', '0.5'],
  ['softirqs', '-d', '-e', '0.2', '2'],
  ['softirqs', '-T', '0.2', '2'],
  ['profile', '0.5'],
] as const) {
  test(`what is recorded is played as it was printed: ${[name, ...args].join(' ')}`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'kscope-record-'));
    const file = join(folder, 'recording');
    // Where nothing runs, nothing is sampled.
    await using _spinner = spinOn(allowedProcessors()[0] as number);
    const printed = await runTool(name, [...args, '--record', file]);
    assert.equal(printed.code, 0, printed.stderr);
    const played = await runTool('kscope', ['view', file]);
    assert.equal(played.code, 0, played.stderr);
    assert.equal(played.stdout, printed.stdout);
    assert.notEqual(played.stdout, '');
    rmSync(folder, { recursive: true });
  });
}

test('JSON is played without a recording', async () => {
  const { stdout: json } = await runTool('softirqs', ['--json', '0.2', '1'], { json: false });
  const folder = mkdtempSync(join(tmpdir(), 'kscope-record-'));
  const file = join(folder, 'json');
  writeFileSync(file, json);
  const { stdout, code } = await runTool('kscope', ['view', file]);
  assert.equal(code, 0);
  assert.match(stdout, /^SOFTIRQ +COUNT TOTAL_usecs\n/);
  rmSync(folder, { recursive: true });
});
