import { KernelTrace } from './kernel-trace.ts';

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
  readonly #trace: KernelTrace;

  constructor(tid: number) {
    this.#tid = tid;
    this.#trace = new KernelTrace({
      'sched/sched_switch': `prev_pid == ${tid} || next_pid == ${tid}`,
      'sched/sched_wakeup': `pid == ${tid}`,
    });
  }

  counts(): TracedSwitches {
    let left = 0;
    let came = 0;
    let waited = 0;
    let doubtful = 0;
    let runs = false;
    let wait: 'none' | 'sure' | 'doubtful' = 'none';
    let woken = false;
    for (const line of this.#trace.lines()) {
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
    this.#trace[Symbol.dispose]();
  }
}
