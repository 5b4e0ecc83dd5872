import type { BpfObject } from '../bpf/object.ts';
import type { StackFields, WarningMessage } from '../model/message.ts';
import { StackQuality } from './stack-quality.ts';
import { StackSymbols, stackTableOf } from './stack-symbols.ts';

/** The stacks of events: ids become frames as the events come, while the process can still be asked for its code. */
export class EventStacks {
  readonly fields: StackFields;
  readonly #process: string | undefined;
  readonly #symbols: StackSymbols;
  readonly #quality = new StackQuality('events');

  constructor(
    object: BpfObject,
    { table, kernel, user, process, addresses }: StackFields & { readonly table: string; readonly process?: string },
  ) {
    this.fields = {
      ...(kernel !== undefined && { kernel }),
      ...(user !== undefined && { user }),
      ...(addresses === true && { addresses }),
    };
    this.#process = process;
    this.#symbols = new StackSymbols(stackTableOf(object, table));
  }

  /** Puts the frames in the place of the ids; a field without a stack becomes undefined. */
  resolve(row: Record<string, unknown>): void {
    const { kernel, user } = this.fields;
    const pid = this.#process === undefined ? 0 : (row[this.#process] as number);
    const stacks = {
      kernel: kernel === undefined ? 'none' : this.#symbols.kernel(row[kernel] as number),
      user: user === undefined ? 'none' : this.#symbols.userNow(pid, row[user] as number),
    } as const;
    this.#quality.add(stacks, 1);
    for (const whose of ['kernel', 'user'] as const) {
      const field = this.fields[whose];
      if (field !== undefined) {
        row[field] = stacks[whose] === 'none' ? undefined : stacks[whose];
      }
    }
  }

  /** What to know about the stacks of the run. */
  warnings(): Iterable<WarningMessage> {
    return this.#quality.warnings(this.#symbols.kernelHidden);
  }
}
