import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import type { TestContext } from 'node:test';
import { deadline } from './deadline.ts';
import { TemporaryDirectory } from './temporary-directory.ts';

type Parameters = Readonly<Record<string, unknown>>;

interface Reply {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Parameters;
  readonly result?: Parameters;
  readonly error?: { readonly message: string };
}

/** A page in headless Chromium, driven through the protocol of its developer tools. */
export class BrowserPage implements AsyncDisposable {
  /** What scripts threw and the console said as an error. */
  readonly errors: string[] = [];
  /** What the next dialog is answered with. */
  answer = '';
  readonly #browser: ChildProcess;
  readonly #profile: TemporaryDirectory;
  readonly #orders: Writable;
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  #session: string | undefined;
  #loaded: (() => void) | undefined;
  #orderCount = 0;

  private constructor(profile: TemporaryDirectory) {
    this.#profile = profile;
    const flags = [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--remote-debugging-pipe',
      '--no-first-run',
      '--window-size=1400,900',
    ];
    this.#browser = spawn('chromium', [...flags, `--user-data-dir=${profile.path}`, 'about:blank'], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
    });
    this.#orders = this.#browser.stdio[3] as Writable;
    let rest = '';
    (this.#browser.stdio[4] as Readable).setEncoding('utf8').on('data', (text: string) => {
      const replies = (rest + text).split('\0');
      rest = replies.pop() ?? '';
      for (const reply of replies) {
        this.#heard(JSON.parse(reply));
      }
    });
  }

  /** Opens a file; undefined, with the test skipped, where there is no Chromium. */
  static async open(t: TestContext, file: string): Promise<BrowserPage | undefined> {
    if (spawnSync('chromium', ['--version']).error !== undefined) {
      t.skip('Chromium is not installed');
      return undefined;
    }
    const page = new BrowserPage(new TemporaryDirectory());
    try {
      await page.#start(file);
    } catch (error) {
      await page[Symbol.asyncDispose]();
      throw error;
    }
    return page;
  }

  async #start(file: string): Promise<void> {
    const { targetId } = await this.#order('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await this.#order('Target.attachToTarget', { targetId, flatten: true });
    this.#session = sessionId as string;
    await this.#order('Page.enable');
    await this.#order('Runtime.enable');
    const loaded = new Promise<void>((resolve) => {
      this.#loaded = resolve;
    });
    await this.#order('Page.navigate', { url: `file://${file}` });
    await deadline(loaded, () => `loading ${file}`);
  }

  /** The value of an expression in the page. */
  async evaluate(expression: string): Promise<unknown> {
    const { result } = await this.#order('Runtime.evaluate', { expression, returnByValue: true });
    return (result as Parameters).value;
  }

  /** Presses and releases the left button in the middle of an element. */
  async click(element: string): Promise<void> {
    const place = await this.evaluate(
      `(() => { const { x, y, width, height } = (${element}).getBoundingClientRect(); return { x: x + width / 2, y: y + height / 2 }; })()`,
    );
    for (const type of ['mousePressed', 'mouseReleased']) {
      const event = { type, ...(place as Parameters), button: 'left', clickCount: 1 };
      await this.#order('Input.dispatchMouseEvent', event);
    }
  }

  #order(method: string, params: Parameters = {}): Promise<Parameters> {
    const id = ++this.#orderCount;
    const reply = new Promise<Parameters>((resolve, reject) => {
      this.#waiting.set(id, ({ result = {}, error }) =>
        error === undefined ? resolve(result) : reject(new Error(`${method}: ${error.message}`)),
      );
    });
    const session = this.#session === undefined ? {} : { sessionId: this.#session };
    this.#orders.write(`${JSON.stringify({ id, method, params, ...session })}\0`);
    return deadline(reply, () => `${method} of Chromium`);
  }

  #heard({ id, method, params = {}, ...reply }: Reply): void {
    if (id !== undefined) {
      this.#waiting.get(id)?.(reply);
      this.#waiting.delete(id);
    } else if (method === 'Page.loadEventFired') {
      this.#loaded?.();
    } else if (method === 'Page.javascriptDialogOpening') {
      void this.#order('Page.handleJavaScriptDialog', { accept: true, promptText: this.answer });
    } else if (method === 'Runtime.exceptionThrown') {
      this.errors.push(JSON.stringify(params.exceptionDetails));
    } else if (method === 'Runtime.consoleAPICalled' && params.type === 'error') {
      this.errors.push(JSON.stringify(params.args));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#browser.once('close', resolve));
    this.#browser.kill('SIGKILL');
    await closed;
    this.#profile[Symbol.dispose]();
  }
}
