import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { tracefs } from '../../lib/bpf/tracefs.ts';

let traces = 0;

/** What the kernel itself, without BPF, writes down of some tracepoints, in a trace that nobody else uses. */
export class KernelTrace implements Disposable {
  readonly #folder = `${tracefs()}/instances/kscope-test-${process.pid}-${traces++}`;

  /** @param events filters by 'group/name'; an empty one takes all */
  constructor(events: Readonly<Record<string, string>>) {
    mkdirSync(this.#folder);
    writeFileSync(`${this.#folder}/buffer_size_kb`, '4096');
    for (const [event, filter] of Object.entries(events)) {
      if (filter !== '') {
        writeFileSync(`${this.#folder}/events/${event}/filter`, filter);
      }
      writeFileSync(`${this.#folder}/events/${event}/enable`, '1');
    }
  }

  /** Since the start. */
  lines(): string[] {
    return readFileSync(`${this.#folder}/trace`, 'utf8').split('\n');
  }

  [Symbol.dispose](): void {
    writeFileSync(`${this.#folder}/events/enable`, '0');
    rmdirSync(this.#folder);
  }
}
