import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** A program that answers each byte with a byte, when it has done what the byte asks for. */
export class Answering implements AsyncDisposable {
  readonly pid: number;
  readonly #process: ChildProcess;

  constructor(program: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env) {
    this.#process = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'], env });
    this.pid = this.#process.pid ?? 0;
  }

  async ask(bytes: string): Promise<void> {
    for (const byte of bytes) {
      this.#process.stdin?.write(byte);
      await once(this.#process.stdout as NodeJS.ReadableStream, 'data');
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill('SIGKILL');
    await once(this.#process, 'exit');
  }
}
