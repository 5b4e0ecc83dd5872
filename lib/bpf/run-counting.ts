import { readFileSync } from 'node:fs';
import { libbpf } from '../native/libbpf.ts';
import { errorText, libc } from '../native/libc.ts';
import { withLog } from './log.ts';

const BPF_STATS_RUN_TIME = 0;
const SYSCTL = '/proc/sys/kernel/bpf_stats_enabled';

/**
 * Has the kernel count the runs of BPF programs and their time, of all programs and for as long as it is open: the
 * kernel stops by itself when the descriptor goes, whatever ends the process.
 */
export class RunCounting implements Disposable {
  /** Why nothing is counted; undefined when it is. */
  readonly problem: string | undefined;
  #fd: number;

  constructor() {
    this.#fd = withLog(() => libbpf.bpf_enable_stats(BPF_STATS_RUN_TIME));
    this.problem =
      this.#fd >= 0 || countsAnyway()
        ? undefined
        : `counting runs needs CAP_SYS_ADMIN or the sysctl kernel.bpf_stats_enabled: ${errorText(this.#fd)}`;
  }

  /** May be called twice. */
  close(): void {
    if (this.#fd >= 0) {
      libc.close(this.#fd);
      this.#fd = -1;
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Whether the administrator has it counted all the time. */
function countsAnyway(): boolean {
  try {
    return readFileSync(SYSCTL, 'utf8').trim() === '1';
  } catch {
    return false;
  }
}
