import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Column, Message } from '../../lib/model/message.ts';
import type { Playback, PlaybackState } from '../../lib/model/playback.ts';
import type { Key } from '../../lib/view/key.ts';
import { Screen, type ScreenOptions } from '../../lib/view/screen.ts';
import { fit, textWidth } from '../../lib/view/text-width.ts';
import { depthOf, paint } from '../../lib/view/theme.ts';
import { column, fakeColumns, fakeRow, fakeTime, ready, type } from '../helpers/fake-tool.ts';

const size = { width: 80, height: 12 };

function screenOf(messages: readonly Message[], options: Partial<ScreenOptions> = {}): Screen {
  const style = { time: 'clock', utc: true } as const;
  const screen = new Screen({ name: 'fake', style, colours: false, now: () => 0, ...options });
  for (const message of messages) {
    screen.receive(message);
  }
  return screen;
}

function shown(screen: Screen, at = size): string[] {
  return screen.render(at).map((line) =>
    line
      .map(({ text }) => text)
      .join('')
      .trimEnd(),
  );
}

function press(screen: Screen, ...keys: (Key | string)[]): void {
  const named = [
    'up',
    'down',
    'left',
    'right',
    'pageup',
    'pagedown',
    'home',
    'end',
    'enter',
    'escape',
    'tab',
    'backspace',
  ];
  for (const key of keys) {
    screen.key(typeof key === 'string' && !named.includes(key) ? { text: key } : (key as Key));
  }
}

const bare: Message = { ...(ready('fake') as Message & { type: 'ready' }), columns: [], types: {} };
const tableColumns = [column('pid', 'pid_t'), column('comm', 'comm_t'), column('bytes', 'bytes_t')];
const tableTypes = { pid: type('pid_t'), comm: type('comm_t'), bytes: type('bytes_t'), gid: type('gid_t') };

function table(
  number: number,
  bytes: Readonly<Record<number, number>>,
  columns: readonly Column[] = tableColumns,
): Message[] {
  const time = fakeTime + number * 1_000_000;
  const rows = Object.entries(bytes)
    .map(([pid, amount]) => ({ pid: Number(pid), comm: `task-${pid}`, bytes: amount, gid: 7 }))
    .sort((a, b) => b.bytes - a.bytes);
  return [
    { type: 'interval', time, stamp: true, clear: true, heading: 'loadavg: 1.00' },
    { type: 'table', time, columns, types: tableTypes, key: ['pid'], rows },
  ];
}

const tables = [bare, ...table(1, { 1: 100, 2: 50 }), ...table(2, { 1: 400, 3: 200 }), ...table(3, { 1: 200, 2: 800 })];

test('a table shows the latest interval, and how each row came to be where it is', () => {
  const lines = shown(screenOf(tables));
  assert.deepEqual(lines.slice(0, 5), [
    'fake  Tracing nothing                                      2 rows  ● live  00:00',
    '06:14:06  loadavg: 1.00',
    '    PID COMM               BYTES▼                                          BYTES',
    '      2 task-2                800                                            ▁ █',
    '      1 task-1                200                                            ▂█▄',
  ]);
  assert.match(lines.at(-1) ?? '', /^q quit {2}space pause {2}\/ filter {2}<> sort by .*\? help$/);
  assert.equal(lines.length, size.height);
});

test('a table is sorted by another column, and turned round', () => {
  const screen = screenOf([bare, ...table(1, { 1: 10, 2: 30, 3: 20 })]);
  const order = () => shown(screen).flatMap((line) => /task-(\d)/.exec(line)?.[1] ?? []);
  assert.deepEqual(order(), ['2', '3', '1']);
  press(screen, '<');
  assert.deepEqual(order(), ['1', '2', '3']);
  assert.match(shown(screen)[2] ?? '', /COMM▲/);
  press(screen, 'r');
  assert.deepEqual(order(), ['3', '2', '1']);
  press(screen, '>', '>');
  assert.match(shown(screen)[2] ?? '', /PID▼/);
});

test('the selected row is followed through tables, and its details are all that is known', () => {
  const screen = screenOf([bare, ...table(1, { 1: 100, 2: 50 })]);
  press(screen, 'down');
  for (const message of table(2, { 1: 100, 2: 500 })) {
    screen.receive(message);
  }
  const selected = screen.render(size).find((line) => line.some(({ tone }) => tone === 'selected'));
  assert.match(selected?.map(({ text }) => text).join('') ?? '', /task-2/);
  press(screen, 'enter');
  const details = shown(screen);
  assert.match(details.join('\n'), / {2}comm +task-2\n {2}bytes +500\n {2}gid +7\n/);
  press(screen, 'escape');
  assert.match(shown(screen).join('\n'), /COMM/);
});

test('a pause keeps what is shown while more is received', () => {
  const screen = screenOf(tables.slice(0, 3));
  press(screen, ' ');
  for (const message of tables.slice(3)) {
    screen.receive(message);
  }
  assert.match(shown(screen).join('\n'), /❚❚ paused.*task-1 +100/s);
  press(screen, ' ');
  assert.match(shown(screen).join('\n'), /● live.*task-2 +800/s);
});

test('a filter is typed, kept and cleared', () => {
  const screen = screenOf(tables);
  press(screen, '/', 't', 'q', 'backspace', 'a', 's', 'k', '-', '1');
  const typing = shown(screen);
  assert.match(typing.at(-1) ?? '', /^\/task-1 +enter keep {2}esc clear$/);
  assert.equal(typing.filter((line) => /^ +\d task-\d /.test(line)).length, 1);
  press(screen, 'enter');
  assert.match(shown(screen).join('\n'), /filter task-1\n/);
  press(screen, 'escape');
  assert.equal(shown(screen).filter((line) => /^ +\d task-\d /.test(line)).length, 2);
});

test('events are followed until somebody moves up', () => {
  const screen = screenOf([ready('fake')]);
  const add = (from: number, to: number) =>
    screen.receive({ type: 'events', rows: Array.from({ length: to - from }, (_, i) => fakeRow(from + i)) });
  add(0, 100);
  assert.match(shown(screen).at(-2) ?? '', /file-99$/);
  press(screen, 'up', 'up');
  add(100, 200);
  assert.match(shown(screen).join('\n'), /file-97\n/);
  assert.doesNotMatch(shown(screen).join('\n'), /file-199/);
  press(screen, 'G');
  assert.match(shown(screen).at(-2) ?? '', /file-199$/);
  press(screen, '/', ...'file-4', 'enter');
  assert.equal(shown(screen).filter((line) => /file-4\d?$/.test(line)).length, shown(screen).length - 3);
  press(screen, 'home', 'enter');
  assert.match(shown(screen).join('\n'), /DETAILS.*path +\/etc\/file-4\n/s);
});

test('memory is bounded: old events are dropped, and their count is not', () => {
  const screen = screenOf([ready('fake')]);
  const rows = Array.from({ length: 1000 }, (_, i) => fakeRow(i));
  for (let batch = 0; batch < 100; batch++) {
    screen.receive({ type: 'events', rows });
    if (batch % 10 === 0) {
      screen.render(size);
    }
  }
  assert.match(shown(screen)[0] ?? '', /100,000 events/);
  press(screen, 'home');
  const first = shown(screen)[2] ?? '';
  press(screen, 'end');
  assert.match(shown(screen).at(-2) ?? '', /file-999$/);
  assert.match(first, /file-\d+$/);
});

function histogram(number: number, counts: readonly number[], comm = 'a'): Message {
  return {
    type: 'histogram',
    time: fakeTime + number * 1_000_000,
    key: { comm },
    columns: [column('comm', 'comm_t', { header: 'DISK' })],
    types: { comm: type('comm_t') },
    unit: 'usecs',
    buckets: counts.map((count, i) => ({ from: i === 0 ? 0 : 2 ** i, to: 2 ** (i + 1) - 1, count })),
    count: counts.reduce((sum, count) => sum + count, 0),
    total: 100,
    details: false,
  };
}

test('distributions are a heat map: time to the right, values up', () => {
  const screen = screenOf([
    bare,
    histogram(1, [0, 5, 100]),
    histogram(1, [9, 9], 'b'),
    histogram(2, [0, 0, 1, 3]),
    histogram(3, [0, 7]),
  ]);
  const lines = shown(screen, { width: 100, height: 12 });
  assert.match(lines[1] ?? '', /^disk = a {2}usecs +1 of 2$/);
  const rows = lines.filter((line) => line.includes('▏'));
  const labelled = rows.filter((line) => /\d/.test(line)).map((line) => line.replace(/ +▆*$/, ''));
  assert.deepEqual(labelled, ['8..15 ▏  ░░', ' 4..7 ▏██░░', ' 2..3 ▏▒▒  ▒▒']);
  assert.match(lines.at(-2) ?? '', /^06:14:06 {2}7 values {2}avg 14 {2}p50 3 {2}p90 4 {2}p99 4 {2}usecs$/);
  press(screen, 'left', 'left');
  assert.match(shown(screen).at(-2) ?? '', /^06:14:04 {2}105 values/);
  press(screen, 'down');
  assert.match(shown(screen)[1] ?? '', /^disk = b {2}usecs/);
});

const stack = (...names: string[]) => names.map((symbol) => ({ address: 1n, symbol })).reverse();

function stacks(...weighed: (readonly [number, ...string[]])[]): Message {
  return {
    type: 'stacks',
    time: fakeTime,
    types: { comm: type('comm_t') },
    unit: 'samples',
    stacks: weighed.map(([weight, ...names]) => ({
      key: { comm: 'cat' },
      user: stack(...names),
      kernel: 'none',
      weight,
    })),
  };
}

test('stacks are a tree with shares, which opens where one looks', () => {
  const screen = screenOf([
    bare,
    stacks([60, 'main', 'run', 'work'], [30, 'main', 'run', 'rest'], [10, 'main', 'stop']),
  ]);
  const tree = () =>
    shown(screen)
      .slice(2, -1)
      .filter((line) => line !== '' && !line.includes('SHARE'))
      .map((line) => line.slice(11));
  // What has no choice is open.
  assert.deepEqual(tree(), [
    '100.0%      100  ▾ cat',
    '100.0%      100   ▾ main',
    ' 90.0%       90    ▸ run',
    ' 10.0%       10      stop',
  ]);
  press(screen, 'down', 'down', 'right');
  assert.deepEqual(tree().slice(3, 5), [' 60.0%       60       work', ' 30.0%       30       rest']);
  // It stays open, and where it was looked at, when there is more.
  screen.receive(stacks([60, 'main', 'run', 'work'], [30, 'main', 'run', 'rest'], [110, 'main', 'stop']));
  assert.deepEqual(tree().slice(2, 4), [' 55.0%      110      stop', ' 45.0%       90    ▾ run']);
  press(screen, 'left');
  assert.equal(tree().length, 4);
  press(screen, '/', ...'rest', 'enter');
  assert.match(tree().join('\n'), /100.0% +30 +▾ main/);
  press(screen, 'c');
  assert.deepEqual(tree(), ['100.0%       30  ▸ cat']);
  press(screen, 'e');
  assert.match(tree().at(-1) ?? '', /rest$/);
});

test('what was lost and what is wrong is on the screen', () => {
  const screen = screenOf([
    ...tables,
    { type: 'lost', what: 'events', count: 5, total: 1234, final: false },
    { type: 'warning', text: 'names are missing', hint: 'look there' },
  ]);
  assert.match(shown(screen).at(-2) ?? '', /^ lost 1,234 events {2}names are missing \(look there\)$/);
});

for (const [width, height] of [
  [40, 10],
  [80, 24],
  [200, 50],
  [20, 4],
  [1, 1],
] as const) {
  test(`every screen fills ${width}x${height} exactly`, () => {
    const kinds: Message[][] = [
      [ready('fake')],
      [ready('fake'), { type: 'events', rows: Array.from({ length: 300 }, (_, i) => fakeRow(i)) }],
      tables,
      [bare, histogram(1, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14])],
      [bare, stacks([1, 'main', 'a long name '.repeat(30)])],
    ];
    for (const messages of kinds) {
      const screen = screenOf([...messages, { type: 'lost', what: 'events', count: 1, total: 1, final: false }]);
      for (const keys of [
        [],
        ['?'],
        ['x'],
        ['down', 'enter'],
        ['x'],
        ['right', 'right', 'right'],
        ['/', 'f'],
        ['escape', 'tab'],
      ]) {
        press(screen, ...keys);
        const lines = screen.render({ width, height });
        assert.equal(lines.length, height);
        for (const line of lines) {
          const text = line.map((span) => span.text).join('');
          assert.equal(textWidth(text), width, JSON.stringify(text));
        }
      }
    }
  });
}

test('names that are wide, or that want to steer the terminal, stay in their place', () => {
  const wild = [
    '日本語のファイル名です',
    'e\u0301'.repeat(30),
    '\x1b[31m\x07\u009b2J\r\n\t',
    '👩‍👩‍👧‍👦'.repeat(10),
    `a${'\u0300'.repeat(500)}`,
  ];
  const rows = wild.map((path, i) => ({ ...fakeRow(i), comm: path, path }));
  const screen = screenOf([ready('\x1b]0;x\x07'), { type: 'events', rows }, { type: 'warning', text: '\x1b[2J' }]);
  const lines = screen.render(size);
  for (const line of lines) {
    assert.equal(textWidth(line.map(({ text }) => text).join('')), size.width);
    const painted = paint(line, 'many');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
    assert.doesNotMatch(painted.replace(/\x1b\[[\d;]*m/g, ''), /[\x00-\x1f\x7f-\x9f\u202e]/);
    assert.ok((painted.match(/\u0300/g) ?? []).length < 10);
  }
});

test('texts are fitted by the columns that they take', () => {
  assert.equal(fit('日本語', 4), '日… ');
  assert.equal(fit('日本語', 6), '日本語');
  assert.equal(fit('abc', 2), 'a…');
  assert.equal(fit('abc', 5, 'right'), '  abc');
  assert.equal(fit('abc', 0), '');
  assert.equal(textWidth('e\u0301日'), 3);
});

test('colours are those that the terminal and its user want', () => {
  assert.equal(depthOf({ NO_COLOR: '1', TERM: 'xterm-256color' }), 'none');
  assert.equal(depthOf({ NO_COLOR: '', TERM: 'xterm-256color' }), 'many');
  assert.equal(depthOf({ TERM: 'xterm' }), 'few');
  assert.equal(depthOf({ TERM: 'xterm', COLORTERM: 'truecolor' }), 'many');
  assert.equal(paint([{ text: 'x', tone: 'good' }], 'none'), 'x');
  assert.equal(paint([{ text: 'x', tone: 'good' }], 'few'), '\x1b[32mx\x1b[0m');
});

test('keys steer a recording', () => {
  const asked: string[] = [];
  let state: PlaybackState = {
    paused: false,
    speed: 1,
    position: 65_000_000,
    ended: false,
    timed: true,
    seekable: true,
  };
  const playback: Playback = {
    get state() {
      return state;
    },
    pause: (paused) => {
      asked.push(`pause ${paused}`);
      state = { ...state, paused };
    },
    step: () => asked.push('step'),
    setSpeed: (speed) => {
      asked.push(`speed ${speed}`);
      state = { ...state, speed };
    },
    seek: (micros) => asked.push(`seek ${micros}`),
  };
  const screen = screenOf(tables, { playback });
  assert.match(shown(screen)[0] ?? '', /▶ 1× {2}01:05$/);
  press(screen, '+', '+', '-', '-', '-', '[', ']', ' ');
  assert.match(shown(screen)[0] ?? '', /❚❚ paused {2}01:05$/);
  press(screen, ' ', 'n');
  assert.deepEqual(asked, [
    'speed 2',
    'speed 4',
    'speed 2',
    'speed 1',
    'speed 0.5',
    'seek -10000000',
    'seek 10000000',
    'pause true',
    'pause false',
    'pause true',
    'step',
  ]);
  screen.rewound();
  assert.match(shown(screen).join('\n'), /waiting for data/);
});

test('nothing that was said is no reason to fail', () => {
  const screen = screenOf([]);
  press(screen, 'up', 'down', 'enter', 'tab', 'left', 'right', '<', 'r', 'e', ' ', ' ', 'escape');
  assert.match(shown(screen).join('\n'), /waiting for data…/);
  screen.end();
  assert.match(shown(screen).join('\n'), /■ ended.*nothing came/s);
  assert.equal(fakeColumns.length, 5);
});
