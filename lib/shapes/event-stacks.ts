import type { BpfObject } from '../bpf/object.ts';
import type { Stack, StackFields, WarningMessage } from '../model/message.ts';
import { unhooked } from './hooked-returns.ts';
import { StackQuality } from './stack-quality.ts';
import { StackSymbols, stackTableOf } from './stack-symbols.ts';

/** Fields that tell what bpf/include/hooked-returns.h found. */
export interface HookedFields<Name extends string = string> {
  readonly caller: Name;
  readonly returns: Name;
}

interface EventStackFields extends StackFields {
  readonly table: string;
  readonly process?: string;
  readonly hooked?: HookedFields;
  /** Stacks of the kernel are taken at places of all kinds: it is said when there are none. */
  readonly anywhere?: boolean;
}

/** The stacks of events: ids become frames as the events come, while the process can still be asked for its code. */
export class EventStacks {
  readonly fields: StackFields;
  readonly #process: string | undefined;
  readonly #hooked: HookedFields | undefined;
  readonly #anywhere: boolean;
  readonly #symbols: StackSymbols;
  readonly #quality = new StackQuality('events');

  constructor(object: BpfObject, stacks: EventStackFields) {
    const { table, kernel, user, process, addresses, hooked, anywhere = false } = stacks;
    this.fields = {
      ...(kernel !== undefined && { kernel }),
      ...(user !== undefined && { user }),
      ...(addresses === true && { addresses }),
    };
    this.#process = process;
    this.#hooked = hooked;
    this.#anywhere = anywhere && kernel !== undefined;
    this.#symbols = new StackSymbols(stackTableOf(object, table));
  }

  /** Puts the frames in the place of the ids; a field without a stack becomes undefined. */
  resolve(row: Record<string, unknown>): void {
    const { kernel, user } = this.fields;
    const pid = this.#process === undefined ? 0 : (row[this.#process] as number);
    const stacks = {
      kernel: kernel === undefined ? 'none' : this.#symbols.kernel(row[kernel] as number),
      user: user === undefined ? 'none' : this.#user(pid, row[user] as number, row),
    } as const;
    this.#quality.add(stacks, 1);
    if (this.#hooked !== undefined) {
      row[this.#hooked.caller] = undefined;
      row[this.#hooked.returns] = undefined;
    }
    for (const whose of ['kernel', 'user'] as const) {
      const field = this.fields[whose];
      if (field !== undefined) {
        row[field] = stacks[whose] === 'none' ? undefined : stacks[whose];
      }
    }
  }

  #user(pid: number, id: number, row: Record<string, unknown>): Stack {
    const stack = this.#symbols.userNow(pid, id);
    if (this.#hooked === undefined || typeof stack === 'string') {
      return stack;
    }
    const { caller, returns } = this.#hooked;
    const frame = (address: string) => this.#symbols.userFrame(pid, BigInt(address));
    const own = row[caller] as string | undefined;
    return unhooked(stack, {
      caller: own === undefined ? undefined : frame(own),
      returns: (row[returns] as readonly string[]).filter((address) => BigInt(address) !== 0n).map(frame),
    });
  }

  /** What to know about the stacks of the run. */
  warnings(): Iterable<WarningMessage> {
    return this.#quality.warnings(this.#symbols.kernelHidden, this.#anywhere);
  }
}
