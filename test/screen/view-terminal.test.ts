import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Message } from '../../lib/model/message.ts';
import { fakeRow, ready } from '../helpers/fake-tool.ts';
import { recorded } from '../helpers/replayed.ts';
import { noTmux, quoted, Tmux } from '../helpers/tmux.ts';

const bound = { timeout: 60_000, skip: noTmux };
const size = { width: 80, height: 24 };
const fake = `${quoted(process.execPath)} ${quoted(fileURLToPath(new URL('../helpers/fake-main.js', import.meta.url)))}`;

/** The terminal is as it was, and so is what was on it. */
async function assertRestored(tmux: Tmux): Promise<{ readonly screen: string; readonly status: number }> {
  const { screen, status, before, after } = await tmux.ended();
  assert.deepEqual(after, before);
  assert.equal(after.alternate, false);
  assert.match(screen, /^BEGIN\n/);
  return { screen, status };
}

test('a screen of a tool is a live view on a terminal; q leaves it', bound, async () => {
  using tmux = await Tmux.start(`${fake} ticks`, size);
  const screen = await tmux.until((text) => /task-3/.test(text) && /[▁-█]{2}/.test(text));
  assert.match(screen, /^ticks {2}Tracing nothing +3 rows {2}● live {2}00:0\d\n/);
  assert.match(screen, /^ +PID COMM +BYTES▼/m);
  assert.match(screen, /^q quit {2}space pause/m);
  tmux.keys('q');
  const { status, screen: after } = await assertRestored(tmux);
  assert.equal(status, 0);
  // What the run lost is told when people see standard error again.
  assert.match(after, /^ticks: lost 7 events in all$/m);
  assert.doesNotMatch(after, /task-3/);
});

test('Ctrl-C leaves the view', bound, async () => {
  using tmux = await Tmux.start(`${fake} ticks`, size);
  await tmux.until((text) => text.includes('task-3'));
  tmux.keys('C-c');
  assert.equal((await assertRestored(tmux)).status, 0);
});

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  test(`${signal} leaves the view`, bound, async () => {
    using tmux = await Tmux.start(`${fake} ticks`, size);
    await tmux.until((text) => text.includes('task-3'));
    tmux.kill(signal);
    assert.equal((await assertRestored(tmux)).status, 0);
  });
}

test('an error of the tool leaves the view, and is read on the terminal', bound, async () => {
  using tmux = await Tmux.start(`${fake} refused -x --view`, size);
  const { status, screen } = await assertRestored(tmux);
  assert.equal(status, 1);
  assert.match(screen, /^refused: unexpected failure: a bug$/m);
});

test('an error before the start never takes the screen', bound, async () => {
  using tmux = await Tmux.start(`${fake} refused --view`, size);
  const { status, screen } = await assertRestored(tmux);
  assert.equal(status, 4);
  assert.match(screen, /^refused: cannot load the programs: Operation not permitted \(EPERM\)$/m);
});

test('an error that nobody catches gives the terminal back', bound, async () => {
  using tmux = await Tmux.start(`${fake} crash --view`, size);
  const { status, screen } = await assertRestored(tmux);
  assert.notEqual(status, 0);
  assert.match(screen, /nobody expected this/);
});

test('a second Ctrl-C leaves a tool that does not end, and the terminal is given back', bound, async () => {
  using tmux = await Tmux.start(`${fake} deaf --view`, size);
  await tmux.until((text) => text.includes('● live'));
  tmux.kill('SIGINT');
  await tmux.until((text) => text.startsWith('BEGIN'));
  const again = setInterval(() => {
    try {
      tmux.kill('SIGINT');
    } catch {
      // It has ended.
    }
  }, 100);
  try {
    assert.equal((await assertRestored(tmux)).status, 130);
  } finally {
    clearInterval(again);
  }
});

test('keys sort, filter, pause, turn pages, and show details', bound, async () => {
  using tmux = await Tmux.start(`${fake} ticks`, size);
  await tmux.until((text) => text.includes('task-3'));
  tmux.keys('<');
  await tmux.until((text) => /COMM▲/.test(text) && /task-1.*task-2.*task-3/s.test(text));
  tmux.keys('r');
  await tmux.until((text) => /COMM▼/.test(text) && /task-3.*task-2.*task-1/s.test(text));
  tmux.keys('/', 't', 'a', 's', 'k', '-', '2');
  await tmux.until((text) => text.includes('task-2') && !text.includes('task-1') && /^\/task-2 /m.test(text));
  tmux.keys('Enter');
  await tmux.until((text) => /filter task-2$/m.test(text) && /^q quit/m.test(text));
  tmux.keys('Escape');
  await tmux.until((text) => text.includes('task-1') && !text.includes('filter task'));
  tmux.keys('Space');
  const paused = await tmux.until((text) => text.includes('❚❚ paused'));
  tmux.keys('Down', 'Enter');
  const details = await tmux.until((text) => text.includes('DETAILS'));
  assert.match(details, /^ {2}comm +task-\d$/m);
  tmux.keys('Escape');
  const still = await tmux.until((text) => text.includes('PID') && !text.includes('DETAILS'));
  assert.equal(/tick \d+/.exec(still)?.[0], /tick \d+/.exec(paused)?.[0]);
  tmux.keys('Space', 'Tab');
  await tmux.until((text) => text.includes('/etc/file-') && text.includes('● live'));
  tmux.keys('?');
  await tmux.until((text) => text.includes('KEYS') && text.includes('suspend'));
  tmux.keys('q');
  assert.equal((await assertRestored(tmux)).status, 0);
});

test('the view follows the size of the terminal', bound, async () => {
  using tmux = await Tmux.start(`${fake} ticks`, { width: 40, height: 10 });
  await tmux.until((text) => text.includes('task-1') && /^q quit .*\? help/m.test(text));
  tmux.resize(200, 50);
  await tmux.until((text) => {
    const lines = text.split('\n');
    return (
      lines.length >= 50 &&
      /00:\d\d$/.test(lines[0] ?? '') &&
      (lines[0] ?? '').length === 200 &&
      /^q quit/.test(lines[49] ?? '')
    );
  });
  tmux.resize(60, 12);
  await tmux.until((text) => text.split('\n').some((line, i) => i === 11 && /^q quit/.test(line)));
  tmux.keys('q');
  assert.equal((await assertRestored(tmux)).status, 0);
});

test('without colours, nothing on the screen has one', bound, async () => {
  using tmux = await Tmux.start(`NO_COLOR=1 ${fake} ticks`, size);
  await tmux.until((text) => text.includes('task-3'));
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
  assert.doesNotMatch(tmux.screen(true), /\x1b\[(?:\d+;)*(?:3[0-8]|4[0-8]|9\d|10\d)/);
  tmux.keys('q');
  await assertRestored(tmux);
});

test('what the environment says to developers of other programs changes nothing', bound, async () => {
  using tmux = await Tmux.start(`CI=1 DEV=true NODE_ENV=development ${fake} ticks`, size);
  await tmux.until((text) => text.includes('task-3') && /^q quit/m.test(text));
  tmux.keys('q');
  const { screen } = await assertRestored(tmux);
  assert.equal(screen.replace(/\n+/g, '\n').trimEnd(), 'BEGIN\nticks: lost 7 events in all\nEND 0');
});

test('a view that is put to sleep gives the terminal back until it is woken', bound, async () => {
  using tmux = await Tmux.start(`set -m; ${fake} ticks; fg; true`, size);
  await tmux.until((text) => text.includes('task-3'));
  tmux.keys('C-z');
  // The shell wakes it at once: it is on the screen again and works.
  await tmux.until((text) => text.includes('task-3'));
  tmux.keys('Space');
  await tmux.until((text) => text.includes('paused'));
  tmux.keys('q');
  await assertRestored(tmux);
});

test('a run that has an end, or whose text is asked for, is no view', bound, async () => {
  for (const args of ['--duration 0.2', '--json --duration 0.2', '-- true']) {
    using tmux = await Tmux.start(`${fake} ticks ${args}`, size);
    const { screen, status, after } = await tmux.ended();
    assert.equal(status, args === '-- true' ? 2 : 0);
    assert.equal(after.alternate, false);
    assert.match(screen, args === '-- true' ? /cannot be limited to one command/ : /task-3/);
    assert.doesNotMatch(screen, /● live/);
  }
});

test('a view that was asked for stays when the run has ended, until it is left', bound, async () => {
  using tmux = await Tmux.start(`${fake} ticks --view --duration 0.2`, size);
  const screen = await tmux.until((text) => text.includes('■ ended'));
  assert.match(screen, /task-3/);
  assert.match(screen, /lost 7 events/);
  tmux.keys('q');
  assert.equal((await assertRestored(tmux)).status, 0);
});

test('a view that is asked for where there is no terminal is refused in one sentence', bound, async () => {
  using tmux = await Tmux.start(`${fake} ticks --view | cat; TERM=dumb ${fake} ticks --view`, size);
  const { screen } = await assertRestored(tmux);
  assert.match(screen, /^ticks: a live view needs a terminal as standard output$/m);
  assert.match(screen, /^ticks: a live view needs a terminal that can move its cursor \(TERM\)$/m);
});

test('a recording is played with the times that it had; it is paused, stepped, sought and left', bound, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kscope-view-'));
  const file = join(folder, 'recording');
  const messages: Message[] = [ready('rows')];
  for (let i = 0; i < 100; i++) {
    messages.push({ type: 'events', rows: [{ ...fakeRow(i), time: (fakeRow(0).time as number) + i * 1_000_000 }] });
  }
  writeFileSync(file, await recorded(messages, {}));
  using tmux = await Tmux.start(`${fake} - view ${quoted(file)}`, size);
  await tmux.until((text) => text.includes('/etc/file-0') && text.includes('▶ 1×'));
  tmux.keys('Space');
  const paused = await tmux.until((text) => text.includes('❚❚ paused'));
  assert.doesNotMatch(paused, /file-90/);
  tmux.keys(']', ']', ']');
  await tmux.until((text) => text.includes('/etc/file-29') && !text.includes('/etc/file-40'));
  tmux.keys('[', '[', '[', '[');
  await tmux.until((text) => text.includes('/etc/file-0') && !text.includes('/etc/file-9'));
  const before = await tmux.until((text) => text.includes('paused'));
  const last = Number(/file-(\d+)\n[^f]*$/.exec(before)?.[1] ?? 0);
  tmux.keys('n');
  await tmux.until((text) => text.includes(`/etc/file-${last + 1}`));
  tmux.keys('Space', '+', '+', '+', '+', '+', '+', '+', '+', '+', '+');
  await tmux.until((text) => text.includes('■ ended') && text.includes('/etc/file-99'));
  tmux.keys('[');
  await tmux.until((text) => text.includes('■ ended') && text.includes('/etc/file-99'));
  tmux.keys('q');
  assert.equal((await assertRestored(tmux)).status, 0);
  rmSync(folder, { recursive: true });
});

test('a pipe is shown as it comes, while keys come from the terminal', bound, async () => {
  using tmux = await Tmux.start(`${fake} rows -n 3 --json | ${fake} - view -`, size);
  const screen = await tmux.until((text) => text.includes('/etc/file-2') && text.includes('■ ended'));
  assert.match(screen, /3 events/);
  tmux.keys('q');
  assert.equal((await assertRestored(tmux)).status, 0);
});

test('a damaged recording gives the terminal back and says which line it is', bound, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kscope-view-'));
  const file = join(folder, 'recording');
  writeFileSync(file, `${await recorded([ready('rows'), { type: 'events', rows: [fakeRow(0)] }], {})}{"type":`);
  using tmux = await Tmux.start(`${fake} - view ${quoted(file)}`, size);
  const { status, screen } = await assertRestored(tmux);
  assert.equal(status, 1);
  assert.match(screen, /^kscope view: line 4 cannot be played: it is not JSON$/m);
  rmSync(folder, { recursive: true });
});
