import { open } from 'node:fs/promises';
import { KscopeError, reasonOf } from '../model/errors.ts';

const chunkSize = 256 * 1024;

/** Where the lines of a recording come from. */
export interface Source {
  /** Whether it can be read from the start again. */
  readonly rewindable: boolean;
  /** The bytes from the start on. @throws KscopeError failed */
  chunks(signal: AbortSignal): AsyncGenerator<Uint8Array, void, void>;
}

/** A file, or '-' for what comes on standard input. A file that is a pipe is read as it comes, too. */
export async function openSource(path: string): Promise<Source> {
  const name = path === '-' ? '/dev/stdin' : path;
  if (path === '-') {
    return { rewindable: false, chunks: (signal) => streamed(signal) };
  }
  const regular = await read(name, async () => {
    const file = await open(name);
    try {
      const stats = await file.stat();
      if (stats.isDirectory()) {
        throw new KscopeError('failed', `${path} is a folder`);
      }
      return stats.isFile();
    } finally {
      await file.close();
    }
  });
  return { rewindable: regular, chunks: (signal) => fromFile(name, signal) };
}

async function* fromFile(path: string, signal: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
  const file = await read(path, () => open(path));
  try {
    while (!signal.aborted) {
      const { bytesRead, buffer } = await read(path, () =>
        file.read(Buffer.allocUnsafe(chunkSize), 0, chunkSize, null),
      );
      if (bytesRead === 0) {
        return;
      }
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

/** Standard input as a stream: whoever waits for a pipe can be told to end. */
async function* streamed(signal: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
  const { stdin } = process;
  const stop = () => stdin.destroy();
  signal.addEventListener('abort', stop, { once: true });
  try {
    for await (const chunk of stdin) {
      yield chunk as Uint8Array;
    }
  } catch (cause) {
    if (!signal.aborted) {
      throw unreadable('standard input', cause);
    }
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

async function read<T>(path: string, get: () => Promise<T>): Promise<T> {
  try {
    return await get();
  } catch (cause) {
    throw cause instanceof KscopeError ? cause : unreadable(path, cause);
  }
}

function unreadable(what: string, cause: unknown): KscopeError {
  return new KscopeError('failed', `cannot read ${what}: ${reasonOf(cause)}`, { cause });
}
