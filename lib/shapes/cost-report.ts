import type { BpfObject } from '../bpf/object.ts';
import type { BpfProgram } from '../bpf/program.ts';
import { RunCounting } from '../bpf/run-counting.ts';
import type { AttachedHook, StatsMessage } from '../model/message.ts';
import { now } from '../system/clock.ts';
import type { StatsRequest } from './definition.ts';

/** What is measured: a session. */
export interface Measured {
  readonly object: BpfObject;
  readonly hooks: readonly AttachedHook[];
  program(name: string): Pick<BpfProgram, 'runs'>;
  readonly lost: StatsMessage['lost'];
}

/** Tells what a session costs, from its start until `close`, which has to come before the object is closed. */
export class CostReport {
  readonly #request: StatsRequest;
  readonly #measured: Measured;
  readonly #counting = new RunCounting();
  readonly #started = performance.now();
  readonly #cpu = process.cpuUsage();
  readonly #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(request: StatsRequest, measured: Measured) {
    this.#request = request;
    this.#measured = measured;
    if (request.interval !== undefined) {
      this.#timer = setInterval(() => request.report(this.#read(false)), request.interval * 1000);
      this.#timer.unref();
    }
  }

  /** Reports for the last time; may be called twice. */
  close(): void {
    if (this.#closed) {
      return;
    }
    this.#closed = true;
    clearInterval(this.#timer);
    try {
      this.#request.report(this.#read(true));
    } finally {
      this.#counting.close();
    }
  }

  #read(final: boolean): StatsMessage {
    const { object, hooks, lost } = this.#measured;
    const { problem } = this.#counting;
    const { user, system } = process.cpuUsage(this.#cpu);
    return {
      type: 'stats',
      time: now(),
      final,
      seconds: (performance.now() - this.#started) / 1000,
      cpu_seconds: { user: user / 1e6, system: system / 1e6 },
      memory: process.resourceUsage().maxRSS * 1024,
      programs: hooks.map((hook) => {
        const { count, time } = this.#measured.program(hook.program).runs;
        return { ...hook, ...(problem === undefined && { runs: count, run_ns: time }) };
      }),
      ...(problem !== undefined && { uncounted: problem }),
      maps: [...object.maps.values()].flatMap(({ name, entryCount, maxEntries }) =>
        entryCount === undefined ? [] : [{ map: name, entries: entryCount, max: maxEntries }],
      ),
      rings: object.rings.map(({ name, peak, size }) => ({ ring: name, peak, size })),
      lost,
    };
  }
}
