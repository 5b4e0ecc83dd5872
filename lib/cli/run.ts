import { KscopeError } from '../model/errors.ts';
import type { StatsMessage } from '../model/message.ts';
import type { Output } from '../output/output.ts';
import type { Status } from '../output/status.ts';
import type { Writer } from '../output/writer.ts';
import { type RunContext, type Tool, tracesCommands } from '../shapes/definition.ts';
import { pauseUntil } from '../system/pause.ts';
import { type Lifecycle, live } from './lifecycle.ts';
import { hurryIf, optimizeLater } from './optimize-later.ts';
import type { TracedCommand } from './traced-command.ts';

/** The part of the option values that belongs to whoever runs a tool, not to the tool. */
export interface RunnerValues {
  /** Of a tool that takes a command as an option as well. */
  readonly commandLine?: string;
  readonly json?: boolean;
  /** Of tools that have the option. */
  readonly csv?: boolean;
  readonly view?: boolean;
  readonly record?: string;
  readonly time?: 'clock' | 'rfc3339' | 'unix' | 'relative';
  readonly utc?: boolean;
  readonly duration?: number;
  /** The same, given by its place. */
  readonly seconds?: number;
  readonly readyFd?: number;
  readonly bufferSize?: number;
  readonly stats?: boolean;
  readonly statsInterval?: number;
  readonly btf?: string;
  readonly verbose?: boolean;
  readonly folded?: boolean;
  readonly delimited?: boolean;
  readonly flame?: string;
  readonly speedscope?: string;
  readonly write?: string;
}

type Values = Readonly<Record<string, unknown>>;

/**
 * Runs a tool until its end, a signal, the duration, or until nobody reads any more. Prints what it says on standard
 * output and everything for people on standard error. Resolves to the exit status, with all output written.
 * With a command `after` the arguments, only that is traced, from its start to its end.
 */
export function runTool(name: string, tool: Tool, given: Values, after: readonly string[] = []): Promise<number> {
  const own = given as RunnerValues;
  const command = after.length === 0 && own.commandLine !== undefined ? words(own.commandLine) : after;
  let traced: TracedCommand | undefined;
  return live(
    name,
    own.verbose ?? false,
    async (life) => {
      const { end } = life;
      const ready = await readyDescriptor(own);
      const viewed = await wantsView(own, tool, given, command);
      const stop = viewed ? stopOf(end) : end;
      const status = viewed ? quietly(life) : life.status;
      const output = await outputFor(
        name,
        given,
        viewed ? await viewOutput(name, own, life) : await mainOutput(own, life.stdout),
      );
      traced = await startTraced(command, tool, viewed);
      const values =
        traced === undefined ? given : { ...given, pid: tool.options.pid?.repeatable ? [traced.pid] : traced.pid };
      const report = (stats: StatsMessage) => {
        status.message(stats);
        void output.message(stats);
      };
      try {
        for await (const message of tool.run(contextFor(own, values, stop.signal, status, report, viewed))) {
          // The ready line comes first: scripts wait for it, and it may not wait for a reader.
          status.message(message);
          if (message.type === 'ready') {
            ready?.tell();
            traced?.begin();
            void traced?.ended.then(() => stop.abort());
            // Not earlier: it is not needed for the start, and code that was compiled ahead is for other settings.
            optimizeLater();
            const length = own.duration ?? own.seconds;
            if (length !== undefined) {
              void pauseUntil(performance.now() + length * 1000, stop.signal).then(() => stop.abort());
            }
          }
          if (message.type === 'events') {
            hurryIf(message.rows.length);
          }
          const done = output.message(message);
          if (done !== undefined) {
            await done;
          }
        }
        await output.rendered?.();
      } finally {
        await output.close?.();
      }
    },
    () => traced?.close(),
  );
}

/** A command as it is written in a shell, which becomes it. */
function words(commandLine: string): readonly string[] {
  return ['/bin/sh', '-c', `exec ${commandLine}`];
}

async function readyDescriptor({ readyFd }: RunnerValues) {
  if (readyFd === undefined) {
    return undefined;
  }
  const { ReadyDescriptor } = await import('./ready-descriptor.ts');
  return new ReadyDescriptor(readyFd);
}

async function startTraced(
  command: readonly string[],
  tool: Tool,
  viewed: boolean,
): Promise<TracedCommand | undefined> {
  if (command.length === 0) {
    return undefined;
  }
  if (!tracesCommands(tool)) {
    throw new KscopeError('usage', 'this tool cannot be limited to one command');
  }
  const { TracedCommand } = await import('./traced-command.ts');
  // Its output would be written over the view, and it would take the keys.
  return TracedCommand.start(command, viewed ? 'ignore' : undefined);
}

/** Seconds between looks at what would otherwise be shown at the end. */
const refresh = 1;

/**
 * Whether a terminal shows a live view: when that is asked for, and for screens that are replaced all the time, unless
 * the command line says how many of them there are to be, or how to print them.
 * @throws KscopeError usage, when it is asked for and there is no terminal
 */
async function wantsView(own: RunnerValues, tool: Tool, given: Values, command: readonly string[]): Promise<boolean> {
  if (own.view !== true) {
    const text = own.json === true || own.csv === true || given.noClear === true;
    const length = own.duration ?? own.seconds ?? given.intervals;
    const bounded = length !== undefined || command.length > 0;
    if (tool.screen !== true || text || bounded) {
      return false;
    }
  }
  const { viewProblem } = await import('./view-output.ts');
  const problem = viewProblem();
  if (problem !== undefined && own.view === true) {
    throw new KscopeError('usage', problem);
  }
  return problem === undefined;
}

/** Ends the run, but not the view of it, which people may want to go on looking at. */
function stopOf(end: AbortController): AbortController {
  const stop = new AbortController();
  end.signal.addEventListener('abort', () => stop.abort(), { once: true });
  return stop;
}

async function viewOutput(name: string, own: RunnerValues, life: Lifecycle): Promise<Output> {
  const { openViewOutput } = await import('./view-output.ts');
  return openViewOutput(name, own, life);
}

/**
 * What is said to people while a view is shown on their terminal comes when it has been left, but for what the view
 * itself shows.
 */
function quietly({ status, stderr }: Lifecycle): Pick<Status, 'message' | 'debug'> {
  if (!process.getBuiltinModule('node:tty').isatty(2)) {
    return status;
  }
  stderr.hold();
  return {
    message: (message) => {
      const passing = message.type === 'lost' || message.type === 'stats' ? !message.final : message.type === 'ready';
      if (!passing) {
        status.message(message);
      }
    },
    debug: (line) => status.debug(line),
  };
}

/** Each kind of output is imported when it is used. */
async function outputFor(name: string, given: Values, main: Output): Promise<Output> {
  const values = given as RunnerValues;
  let output = main;
  const { flame, speedscope, record } = values;
  if (flame !== undefined || speedscope !== undefined) {
    const { ProfileFiles } = await import('../output/profile-files.ts');
    output = new ProfileFiles(output, {
      title: name,
      ...(flame !== undefined && { flame }),
      ...(speedscope !== undefined && { speedscope }),
    });
  }
  if (record !== undefined) {
    const { Recording } = await import('../output/recording.ts');
    output = new Recording(output, record, given);
  }
  return output;
}

/** Text, JSON, comma-separated values, or packets. */
async function mainOutput(values: RunnerValues, writer: Writer): Promise<Output> {
  if (values.write !== undefined) {
    const { PacketFile } = await import('../output/packet-file.ts');
    return new PacketFile(values.write, writer, () => process.getBuiltinModule('node:tty').isatty(1));
  }
  const { json = false, csv = false, time = 'clock', utc = false, folded = false, delimited = false } = values;
  if (json) {
    const { JsonOutput } = await import('../output/json.ts');
    return new JsonOutput(writer, { utc });
  }
  if (csv) {
    const { CsvOutput } = await import('../output/csv.ts');
    return new CsvOutput(writer, { utc });
  }
  const { TextOutput } = await import('../output/text.ts');
  return new TextOutput(writer, { time, utc }, () => process.getBuiltinModule('node:tty').isatty(1), {
    folded,
    delimited,
  });
}

function contextFor(
  own: RunnerValues,
  values: Values,
  signal: AbortSignal,
  status: Pick<Status, 'debug'>,
  report: (stats: StatsMessage) => void,
  viewed: boolean,
): RunContext {
  const btf = own.btf ?? process.env.KSCOPE_BTF;
  const { stats = false, statsInterval: interval } = own;
  return {
    values,
    signal,
    ...(viewed && { refresh }),
    ...(btf === undefined ? {} : { btf }),
    ...(own.bufferSize === undefined ? {} : { bufferSize: own.bufferSize }),
    ...((stats || interval !== undefined) && { stats: { ...(interval !== undefined && { interval }), report } }),
    ...(own.verbose === true ? { debug: (line: string) => status.debug(line) } : {}),
  };
}
