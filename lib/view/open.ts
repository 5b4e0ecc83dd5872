import { openSync } from 'node:fs';
import { ReadStream } from 'node:tty';
import { KscopeError } from '../model/errors.ts';
import type { Message } from '../model/message.ts';
import type { Playback } from '../model/playback.ts';
import type { TextStyle } from '../model/types.ts';
import type { App, AppOptions } from './app.ts';
import type { Key } from './key.ts';
import { Screen } from './screen.ts';
import { type FrameWriter, Terminal } from './terminal.ts';
import { depthOf, heatIsColour } from './theme.ts';

/** How often the clock on the screen moves when nothing else does. */
const tick = 1000;

export interface ViewOptions {
  /** What the command is called. */
  readonly name: string;
  readonly style: TextStyle;
  readonly writer: FrameWriter;
  /** How a recording is steered. */
  readonly playback?: Playback;
  /** Raised when the view is to be left: whatever it shows, the terminal is given back then. */
  readonly end: AbortController;
  /** Whether the view stays when nothing more will come, until it is left with a key. */
  readonly stay: boolean;
}

/** A live view: takes the messages that text and JSON are made of. */
export interface View {
  message(message: Message): Promise<void> | undefined;
  rewound(): void;
  /** Nothing more will come, for now. */
  ended(): void;
  /** Nothing more will come. Resolves when the view has been left. */
  rendered(): Promise<void>;
  /** Gives the terminal back. */
  close(): void;
}

/**
 * Loads what a view is drawn with. The screen is taken with the first message: until then, errors find the terminal as
 * it was.
 * @throws KscopeError usage when there is no terminal for keys
 */
export async function openView(options: ViewOptions): Promise<View> {
  const { openApp } = await importApp();
  return new OpenView(options, openApp, keyStream());
}

/**
 * While they are loaded, Ink and React look at the environment: for development, they would check everything twice, keep
 * measurements of every frame, and look for tools. What a traced command finds there is none of their business.
 */
async function importApp() {
  const { NODE_ENV, DEV } = process.env;
  process.env.NODE_ENV = 'production';
  delete process.env.DEV;
  try {
    return await import('./app.ts');
  } finally {
    restore('NODE_ENV', NODE_ENV);
    restore('DEV', DEV);
  }
}

function restore(name: string, value: string | undefined): void {
  if (value === undefined) {
    delete process.env[name];
  } else {
    process.env[name] = value;
  }
}

/** Keys come from standard input, or when that is a file or a pipe, from the terminal itself. */
function keyStream(): ReadStream {
  if (process.stdin.isTTY) {
    return process.stdin;
  }
  try {
    return new ReadStream(openSync('/dev/tty', 'r'));
  } catch (cause) {
    throw new KscopeError('usage', 'a live view needs a terminal that keys can be read from', { cause });
  }
}

class OpenView implements View {
  readonly #options: ViewOptions;
  readonly #openApp: (options: AppOptions) => App;
  readonly #stdin: ReadStream;
  readonly #screen: Screen;
  readonly #terminal: Terminal;
  #app: App | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failure: unknown;
  #closed = false;

  constructor(options: ViewOptions, openApp: (options: AppOptions) => App, stdin: ReadStream) {
    const { name, style, playback, writer, end } = options;
    this.#options = options;
    this.#openApp = openApp;
    this.#stdin = stdin;
    const depth = depthOf(process.env);
    this.#screen = new Screen({
      name,
      style,
      colours: heatIsColour(depth),
      ...(playback !== undefined && { playback }),
    });
    this.#terminal = new Terminal(
      writer,
      stdin,
      () => ({ width: process.stdout.columns, height: process.stdout.rows }),
      1,
    );
    end.signal.addEventListener('abort', () => this.close(), { once: true });
  }

  message(message: Message): undefined {
    this.#screen.receive(message);
    this.#open();
    this.#app?.redraw();
  }

  rewound(): void {
    this.#screen.rewound();
    this.#app?.redraw();
  }

  ended(): void {
    this.#screen.end();
    this.#app?.redraw();
  }

  async rendered(): Promise<void> {
    const { end, stay } = this.#options;
    this.ended();
    if (stay && this.#app !== undefined && !end.signal.aborted) {
      await new Promise<void>((resolve) => end.signal.addEventListener('abort', () => resolve(), { once: true }));
    }
    this.close();
    if (this.#failure !== undefined) {
      throw this.#failure;
    }
  }

  close(): void {
    if (this.#closed) {
      return;
    }
    this.#closed = true;
    clearInterval(this.#timer);
    process.off('SIGCONT', this.#onContinue);
    process.stdout.off('resize', this.#onResize);
    this.#app?.close();
    this.#terminal.close();
    this.#stdin.pause();
    this.#stdin.unref();
  }

  #open(): void {
    if (this.#app !== undefined || this.#closed) {
      return;
    }
    this.#terminal.enter();
    this.#app = this.#openApp({
      stdin: this.#stdin,
      depth: depthOf(process.env),
      size: () => this.#terminal.size,
      lines: (size) => this.#screen.render(size),
      onKey: (key) => this.#onKey(key),
      draw: (frame) => this.#terminal.draw(frame),
      busy: () => this.#terminal.busy,
      onError: (error) => this.#fail(error),
    });
    process.stdout.on('resize', this.#onResize);
    process.on('SIGCONT', this.#onContinue);
    this.#timer = setInterval(() => {
      if (this.#screen.ticks) {
        this.#app?.redraw();
      }
    }, tick);
  }

  #onKey(key: Key): void {
    switch (this.#screen.key(key)) {
      case 'quit':
        this.#options.end.abort();
        return;
      case 'suspend':
        this.#terminal.leave();
        // Once what was written has reached the terminal; then nothing happens until the process is continued.
        setImmediate(() => process.kill(process.pid, 'SIGTSTP'));
        return;
      case 'repaint':
        this.#terminal.forget();
        break;
      default:
    }
    this.#app?.redraw(true);
  }

  /** Also after a stop that nobody asked us for: the terminal may have been used meanwhile. */
  readonly #onContinue = (): void => {
    this.#terminal.leave();
    this.#terminal.enter();
    this.#app?.redraw();
  };

  readonly #onResize = (): void => {
    this.#terminal.forget();
    this.#app?.redraw();
  };

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#options.end.abort();
  }
}
