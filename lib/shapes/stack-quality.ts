import type { Frame, Stack, WarningMessage } from '../model/message.ts';

/** Adds up what a reader of stacks has to know about them: how many are missing, and how many are incomplete. */
export class StackQuality {
  readonly #unit: string;
  #weight = 0;
  #missed = 0;
  #kernel = 0;
  #user = 0;
  #cut = 0;

  /** @param unit of the weights: 'samples' */
  constructor(unit: string) {
    this.#unit = unit;
  }

  add({ kernel, user }: { readonly kernel: Stack; readonly user: Stack }, weight: number): void {
    this.#weight += weight;
    this.#missed += user === 'missed' || kernel === 'missed' ? weight : 0;
    this.#kernel += kernel === 'none' ? 0 : weight;
    this.#user += typeof user !== 'string' && user.length > 0 ? weight : 0;
    this.#cut += isCut(user) ? weight : 0;
  }

  /**
   * @param kernelHidden whether the kernel does not tell its addresses
   * @param kernelAsked whether all should have a stack of the kernel
   */
  *warnings(kernelHidden: boolean, kernelAsked = false): Generator<WarningMessage> {
    if (kernelAsked && this.#weight > 0 && this.#kernel === 0) {
      // 376bd59e2a04 ("bpf: Use fake pt_regs when doing bpf syscall tracepoint tracing") is in Linux 6.12.
      yield {
        type: 'warning',
        text: `none of ${this.#weight} ${this.#unit} has a stack of the kernel`,
        hint: 'functions of processes have none, nor, before Linux 6.12, have tracepoints of system calls',
      };
    }
    if (this.#missed > 0) {
      yield {
        type: 'warning',
        text: `${this.#missed} of ${this.#weight} ${this.#unit} have no stack: there was no place in the table`,
        hint: '--stack-storage-size makes the table larger',
      };
    }
    if (kernelHidden) {
      yield {
        type: 'warning',
        text: 'the kernel hides its addresses, so its functions have no names',
        hint: 'sysctl kernel.kptr_restrict=1 shows them to root',
      };
    }
    if (this.#cut > 0) {
      yield {
        type: 'warning',
        text: `${Math.round((100 * this.#cut) / this.#user)} % of the user stacks do not reach the start of their thread`,
        hint: 'programs compiled with -fno-omit-frame-pointer show whole stacks',
      };
    }
  }
}

// Where the stacks of honest programs begin: in code of the C library, mostly without a name. One that begins elsewhere
// was cut.
const outermost =
  /^(_start|main|_?_libc_start_(main|call_main)|libc_start_main_stage2|(__)?clone3?|start_thread|thread_start|__GI___clone)$/;
const startCode = /\/(libc|libpthread|ld-linux|ld-musl|ld)[-.][^/]*$/;

function isCut(stack: Stack): boolean {
  if (typeof stack === 'string' || stack.length === 0) {
    return false;
  }
  const { symbol = '', module = '' } = stack.at(-1) as Frame;
  return !outermost.test(symbol) && !(symbol === '' && startCode.test(module));
}
