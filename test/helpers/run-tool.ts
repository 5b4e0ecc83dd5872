import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { deadline } from './deadline.ts';

/** One line of `--json`; events carry their fields flat. */
export type JsonMessage = Readonly<Record<string, unknown>> & { readonly type: string };

export interface ToolResult {
  /** Exit status; null after a signal. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** All lines of `--json`, in order. */
  readonly messages: readonly JsonMessage[];
  /** Those of type event. */
  readonly rows: readonly JsonMessage[];
}

export interface RunOptions extends Pick<SpawnOptions, 'env' | 'cwd' | 'uid' | 'gid' | 'stdio'> {
  /** Parse the lines of standard output; by default when the arguments have `--json`. */
  readonly json?: boolean;
}

/** The folder that holds `bin`, `bpf`, `lib` and `tools`: what the tests run is what was built. */
export const built = fileURLToPath(new URL('../../', import.meta.url));

/** What starts a command of the package; no PATH and no `env` is asked for Node. */
export function toolCommand(name: string, args: readonly string[] = []): [string, ...string[]] {
  return [process.execPath, `${built}commands/bin/${name}`, ...args];
}

/**
 * Starts a command of the package.
 *
 *     await using tool = startTool('opensnoop', ['--json', '-p', String(process.pid)]);
 *     await tool.ready();
 *     ... do something ...
 *     const { code, rows } = await tool.end();
 *
 * With `await using` it is killed when the test ends early. Whatever is waited for has a deadline.
 */
export function startTool(name: string, args: readonly string[] = [], options: RunOptions = {}): RunningTool {
  return startCommand(toolCommand(name, args), { json: args.includes('--json'), ...options });
}

/** Starts any command line, with the same means to watch it. */
export function startCommand(argv: readonly [string, ...string[]], options: RunOptions = {}): RunningTool {
  const [file, ...args] = argv;
  const { json = false, ...spawnOptions } = options;
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], ...spawnOptions });
  return new RunningTool(child, json, argv.join(' '));
}

/** Runs a command of the package until it ends by itself. */
export async function runTool(name: string, args: readonly string[], options: RunOptions = {}): Promise<ToolResult> {
  await using tool = startTool(name, args, options);
  return await tool.ended();
}

/** A started command. Output is collected as it comes. */
export class RunningTool implements AsyncDisposable {
  readonly process: ChildProcess;
  /** Lines of `--json` so far. */
  readonly messages: JsonMessage[] = [];
  readonly #command: string;
  readonly #closed: Promise<void>;
  readonly #output = { stdout: '', stderr: '' };
  /** The beginning of a line of `--json`. */
  #rest = '';
  #over = false;
  #failure: Error | undefined;
  #waiting: (() => void)[] = [];

  constructor(child: ChildProcess, json: boolean, command: string) {
    this.process = child;
    this.#command = command;
    for (const name of ['stdout', 'stderr'] as const) {
      child[name]?.setEncoding('utf8').on('data', (text: string) => {
        this.#output[name] += text;
        if (json && name === 'stdout') {
          this.#parse(text);
        }
        this.#notify();
      });
    }
    this.#closed = new Promise((resolve) => {
      const over = (error?: Error) => {
        this.#over = true;
        this.#failure ??= error;
        this.#notify();
        resolve();
      };
      child.on('error', over);
      child.on('close', () => over());
    });
  }

  get pid(): number {
    const { pid } = this.process;
    if (pid === undefined) {
      throw new Error(`did not start: ${this.#command}`);
    }
    return pid;
  }

  get stdout(): string {
    return this.#output.stdout;
  }

  get stderr(): string {
    return this.#output.stderr;
  }

  /** Events so far. */
  get rows(): JsonMessage[] {
    return this.messages.filter(({ type }) => type === 'event');
  }

  /** Waits for the line that says that everything is attached. */
  ready(): Promise<void> {
    return this.until(({ stderr }) => stderr.includes('Ctrl-C'), 'the ready line');
  }

  /** The first event that meets the condition, now or later; gone by is not lost. */
  async row(predicate: (row: JsonMessage) => boolean, what = 'a certain event'): Promise<JsonMessage> {
    return this.message((message) => message.type === 'event' && predicate(message), what);
  }

  /** The first line of `--json` that meets the condition, now or later. */
  async message(predicate: (message: JsonMessage) => boolean, what = 'a certain message'): Promise<JsonMessage> {
    let found: JsonMessage | undefined;
    let seen = 0;
    await this.until(() => {
      for (; found === undefined && seen < this.messages.length; seen += 1) {
        const message = this.messages[seen];
        if (message !== undefined && predicate(message)) {
          found = message;
        }
      }
      return found !== undefined;
    }, what);
    return found as JsonMessage;
  }

  /** Waits until what was printed so far meets the condition. Fails when the command ends without that. */
  async until(condition: (tool: this) => boolean, what = 'a certain output'): Promise<void> {
    const reached = async () => {
      for (;;) {
        if (this.#failure !== undefined) {
          throw this.#failure;
        }
        if (condition(this)) {
          return;
        }
        if (this.#over) {
          throw new Error(`ended without ${what}: ${this.#describe()}`);
        }
        await new Promise<void>((resolve) => this.#waiting.push(resolve));
      }
    };
    await deadline(reached(), () => `waiting for ${what} of ${this.#describe()}`);
  }

  /** Asks for the end, with SIGINT unless told otherwise, and waits for it. */
  end(signal: NodeJS.Signals = 'SIGINT'): Promise<ToolResult> {
    this.process.kill(signal);
    return this.ended();
  }

  /** Waits until the command has ended by itself and all its output is there. */
  async ended(limit?: number): Promise<ToolResult> {
    await deadline(this.#closed, () => `waiting for the end of ${this.#describe()}`, limit);
    if (this.#failure !== undefined) {
      throw this.#failure;
    }
    if (this.#rest !== '') {
      throw new Error(`the last line is cut: ${this.#describe()}`);
    }
    return {
      code: this.process.exitCode,
      signal: this.process.signalCode,
      stdout: this.stdout,
      stderr: this.stderr,
      messages: this.messages,
      rows: this.rows,
    };
  }

  /** Kills what still runs. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#over) {
      this.process.kill('SIGKILL');
      this.process.kill('SIGCONT');
    }
    await this.#closed;
  }

  #parse(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      try {
        this.messages.push(JSON.parse(line));
      } catch (cause) {
        this.#failure ??= new Error(`not JSON: ${line}`, { cause });
      }
    }
  }

  #notify(): void {
    for (const resolve of this.#waiting.splice(0)) {
      resolve();
    }
  }

  #describe(): string {
    const { exitCode, signalCode } = this.process;
    const how = this.#over ? `ended (${signalCode ?? `exit status ${exitCode}`})` : 'running';
    return [`${this.#command}: ${how}`, 'stdout:', tail(this.stdout), 'stderr:', tail(this.stderr)].join('\n');
  }
}

function tail(text: string): string {
  return text.length > 4000 ? `...${text.slice(-4000)}` : text;
}
