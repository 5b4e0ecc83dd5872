import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pause } from '../../lib/system/pause.ts';
import { deadline } from './deadline.ts';

/** Why tests that need a real terminal cannot run; false when they can. */
export const noTmux = spawnSync('tmux', ['-V']).status === 0 ? false : 'tmux is not installed';

/** How a terminal is set, as far as a full-screen program changes it. */
export interface TerminalState {
  /** As stty(1) saves it. */
  readonly modes: string;
  readonly alternate: boolean;
  readonly cursor: boolean;
  readonly wraps: boolean;
}

/** Quotes a word for sh. */
export function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/**
 * A real terminal with a command in it. The command runs between the lines BEGIN and 'END status', and the terminal
 * stays after its end.
 */
export class Tmux implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'kscope-tmux-'));
  readonly #socket = join(this.#folder, 'socket');
  #before: TerminalState | undefined;

  /** @param line for sh */
  static async start(line: string, size: { readonly width: number; readonly height: number }): Promise<Tmux> {
    const tmux = new Tmux();
    const script = join(tmux.#folder, 'script');
    writeFileSync(
      script,
      `stty -g > ${tmux.#file('before')}; echo BEGIN; echo $$ > ${tmux.#file('shell')}; read -r _\n` +
        `${line}\nstatus=$?\nstty -g > ${tmux.#file('after')}; echo "END $status"; read -r _\n`,
    );
    const { width, height } = size;
    tmux.#run(
      '-f',
      '/dev/null',
      'new-session',
      '-d',
      '-x',
      String(width),
      '-y',
      String(height),
      `sh ${quoted(script)}`,
    );
    await tmux.until((screen) => screen.includes('BEGIN'));
    tmux.#before = tmux.#state('before');
    tmux.keys('Enter');
    return tmux;
  }

  /** Presses keys, by their names in tmux. */
  keys(...names: string[]): void {
    this.#run('send-keys', ...names);
  }

  resize(width: number, height: number): void {
    this.#run('resize-window', '-x', String(width), '-y', String(height));
  }

  /** What is on the screen, line by line; with `colours`, with what sets them. */
  screen(colours = false): string {
    return this.#run('capture-pane', '-p', ...(colours ? ['-e'] : []));
  }

  /** Sends a signal to the command: to the child of the shell. */
  kill(signal: NodeJS.Signals): void {
    const shell = readFileSync(this.#file('shell'), 'utf8').trim();
    const children = readFileSync(`/proc/${shell}/task/${shell}/children`, 'utf8').trim().split(' ');
    process.kill(Number(children[0]), signal);
  }

  /** Waits until the screen meets a condition, and returns it. */
  until(condition: (screen: string) => boolean): Promise<string> {
    let last = '';
    const reached = async () => {
      for (;;) {
        last = this.screen();
        if (condition(last)) {
          return last;
        }
        await pause(20);
      }
    };
    return deadline(reached(), () => `waiting for the screen, which is\n${last}`);
  }

  /** Waits for the end of the command: what is on the screen then, the exit status, and the terminal then and before. */
  async ended(): Promise<{ screen: string; status: number; before: TerminalState; after: TerminalState }> {
    const screen = await this.until((text) => /^END \d+$/m.test(text));
    const status = Number(/^END (\d+)$/m.exec(screen)?.[1]);
    return { screen, status, before: this.#before as TerminalState, after: this.#state('after') };
  }

  [Symbol.dispose](): void {
    try {
      // A command that does not end, and that a hang-up does not end either, is in the group of the shell.
      process.kill(-Number(readFileSync(this.#file('shell'), 'utf8')), 'SIGKILL');
    } catch {
      // It has ended, or never started.
    }
    spawnSync('tmux', ['-S', this.#socket, 'kill-server']);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #file(name: string): string {
    return join(this.#folder, name);
  }

  #state(when: 'before' | 'after'): TerminalState {
    const flags = this.#run('display-message', '-p', '#{alternate_on} #{cursor_flag} #{wrap_flag}').trim().split(' ');
    const [alternate, cursor, wraps] = flags.map((flag) => flag === '1');
    const modes = readFileSync(this.#file(when), 'utf8').trim();
    return { modes, alternate: alternate === true, cursor: cursor === true, wraps: wraps === true };
  }

  #run(...args: string[]): string {
    const { status, stdout, stderr } = spawnSync('tmux', ['-S', this.#socket, ...args], {
      encoding: 'utf8',
      env: { ...process.env, TERM: 'xterm-256color', TMUX: '' },
    });
    if (status !== 0) {
      throw new Error(`tmux ${args[0]}: ${stderr}`);
    }
    return stdout;
  }
}
