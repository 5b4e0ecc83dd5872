/** The process behind an Actor: makes the system calls that it is told to make, in the thread that is asked for. */

import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import type { Argument } from './native-arguments.ts';
import { syscall } from './syscall.ts';

export interface Call {
  readonly name: string;
  readonly args: readonly Argument[];
}

/** What an actor is asked to do, one call after the other. Thread 0 is the main one. */
export interface Request {
  readonly thread: number;
  readonly calls: readonly Call[];
}

export interface CallResult {
  readonly result: number;
  /** The arguments as they are afterwards: calls write to memory that they were given. */
  readonly args: readonly Argument[];
}

/** What it answers, in the order of the requests to each thread. */
export interface Reply {
  readonly thread: number;
  readonly results: readonly CallResult[];
}

function perform({ thread, calls }: Request): Reply {
  return { thread, results: calls.map(({ name, args }) => ({ result: syscall(name, ...args), args })) };
}

if (isMainThread) {
  const threads = Array.from({ length: Number(process.argv[2]) }, () => new Worker(fileURLToPath(import.meta.url)));
  for (const worker of threads) {
    worker.on('message', (reply: Reply) => process.send?.(reply));
  }
  process.on('disconnect', () => process.exit());
  process.on('message', (request: Request) => {
    if (request.thread === 0) {
      process.send?.(perform(request));
    } else {
      threads[request.thread - 1]?.postMessage(request);
    }
  });
} else {
  parentPort?.on('message', (request: Request) => parentPort?.postMessage(perform(request)));
}
