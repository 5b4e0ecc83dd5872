import { KscopeError } from '../model/errors.ts';
import { Status } from '../output/status.ts';
import { Writer } from '../output/writer.ts';
import { endProcess } from '../system/end.ts';
import { hasReader } from '../system/reader.ts';

const endSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Ctrl-C reaches a child of npm twice at once, from the terminal and from npm: that is still one. */
const sameKeystroke = 500;

/** How often to look whether the reader is still there. */
const readerCheck = 500;

/** How long a reader that has stopped reading may keep us once somebody asked for the end. */
const stuckReader = 1000;

function ignored(): void {}

/** The outer life of a command that prints until it is told to end: what it writes to, and when that is. */
export interface Lifecycle {
  readonly stdout: Writer;
  readonly stderr: Writer;
  readonly status: Status;
  /** Aborted by a signal, by a reader that is gone, or by the command itself. */
  readonly end: AbortController;
}

/**
 * Does `work` until it is done, and makes sure that all output is written and that errors are told. Signals and a
 * reader that goes away abort `end`, a second SIGINT exits at once. Resolves to the exit status.
 */
export async function live(
  name: string,
  verbose: boolean,
  work: (life: Lifecycle) => Promise<void>,
  finish: () => void = () => {},
): Promise<number> {
  const stdout = new Writer(1);
  const stderr = new Writer(2);
  const status = new Status(stderr, name, { verbose });
  const end = new AbortController();
  // A caller that waits for a slow reader must not wait once the end was asked for.
  end.signal.addEventListener('abort', () => stdout.hurry(), { once: true });
  /** When a signal first asked for the end; the promise settles then. */
  let told: number | undefined;
  let tell!: () => void;
  const signalled = new Promise<void>((resolve) => {
    tell = resolve;
  });
  let failure: unknown;

  void stdout.closed.then(() => end.abort());
  const onSignal = (signal: NodeJS.Signals, number: number) => {
    if (signal === 'SIGINT' && told !== undefined && performance.now() - told > sameKeystroke) {
      endProcess(128 + number);
    }
    told ??= performance.now();
    tell();
    end.abort();
  };
  for (const signal of endSignals) {
    process.on(signal, onSignal);
  }

  // A tool may have nothing to say for long, and only writing tells that a reader has gone. Besides, a tool may wait for
  // nothing but its end, and a signal handler alone does not keep the process.
  const alive = setInterval(() => {
    if (!hasReader(1)) {
      end.abort();
    }
  }, readerCheck);
  try {
    await work({ stdout, stderr, status, end });
  } catch (error) {
    failure = error;
  } finally {
    end.abort();
    stderr.release();
    finish();
    clearInterval(alive);
  }

  await flush(stdout, signalled);
  failure ??= stdout.failure;
  let exitStatus = 0;
  if (failure !== undefined) {
    const known = failure instanceof KscopeError ? failure : undefined;
    const hints = known?.code === 'permission' ? (await import('./permission.ts')).permissionHints() : [];
    status.error(failure, hints);
    exitStatus = known?.exitCode ?? 1;
  }
  await stderr.flush(stuckReader);
  for (const signal of endSignals) {
    process.off(signal, onSignal);
    // All is said and done: a signal that comes now must not change how the command ends.
    process.off(signal, ignored).on(signal, ignored);
  }
  return exitStatus;
}

/** A reader may take its time, as pagers do, but not once somebody has asked for the end. */
async function flush(writer: Writer, signalled: Promise<void>): Promise<void> {
  const written = writer.flush().then(() => true);
  if (!(await Promise.race([written, signalled.then(() => false)]))) {
    await writer.flush(stuckReader);
  }
}
