import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';

export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A started command whose output is collected as it comes. */
class Started {
  readonly process: ChildProcess;
  stdout = '';
  stderr = '';
  readonly ended: Promise<Ended>;
  #changed: (() => void)[] = [];

  constructor(child: ChildProcess) {
    this.process = child;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
      this.#notify();
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
      this.#notify();
    });
    this.ended = new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (status, signal) => {
        this.#notify();
        resolve({ status, signal, stdout: this.stdout, stderr: this.stderr });
      });
    });
  }

  /** Waits until what was printed so far meets `condition`; fails when the command ends without that. */
  async until(condition: (so: { readonly stdout: string; readonly stderr: string }) => boolean): Promise<void> {
    let over = false;
    void this.ended.then(() => {
      over = true;
      this.#notify();
    });
    while (!condition(this)) {
      if (over) {
        throw new Error(`the command ended without it:\n${this.stdout}\n${this.stderr}`);
      }
      await new Promise<void>((resolve) => this.#changed.push(resolve));
    }
  }

  /** Waits for the line that says that all hooks are attached. */
  ready(): Promise<void> {
    return this.until(({ stderr }) => stderr.includes('Ctrl-C'));
  }

  #notify(): void {
    const waiting = this.#changed;
    this.#changed = [];
    for (const resolve of waiting) {
      resolve();
    }
  }
}

// A test that fails must not leave anything running: each command has its own process group.
const started: ChildProcess[] = [];
after(() => {
  for (const { pid } of started) {
    try {
      process.kill(-(pid ?? 0), 'SIGKILL');
    } catch {
      // Everything in it has ended.
    }
  }
});

function start(command: string, args: readonly string[], options: SpawnOptions): Started {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true, ...options });
  started.push(child);
  return new Started(child);
}

const fakeMain = fileURLToPath(new URL('./fake-main.js', import.meta.url));

/** Starts a fake tool, or with '-' kscope over the fake tools. */
export function startFake(args: readonly string[], options: SpawnOptions = {}): Started {
  return start(process.execPath, [fakeMain, ...args], options);
}

/** Starts a shell line in which `fake ARGS` is a fake tool. */
export function startShell(line: string): Started {
  const define = 'fake() { "$NODE" "$FAKE" "$@"; }\n';
  return start('bash', ['-c', define + line], {
    env: { ...process.env, NODE: process.execPath, FAKE: fakeMain },
  });
}
