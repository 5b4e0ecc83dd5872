import { KscopeError } from '../model/errors.ts';
import type { StatsMessage } from '../model/message.ts';
import type { Output } from '../output/output.ts';
import { Status } from '../output/status.ts';
import { Writer } from '../output/writer.ts';
import { type RunContext, type Tool, tracesCommands } from '../shapes/definition.ts';
import { pauseUntil } from '../system/pause.ts';
import { hasReader } from '../system/reader.ts';
import type { TracedCommand } from './traced-command.ts';

/** The part of the option values that belongs to whoever runs a tool, not to the tool. */
interface RunnerValues {
  readonly json?: boolean;
  readonly time?: 'clock' | 'rfc3339' | 'unix' | 'relative';
  readonly utc?: boolean;
  readonly duration?: number;
  readonly bufferSize?: number;
  readonly stats?: boolean;
  readonly statsInterval?: number;
  readonly btf?: string;
  readonly verbose?: boolean;
  readonly folded?: boolean;
  readonly delimited?: boolean;
  readonly flame?: string;
  readonly speedscope?: string;
}

const endSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Ctrl-C reaches a child of npm twice at once, from the terminal and from npm: that is still one. */
const sameKeystroke = 500;

/** How often to look whether the reader is still there. */
const readerCheck = 500;

/** How long a reader that has stopped reading may keep us once somebody asked for the end. */
const stuckReader = 1000;

/**
 * Runs a tool until its end, a signal, the duration, or until nobody reads any more. Prints what it says on standard
 * output and everything for people on standard error. Resolves to the exit status, with all output written.
 * With a `command`, only that is traced, from its start to its end.
 */
export async function runTool(
  name: string,
  tool: Tool,
  given: Readonly<Record<string, unknown>>,
  command: readonly string[] = [],
): Promise<number> {
  const own = given as RunnerValues;
  const verbose = own.verbose ?? false;
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
      process.exit(128 + number);
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
  let traced: TracedCommand | undefined;
  try {
    const output = await outputFor(name, own, stdout);
    traced = await startTraced(command, tool);
    const values = traced === undefined ? given : { ...given, pid: traced.pid };
    const report = (stats: StatsMessage) => {
      status.message(stats);
      void output.message(stats);
    };
    for await (const message of tool.run(contextFor(own, values, end.signal, status, report))) {
      // The ready line comes first: scripts wait for it, and it may not wait for a reader.
      status.message(message);
      if (message.type === 'ready') {
        traced?.begin();
        void traced?.ended.then(() => end.abort());
        if (own.duration !== undefined) {
          void pauseUntil(performance.now() + own.duration * 1000, end.signal).then(() => end.abort());
        }
      }
      const done = output.message(message);
      if (done !== undefined) {
        await done;
      }
    }
    await output.rendered?.();
  } catch (error) {
    failure ??= error;
  } finally {
    end.abort();
    traced?.close();
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
  }
  return exitStatus;
}

async function startTraced(command: readonly string[], tool: Tool): Promise<TracedCommand | undefined> {
  if (command.length === 0) {
    return undefined;
  }
  if (!tracesCommands(tool)) {
    throw new KscopeError('usage', 'this tool cannot be limited to one command');
  }
  const { TracedCommand } = await import('./traced-command.ts');
  return TracedCommand.start(command);
}

/** A reader may take its time, as pagers do, but not once somebody has asked for the end. */
async function flush(writer: Writer, signalled: Promise<void>): Promise<void> {
  const written = writer.flush().then(() => true);
  if (!(await Promise.race([written, signalled.then(() => false)]))) {
    await writer.flush(stuckReader);
  }
}

/** Each kind of output is imported when it is used. */
async function outputFor(name: string, values: RunnerValues, writer: Writer): Promise<Output> {
  const output = await mainOutput(values, writer);
  const { flame, speedscope } = values;
  if (flame === undefined && speedscope === undefined) {
    return output;
  }
  const { ProfileFiles } = await import('../output/profile-files.ts');
  return new ProfileFiles(output, {
    title: name,
    ...(flame !== undefined && { flame }),
    ...(speedscope !== undefined && { speedscope }),
  });
}

async function mainOutput(values: RunnerValues, writer: Writer): Promise<Output> {
  const { json = false, time = 'clock', utc = false, folded = false, delimited = false } = values;
  if (json) {
    const { JsonOutput } = await import('../output/json.ts');
    return new JsonOutput(writer, { utc });
  }
  const { TextOutput } = await import('../output/text.ts');
  return new TextOutput(writer, { time, utc }, () => process.getBuiltinModule('node:tty').isatty(1), {
    folded,
    delimited,
  });
}

function contextFor(
  own: RunnerValues,
  values: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
  status: Status,
  report: (stats: StatsMessage) => void,
): RunContext {
  const btf = own.btf ?? process.env.KSCOPE_BTF;
  const { stats = false, statsInterval: interval } = own;
  return {
    values,
    signal,
    ...(btf === undefined ? {} : { btf }),
    ...(own.bufferSize === undefined ? {} : { bufferSize: own.bufferSize }),
    ...((stats || interval !== undefined) && { stats: { ...(interval !== undefined && { interval }), report } }),
    ...(own.verbose === true ? { debug: (line: string) => status.debug(line) } : {}),
  };
}
