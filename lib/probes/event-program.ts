import { Assembler, type Label } from './assembler.ts';
import { type TaskFilter, writeFilter } from './filter-code.ts';
import { head, type RecordLayout } from './record.ts';
import type { Value } from './value.ts';
import { helpers, ValueWriter } from './value-writer.ts';

const NO_WAKEUP = 1;
const USER_STACK = 1 << 8;
const SECOND_TABLE = 1 << 30;
const EEXIST = 17;
const COMM = 16;

/** A program that writes a record of what it meets. Maps are given by their descriptors. */
export interface EventProgram {
  /** Its number in the records. */
  readonly place: number;
  readonly filter: TaskFilter;
  readonly predicate?: Value;
  readonly layout: RecordLayout;
  readonly ring: number;
  /** The counter of records for which there was no room: a variable. */
  readonly lost: { readonly map: number; readonly offset: number };
  /** Both tables of STACKS of bpf/include/stack.h. */
  readonly stacks?: readonly [first: number, second: number];
  readonly kernelStack: boolean;
  readonly userStack: boolean;
  /** Of a call two programs are met: the one at the return writes a record when the one at the entry did. */
  readonly call?: CallProgram;
}

/** A program at the entry or the return of calls. */
export interface CallProgram {
  readonly at: 'entry' | 'return';
  /** The same for both programs of a function. */
  readonly number: number;
  /** Threads in calls, by thread and number. */
  readonly calls: number;
}

/** The instructions of such a program. @throws KscopeError usage when it would be too large */
export function eventProgram(plan: EventProgram): Uint8Array {
  const code = new Assembler();
  const writer = new ValueWriter(code);
  const [done, lost] = [code.label(), code.label()];
  code.compute('=', 6, 1);
  writeFilter(writer, plan.filter, done);
  const refused = code.label();
  if (plan.predicate !== undefined) {
    writer.unless(plan.predicate, refused);
  }
  if (plan.call?.at === 'entry') {
    writeEntry(writer, plan.call, true, done);
  } else if (plan.call !== undefined) {
    writeReturn(writer, plan.call, done);
  }
  // Stacks come first: there is no room in the ring to give back when nothing goes wrong.
  const ids = [plan.kernelStack, plan.userStack].map((wanted, i) => {
    const at = writer.reserve(8);
    if (wanted && plan.stacks !== undefined) {
      writeStack(code, plan.stacks, i === 0 ? 0 : USER_STACK);
    } else {
      code.compute('=', 0, { number: -1 });
    }
    code.store(8, 10, at, 0);
    return at;
  });
  code.map(1, plan.ring).compute('=', 2, { number: plan.layout.size }).compute('=', 3, { number: 0 });
  code.call(helpers.ringReserve).jumpIf('==', 0, { number: 0 }, lost).compute('=', 7, 0);
  code.call(helpers.bootTime).store(8, 7, head.time, 0);
  code.call(helpers.currentPidTgid).store(8, 7, head.ids, 0);
  code.compute('=', 1, 7).compute('+', 1, { number: head.comm }).compute('=', 2, { number: COMM });
  code.call(helpers.currentComm);
  code.call(helpers.cpu).store(4, 7, head.cpu, 0);
  code.store(4, 7, head.place, { number: plan.place });
  for (const [i, at] of ids.entries()) {
    code.load(8, 1, 10, at).store(4, 7, i === 0 ? head.kernel : head.user, 1);
  }
  for (const { typed, offset, text, bytes } of plan.layout.fields) {
    if (bytes !== undefined) {
      writer.bytes(typed.value, typed.space, 7, offset + 8, bytes);
    } else if (text === 0) {
      writer.value(typed.value);
    } else {
      // A helper may leave what is behind the end of a text, which is of some other record.
      for (let i = 0; i < text; i += 8) {
        code.store(8, 7, offset + 8 + i, { number: 0 });
      }
      writer.text(typed.value, typed.space, 7, offset + 8, text);
    }
    code.store(8, 7, offset, 0);
  }
  code.compute('=', 1, 7).compute('=', 2, { number: NO_WAKEUP }).call(helpers.ringSubmit).jump(done);
  code.place(lost).variable(1, plan.lost.map, plan.lost.offset).compute('=', 2, { number: 1 });
  code.addAtomically(1, 0, 2).jump(done).place(refused);
  if (plan.call?.at === 'entry' && plan.predicate !== undefined) {
    writeEntry(writer, plan.call, false, done);
  }
  code.place(done).compute('=', 0, { number: 0 }).exit();
  return code.finish();
}

/** Leaves the id of the stack in r0: of the second table where the first has no place for it. */
function writeStack(code: Assembler, [first, second]: readonly [number, number], flags: number): void {
  const end = code.label();
  const take = (map: number) =>
    code.compute('=', 1, 6).map(2, map).compute('=', 3, { number: flags }).call(helpers.stackId);
  take(first);
  // The helper's result has 32 bits on some kernels.
  code.extend(0, 32, true).jumpIf('!=', 0, { number: -EEXIST }, end);
  take(second);
  code.extend(0, 32, true).jumpIf('signed <', 0, { number: 0 }, end).compute('|', 0, { number: SECOND_TABLE });
  code.place(end);
}

/**
 * Notes a call of this thread: as a bit below those of the calls that it is in, which are 1 where the call is wanted. The
 * topmost bit only marks where they begin. Of calls that are in no wanted one nothing is noted.
 */
function writeEntry(writer: ValueWriter, call: CallProgram, wanted: boolean, done: Label): void {
  const { code } = writer;
  const key = writeCall(writer, call);
  const value = writer.reserve(8);
  const inside = code.label();
  code.map(1, call.calls).compute('=', 2, 10).compute('+', 2, { number: key }).call(helpers.mapLookup);
  code.compute('=', 1, { number: 1 }).jumpIf('!=', 0, { number: 0 }, inside);
  const store = code.label();
  code
    .jump(wanted ? store : done)
    .place(inside)
    .load(8, 1, 0, 0)
    .place(store);
  code
    .compute('<<', 1, { number: 1 })
    .compute('|', 1, { number: wanted ? 1 : 0 })
    .store(8, 10, value, 1);
  code.map(1, call.calls).compute('=', 2, 10).compute('+', 2, { number: key });
  code.compute('=', 3, 10).compute('+', 3, { number: value }).compute('=', 4, { number: 0 });
  code.call(helpers.mapUpdate);
  writer.release(8);
  writer.release(8);
}

/** Takes the innermost call of this thread away, and goes to the label unless it was wanted. */
function writeReturn(writer: ValueWriter, call: CallProgram, unwanted: Label): void {
  const { code } = writer;
  const key = writeCall(writer, call);
  const inside = code.label();
  code.map(1, call.calls).compute('=', 2, 10).compute('+', 2, { number: key }).call(helpers.mapLookup);
  code.jumpIf('==', 0, { number: 0 }, unwanted);
  code.load(8, 8, 0, 0).compute('=', 1, 8).compute('>>', 1, { number: 1 }).store(8, 0, 0, 1);
  code.jumpIf('>', 1, { number: 1 }, inside);
  code.map(1, call.calls).compute('=', 2, 10).compute('+', 2, { number: key }).call(helpers.mapDelete);
  code.place(inside).compute('&', 8, { number: 1 }).jumpIf('==', 8, { number: 0 }, unwanted);
  writer.release(8);
}

/** Writes the key of a call to the stack. @returns where */
function writeCall(writer: ValueWriter, { number }: CallProgram): number {
  const { code } = writer;
  const key = writer.reserve(8);
  code
    .call(helpers.currentPidTgid)
    .store(4, 10, key, 0)
    .store(4, 10, key + 4, { number });
  return key;
}
