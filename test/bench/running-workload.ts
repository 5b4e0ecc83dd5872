import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Workload } from './workloads/workload.ts';

const main = fileURLToPath(new URL('./workload-main.js', import.meta.url));

/** Where a workload is: each is exported from a file that has its name in kebab case. */
function fileOf(name: string): string {
  const file = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return new URL(`./workloads/${file}.js`, import.meta.url).href;
}

/** The workload of that name. */
export async function loadWorkload(name: string): Promise<Workload> {
  return (await import(fileOf(name)))[name];
}

/** The process of a workload. */
export class RunningWorkload implements AsyncDisposable {
  /** When each poke was, in milliseconds since the epoch, by its number. */
  readonly pokes: number[] = [];
  mark = '';
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  #said: ((word: string) => void)[] = [];
  #took = Number.NaN;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#exited = once(child, 'exit').then(() => this.#tell('exit'));
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      const [word = '', first = '', second] = line.split(' ');
      if (word === 'poke') {
        this.pokes[Number(first)] = Number(second);
      } else if (word === 'ready') {
        this.mark = first;
      } else {
        this.#took = Number(first);
      }
      this.#tell(word);
    });
  }

  static async start(name: string): Promise<RunningWorkload> {
    const child = spawn(process.execPath, [main, fileOf(name), name], { stdio: ['pipe', 'pipe', 'inherit'] });
    const workload = new RunningWorkload(child);
    await workload.#until('ready');
    return workload;
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  /** From now until the next run it does an operation now and then. */
  poke(): void {
    this.#child.stdin?.write('poke\n');
  }

  /** Nanoseconds for each operation. */
  async run(count: number): Promise<number> {
    this.#child.stdin?.write(`${count}\n`);
    await this.#until('took');
    return this.#took / count;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin?.end();
    await this.#exited;
  }

  #tell(word: string): void {
    for (const told of this.#said) {
      told(word);
    }
  }

  #until(wanted: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const told = (word: string) => {
        if (word !== wanted && word !== 'exit') {
          return;
        }
        this.#said = this.#said.filter((one) => one !== told);
        word === wanted ? resolve() : reject(new Error('the workload has ended'));
      };
      this.#said.push(told);
    });
  }
}
