import type { BpfObject } from '../bpf/object.ts';
import { StackTable } from '../bpf/stack-table.ts';
import { KscopeError } from '../model/errors.ts';
import type { Frame, Stack } from '../model/message.ts';
import { deepestStack } from '../system/deepest-stack.ts';
import { KernelSymbols } from '../system/symbols/kernel.ts';
import { UserSymbols } from '../system/symbols/user.ts';
import { flag, integer } from './options.ts';

const NO_STACK = -1;
const EFAULT = -14;
/** Stacks that are kept with their names. */
const NAMED_MAX = 2 ** 14;

/** The option that prints stacks as lines, of which others make flame graphs. */
export const foldedStacks = flag('-f, --folded', 'print a line for each stack, for flame graphs', { group: 'output' });

/** The option for how much the two tables of STACKS hold. */
export const stackTableSize = integer('--stack-storage-size <COUNT>', 'number of different stacks that can be kept', {
  min: 1,
  max: 2 ** 24,
  group: 'common',
});

/** The option for how deep they are. */
export const stackDepth = integer('--perf-max-stack-depth <FRAMES>', 'frames of a stack that are kept; usually 127', {
  min: 1,
  max: 1024,
  group: 'common',
});

export interface StackTableSize {
  /** In both tables together. */
  readonly stacks?: number | undefined;
  /** Of each stack, the innermost. */
  readonly frames?: number | undefined;
}

/** Before load; what is undefined stays as the program says. @throws KscopeError usage */
export function resizeStackTable(object: BpfObject, table: string, { stacks, frames }: StackTableSize): void {
  const deepest = deepestStack();
  if (frames !== undefined && frames > deepest) {
    throw new KscopeError('usage', `the kernel follows stacks for ${deepest} frames, not ${frames}`, {
      hint: `sysctl kernel.perf_event_max_stack=${frames}`,
    });
  }
  for (const map of tables(table).map((name) => object.map(name))) {
    map.maxEntries = stacks === undefined ? map.maxEntries : Math.ceil(stacks / 2);
    map.valueSize = frames === undefined ? map.valueSize : frames * 8;
  }
}

/** What STACKS(table) made. */
export function stackTableOf(object: BpfObject, table: string): StackTable {
  const [first, second] = tables(table);
  return new StackTable(object.map(first), object.map(second));
}

function tables(table: string): [string, string] {
  return [table, `${table}_second`];
}

/** Stacks by id, with names. */
export class StackSymbols {
  readonly #table: StackTable;
  readonly #user = new UserSymbols();
  readonly #remembered = new Map<number, number>();
  readonly #named = new Map<string, Stack>();
  #kernel: KernelSymbols | undefined;

  constructor(table: StackTable) {
    this.#table = table;
  }

  /** Whether names were wanted for addresses that the kernel does not tell. */
  get kernelHidden(): boolean {
    return this.#kernel?.hidden === true;
  }

  /** @param stacks how many different ones of the process are known by now */
  remember(pid: number, stacks: number): void {
    if (this.#remembered.get(pid) !== stacks) {
      this.#remembered.set(pid, stacks);
      this.#user.remember(pid);
    }
  }

  kernel(id: number): Stack {
    return this.#once(`${id}`, id, (addresses) => {
      this.#kernel ??= new KernelSymbols();
      const symbols = this.#kernel;
      return withoutHook(addresses.map((address) => symbols.resolve(address)));
    });
  }

  user(pid: number, id: number): Stack {
    return this.#once(`${id} ${pid}`, id, (addresses) => addresses.map((address) => this.#user.resolve(pid, address)));
  }

  /** For a process that may be gone soon: asks it for what it takes to name a stack that was not seen before. */
  userNow(pid: number, id: number): Stack {
    if (id >= 0 && !this.#named.has(`${id} ${pid}`)) {
      this.#user.remember(pid);
    }
    return this.user(pid, id);
  }

  /** The function of a process that an address is in. */
  userFrame(pid: number, address: bigint): Frame {
    return this.#user.resolve(pid, address);
  }

  #once(key: string, id: number, name: (addresses: bigint[]) => Stack): Stack {
    if (id < 0) {
      return id === NO_STACK || id === EFAULT ? 'none' : 'missed';
    }
    let stack = this.#named.get(key);
    if (stack === undefined) {
      const addresses = this.#table.get(id);
      stack = addresses === undefined ? 'missed' : name(addresses);
      if (this.#named.size >= NAMED_MAX) {
        this.#named.clear();
      }
      this.#named.set(key, stack);
    }
    return stack;
  }
}

// Below these is the place that a program was hooked to; they are there only because of it.
const hook = /^(bpf_prog_|bpf_trampoline_|bpf_trace_run|__bpf_trace_|__traceiter_|bpf_get_stackid|trace_call_bpf)/;
const HOOK_DEPTH = 8;

/** A kernel stack without the frames of our own program. */
export function withoutHook(frames: readonly Frame[]): readonly Frame[] {
  const last = frames.slice(0, HOOK_DEPTH).findLastIndex(({ symbol = '' }) => hook.test(symbol));
  const next = frames[last + 1];
  // A program is called by a trampoline or by the kernel's own code. The kernel may leave out trampolines that come and go
  // while it lists its symbols: such a one seems to be the last function of a module.
  const isTrampoline =
    frames[last]?.symbol?.startsWith('bpf_prog_') === true && (next?.symbol === undefined || next.module !== undefined);
  return frames.slice(last + (isTrampoline ? 2 : 1));
}
