import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import type { ReadStream } from 'node:tty';
import { type AppOptions, openApp } from '../../lib/view/app.ts';
import type { Key } from '../../lib/view/key.ts';
import { span } from '../../lib/view/line.ts';
import { frameTime, Redraw } from '../../lib/view/redraw.ts';
import { Terminal } from '../../lib/view/terminal.ts';

/** Keys from a test. */
class Keyboard extends Readable {
  readonly isTTY = true;
  readonly raw: boolean[] = [];

  override _read(): void {}

  setRawMode(on: boolean): this {
    this.raw.push(on);
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }
}

function appOf(options: Partial<AppOptions> = {}) {
  const keyboard = new Keyboard();
  const frames: string[] = [];
  const keys: Key[] = [];
  const waiting: (() => void)[] = [];
  const app = openApp({
    stdin: keyboard as unknown as ReadStream,
    depth: 'few',
    size: () => ({ width: 20, height: 3 }),
    lines: () => [[span('one', 'title')], [span('two')], [span('end')]],
    onKey: (key) => {
      keys.push(key);
      waiting.shift()?.();
    },
    draw: (frame) => {
      frames.push(frame);
    },
    busy: () => false,
    onError: (error) => {
      throw error;
    },
    ...options,
  });
  const pressed = (text: string) =>
    new Promise<void>((resolve) => {
      waiting.push(resolve);
      keyboard.push(text);
    });
  return { app, keyboard, frames, keys, pressed };
}

test('a frame has every line, with its colours', () => {
  const { app, frames } = appOf();
  assert.equal(frames.at(-1), '\x1b[1m\x1b[36mone\x1b[39m\x1b[22m\ntwo\nend');
  app.close();
});

test('keys come by their names, and what is pasted character by character', async () => {
  const { app, keyboard, keys, pressed } = appOf();
  assert.deepEqual(keyboard.raw, [true]);
  for (const text of ['\x1b[A', '\x1b[6~', '\r', '\t', '\x7f', '\x03', '\x1a', 'q']) {
    await pressed(text);
  }
  await pressed('ab');
  assert.deepEqual(keys, [
    'up',
    'pagedown',
    'enter',
    'tab',
    'backspace',
    'ctrl-c',
    'ctrl-z',
    { text: 'q' },
    { text: 'a' },
    { text: 'b' },
  ]);
  app.close();
  assert.deepEqual(keyboard.raw, [true, false]);
});

test('an error while a frame is made is told, and does not stay in the terminal', async () => {
  const failed = new Promise<unknown>((resolve) => {
    appOf({
      lines: () => {
        throw new TypeError('no lines');
      },
      onError: resolve,
    });
  });
  assert.match(String(await failed), /no lines/);
});

test('there are never more than ten frames a second, and fewer when they are expensive', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  let now = 0;
  let cost = 0;
  const drawn: number[] = [];
  const redraw = new Redraw(
    () => {
      drawn.push(now);
      now += cost;
      return true;
    },
    () => now,
  );
  const run = (milliseconds: number, urgent = false) => {
    for (let i = 0; i < milliseconds; i += 10) {
      redraw.request(urgent);
      now += 10;
      context.mock.timers.tick(10);
    }
  };
  run(2000);
  assert.ok(drawn.length >= 15 && drawn.length <= 20, String(drawn.length));
  assert.ok(drawn.every((time, i) => i === 0 || time - (drawn[i - 1] ?? 0) >= frameTime));
  drawn.length = 0;
  cost = 30;
  run(3000);
  assert.ok(drawn.length >= 5 && drawn.length <= 12, String(drawn.length));
  drawn.length = 0;
  run(1000, true);
  assert.ok(drawn.length >= 6, String(drawn.length));
  redraw.close();
  drawn.length = 0;
  run(1000);
  assert.deepEqual(drawn, []);
});

test('only lines that changed are drawn, and the terminal is given back once', () => {
  const written: string[] = [];
  const raw: boolean[] = [];
  const listeners = process.listenerCount('exit');
  const terminal = new Terminal(
    { write: (text) => written.push(text), pending: 0 },
    { setRawMode: (on) => raw.push(on) },
    () => ({ width: 0, height: 0 }),
  );
  assert.deepEqual(terminal.size, { width: 80, height: 24 });
  terminal.draw('before');
  terminal.enter();
  terminal.enter();
  assert.equal(process.listenerCount('exit'), listeners + 1);
  terminal.draw('one\ntwo');
  terminal.draw('one\n2');
  terminal.draw('one\n2');
  terminal.draw('one');
  terminal.close();
  terminal.leave();
  terminal.draw('after');
  assert.equal(process.listenerCount('exit'), listeners);
  assert.deepEqual(raw, [true, false]);
  assert.deepEqual(written, [
    '\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[H\x1b[2J',
    '\x1b[?2026h\x1b[1;1H\x1b[0m\x1b[2Kone\x1b[2;1H\x1b[0m\x1b[2Ktwo\x1b[0m\x1b[?2026l',
    '\x1b[?2026h\x1b[2;1H\x1b[0m\x1b[2K2\x1b[0m\x1b[?2026l',
    '\x1b[?2026h\x1b[2;1H\x1b[0m\x1b[2K\x1b[0m\x1b[?2026l',
    '\x1b[?2026l\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l',
  ]);
});
