import { EventEmitter } from 'node:events';
import type { ReadStream } from 'node:tty';
import { Box, type Key as InkKey, render, Text, useInput } from 'ink';
import { createElement, type ReactElement, useLayoutEffect, useReducer } from 'react';
import type { Key } from './key.ts';
import type { Line, Size } from './line.ts';
import { Redraw } from './redraw.ts';
import { type Depth, paint } from './theme.ts';

export interface AppOptions {
  /** Keys are read from here. */
  readonly stdin: ReadStream;
  readonly depth: Depth;
  size(): Size;
  lines(size: Size): readonly Line[];
  onKey(key: Key): void;
  /** Takes a whole frame: lines with colours. */
  draw(frame: string): void;
  /** Whether a frame would have to wait. */
  busy(): boolean;
  /** Something went wrong while it was drawn. */
  onError(error: unknown): void;
}

export interface App {
  /** Something has changed. @param urgent because of a key */
  redraw(urgent?: boolean): void;
  close(): void;
}

/** What Ink writes its frames to. */
class FrameStream extends EventEmitter {
  readonly isTTY = false;
  readonly #options: AppOptions;

  constructor(options: AppOptions) {
    super();
    this.#options = options;
  }

  get columns(): number {
    return this.#options.size().width;
  }

  get rows(): number {
    return this.#options.size().height;
  }

  write(frame: string): boolean {
    this.#options.draw(frame);
    return true;
  }
}

interface Drawn {
  readonly options: AppOptions;
  readonly subscribe: (redraw: () => void) => void;
}

function View({ options, subscribe }: Drawn): ReactElement {
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  useLayoutEffect(() => subscribe(redraw), [subscribe]);
  useInput((input, key) => {
    for (const one of keysOf(input, key)) {
      options.onKey(one);
    }
  });
  const size = options.size();
  const lines = options.lines(size);
  return createElement(
    Box,
    { flexDirection: 'column', width: size.width, height: size.height },
    ...lines.map((line, i) => createElement(Text, { key: i, wrap: 'truncate' }, paint(line, options.depth))),
  );
}

/** Mounts the view: frames go to `draw`, at most ten a second. */
export function openApp(options: AppOptions): App {
  let update = () => {};
  const subscribe = (redraw: () => void) => {
    update = redraw;
  };
  const redraw = new Redraw(() => {
    if (options.busy()) {
      return false;
    }
    update();
    return true;
  });
  const stream = new FrameStream(options) as unknown as NodeJS.WriteStream;
  const instance = render(createElement(View, { options, subscribe }), {
    stdout: stream,
    stderr: stream,
    stdin: options.stdin,
    // Whole frames, when they are rendered: how often that is and what is drawn of them is decided here.
    debug: true,
    exitOnCtrlC: false,
    patchConsole: false,
    isScreenReaderEnabled: false,
  });
  instance.waitUntilExit().catch((error: unknown) => options.onError(error));
  return {
    redraw: (urgent) => redraw.request(urgent),
    close: () => {
      redraw.close();
      instance.unmount();
      instance.cleanup();
    },
  };
}

const names = [
  ['upArrow', 'up'],
  ['downArrow', 'down'],
  ['leftArrow', 'left'],
  ['rightArrow', 'right'],
  ['pageUp', 'pageup'],
  ['pageDown', 'pagedown'],
  ['home', 'home'],
  ['end', 'end'],
  ['return', 'enter'],
  ['escape', 'escape'],
  ['tab', 'tab'],
  ['backspace', 'backspace'],
  ['delete', 'backspace'],
] as const satisfies readonly (readonly [keyof InkKey, Key])[];

/** Ink's account of what was typed; what was pasted, or typed quickly, comes as one text. */
function keysOf(input: string, key: InkKey): Key[] {
  if (key.ctrl) {
    return input === 'c' || input === 'z' || input === 'l' ? [`ctrl-${input}`] : [];
  }
  const named = names.find(([name]) => key[name] === true);
  if (named !== undefined) {
    return [named[1]];
  }
  return key.meta ? [] : Array.from(input, keyOf).filter((one) => one !== undefined);
}

function keyOf(character: string): Key | undefined {
  switch (character) {
    case '\r':
    case '\n':
      return 'enter';
    case '\t':
      return 'tab';
    case '\x03':
      return 'ctrl-c';
    case '\x7f':
      return 'backspace';
    default:
      return character < ' ' ? undefined : { text: character };
  }
}
