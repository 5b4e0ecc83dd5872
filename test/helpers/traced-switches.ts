import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { tracefs } from '../../lib/bpf/tracefs.ts';

/** What a thread did, since the start. */
export interface TracedSwitches {
  /** How often it left a processor. */
  readonly left: number;
  /** How often it came to one. */
  readonly came: number;
  /** How often it came to one after it was seen to become able to run. */
  readonly waited: number;
  /** How often of these an interrupt of another task made it able to run. */
  readonly doubtful: number;
}

/**
 * Counts what the kernel itself reports of a thread's switches and wakeups, without BPF. That may be less than what the
 * thread's status says: there are kernels that hide some tasks from tracing. Then nobody hears of the switch from such a
 * task to another one, nor BPF of a wakeup by a timer while such a task runs.
 */
export class SwitchTrace implements Disposable {
  readonly #tid: number;
  readonly #folder: string;

  constructor(tid: number) {
    this.#tid = tid;
    this.#folder = `${tracefs()}/instances/kscope-test-${process.pid}-${tid}`;
    mkdirSync(this.#folder);
    writeFileSync(`${this.#folder}/buffer_size_kb`, '1024');
    this.#trace('sched_switch', `prev_pid == ${tid} || next_pid == ${tid}`);
    this.#trace('sched_wakeup', `pid == ${tid}`);
  }

  counts(): TracedSwitches {
    const lines = readFileSync(`${this.#folder}/trace`, 'utf8').split('\n');
    let left = 0;
    let came = 0;
    let waited = 0;
    let doubtful = 0;
    let runs = false;
    let wait: 'none' | 'sure' | 'doubtful' = 'none';
    let woken = false;
    for (const line of lines) {
      if (line.includes(': sched_wakeup: ')) {
        woken = runs;
        // Task and number, processor, then what is off and where it happened.
        const interrupt = /^.{16,}-\d+ +\[\d+\] ..[hHsZz]/.test(line) && !line.includes('<idle>-0');
        wait = runs ? 'none' : interrupt ? 'doubtful' : 'sure';
      } else if (line.includes(` prev_pid=${this.#tid} `)) {
        left++;
        // It may have been woken on its way to sleep.
        wait = woken || line.includes(' prev_state=R') ? 'sure' : 'none';
        runs = false;
        woken = false;
      } else if (line.includes(` next_pid=${this.#tid} `)) {
        came++;
        waited += wait === 'none' ? 0 : 1;
        doubtful += wait === 'doubtful' ? 1 : 0;
        runs = true;
        wait = 'none';
      }
    }
    return { left, came, waited, doubtful };
  }

  [Symbol.dispose](): void {
    writeFileSync(`${this.#folder}/events/enable`, '0');
    rmdirSync(this.#folder);
  }

  #trace(event: string, filter: string): void {
    writeFileSync(`${this.#folder}/events/sched/${event}/filter`, filter);
    writeFileSync(`${this.#folder}/events/sched/${event}/enable`, '1');
  }
}
