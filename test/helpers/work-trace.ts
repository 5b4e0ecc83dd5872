import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { tracefs } from '../../lib/bpf/tracefs.ts';

/**
 * Counts, without BPF, the pieces of work that were put into workqueues and then begun. BPF may not see all of them:
 * there are kernels that hide what some tasks do.
 */
export class WorkTrace implements Disposable {
  readonly #folder = `${tracefs()}/instances/kscope-test-work-${process.pid}`;

  constructor() {
    mkdirSync(this.#folder);
    writeFileSync(`${this.#folder}/buffer_size_kb`, '4096');
    for (const event of ['workqueue_queue_work', 'workqueue_execute_start']) {
      writeFileSync(`${this.#folder}/events/workqueue/${event}/enable`, '1');
    }
  }

  /** Since the start. @param comm only what this command has put there */
  begun(comm?: string): number {
    const waiting = new Set<string>();
    let begun = 0;
    for (const line of readFileSync(`${this.#folder}/trace`, 'utf8').split('\n')) {
      const [, event, work = ''] = /: workqueue_(\w+): work struct[ =](\w+)/.exec(line) ?? [];
      if (event === 'queue_work' && (comm === undefined || line.trimStart().startsWith(`${comm}-`))) {
        waiting.add(work);
      } else if (event === 'execute_start' && waiting.delete(work)) {
        begun++;
      }
    }
    return begun;
  }

  [Symbol.dispose](): void {
    writeFileSync(`${this.#folder}/events/enable`, '0');
    rmdirSync(this.#folder);
  }
}
