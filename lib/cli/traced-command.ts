import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { KscopeError } from '../model/errors.ts';
import { pause } from '../system/pause.ts';

// The shell stops itself and, once it is continued, becomes the command: the process is known before it does anything.
const script = 'kill -STOP $$; exec "$@"';

/** A command that is started for being traced: `opensnoop -- ls -l`. It begins when the tool is ready. */
export class TracedCommand {
  readonly pid: number;
  /** Settles when it has ended, however that was. */
  readonly ended: Promise<void>;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.pid = child.pid as number;
    this.ended = new Promise((resolve) => child.once('exit', () => resolve()));
  }

  /**
   * Starts the command, stopped. What it prints goes to standard error: standard output is for data.
   * @param stdio 'ignore' keeps it away from a terminal that is in use
   * @throws KscopeError failed
   */
  static async start(argv: readonly string[], stdio: StdioOptions = ['inherit', 2, 2]): Promise<TracedCommand> {
    const child = spawn('/bin/sh', ['-c', script, 'sh', ...argv], { stdio });
    const failure = await new Promise<Error | undefined>((resolve) => {
      child.once('spawn', () => resolve(undefined));
      child.once('error', resolve);
    });
    if (failure !== undefined) {
      throw new KscopeError('failed', `cannot start ${argv[0]}: ${failure.message}`, { cause: failure });
    }
    const command = new TracedCommand(child);
    while (stateOf(command.pid) !== 'T') {
      await pause(2);
    }
    return command;
  }

  begin(): void {
    this.#child.kill('SIGCONT');
  }

  /** Ends it, should it still run. */
  close(): void {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill('SIGTERM');
      this.#child.kill('SIGCONT');
    }
  }
}

/** One letter as in ps(1); 'T' is stopped, and so is what has gone already: nothing will change any more. */
function stateOf(pid: number): string {
  try {
    return /^\d+ \(.*\) (.)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1] ?? 'T';
  } catch {
    return 'T';
  }
}
