import { KernelTrace } from './kernel-trace.ts';

/**
 * Counts, without BPF, the pieces of work that were put into workqueues and then begun. BPF may not see all of them:
 * there are kernels that hide what some tasks do.
 */
export class WorkTrace implements Disposable {
  readonly #trace = new KernelTrace({ 'workqueue/workqueue_queue_work': '', 'workqueue/workqueue_execute_start': '' });

  /** Since the start. @param comm only what this command has put there */
  begun(comm?: string): number {
    const waiting = new Set<string>();
    let begun = 0;
    for (const line of this.#trace.lines()) {
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
    this.#trace[Symbol.dispose]();
  }
}
