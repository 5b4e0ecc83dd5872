import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Call, CallResult, Reply, Request } from './actor-main.ts';
import { deadline } from './deadline.ts';
import type { Argument } from './native-arguments.ts';
import { errorName } from './syscall.ts';

const program = fileURLToPath(new URL('./actor-main.js', import.meta.url));

export interface ActorOptions {
  /** Threads besides the main one. */
  readonly threads?: number;
  readonly cwd?: string;
}

/**
 * A process that makes the system calls that a test tells it to make, and none of its own accord that a tool shows:
 * for what a test cannot do to itself, such as another user, another name space, or an end.
 */
export class Actor implements AsyncDisposable {
  readonly pid: number;
  /** Thread ids; the first is the pid. */
  readonly tids: readonly number[];
  /** Exit status or signal. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  readonly #process: ChildProcess;
  readonly #waiting: ((reply: Reply) => void)[][];

  static async start({ threads = 0, cwd }: ActorOptions = {}): Promise<Actor> {
    const child = fork(program, [String(threads)], {
      serialization: 'advanced',
      stdio: ['pipe', 'inherit', 'inherit', 'ipc'],
      // With several arenas, glibc opens a file of /proc whenever a thread gives memory back.
      env: { ...process.env, MALLOC_ARENA_MAX: '1' },
      ...(cwd !== undefined && { cwd }),
    });
    const tids: number[] = [];
    const actor = new Actor(child, tids, threads);
    for (let thread = 0; thread <= threads; thread++) {
      tids.push((await actor.ask(thread, 'gettid')).result);
    }
    return actor;
  }

  private constructor(child: ChildProcess, tids: readonly number[], threads: number) {
    this.#process = child;
    this.pid = child.pid ?? 0;
    this.tids = tids;
    this.#waiting = Array.from({ length: threads + 1 }, () => []);
    this.ended = once(child, 'exit').then(([code, signal]) => ({ code, signal }));
    child.on('message', (reply: Reply) => this.#waiting[reply.thread]?.shift()?.(reply));
  }

  /** Makes a system call in the main thread. @returns its result, or the negative errno */
  async call(name: string, ...args: readonly Argument[]): Promise<number> {
    return (await this.ask(0, name, ...args)).result;
  }

  /** The same, and fails when the call does. */
  async mustCall(name: string, ...args: readonly Argument[]): Promise<number> {
    const result = await this.call(name, ...args);
    if (result < 0) {
      throw new Error(`${name}: ${errorName(-result)}`);
    }
    return result;
  }

  /** Makes a system call in any thread, and tells its result and what became of the memory that it was given. */
  async ask(thread: number, name: string, ...args: readonly Argument[]): Promise<CallResult> {
    const [only] = await this.perform([{ name, args }], thread);
    return only as CallResult;
  }

  /** Makes system calls, each right after the one before. */
  perform(calls: readonly Call[], thread = 0): Promise<readonly CallResult[]> {
    const names = () => [...new Set(calls.map(({ name }) => name))].join(', ');
    const results = new Promise<readonly CallResult[]>((resolve, reject) => {
      this.#send({ thread, calls }, (reply) => resolve(reply.results));
      void this.ended.then(({ code, signal }) => reject(new Error(`${names()} ended the actor: ${signal ?? code}`)));
    });
    return deadline(results, () => `${names()} in thread ${thread} of an actor`);
  }

  /** Has a call made that does not return, or not soon. */
  tell(thread: number, name: string, ...args: readonly Argument[]): void {
    this.#send({ thread, calls: [{ name, args }] }, () => {});
  }

  /** Gives its standard input, which nothing but system calls reads, something to read. */
  write(text: string): void {
    this.#process.stdin?.write(text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.ended;
  }

  #send(request: Request, onReply: (reply: Reply) => void): void {
    this.#waiting[request.thread]?.push(onReply);
    this.#process.send(request);
  }
}
