import { Assembler } from './assembler.ts';
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
  readonly stacks: readonly [first: number, second: number];
  readonly kernelStack: boolean;
  readonly userStack: boolean;
}

/** The instructions of such a program. @throws KscopeError usage when it would be too large */
export function eventProgram(plan: EventProgram): Uint8Array {
  const code = new Assembler();
  const writer = new ValueWriter(code);
  const [done, lost] = [code.label(), code.label()];
  code.compute('=', 6, 1);
  writeFilter(writer, plan.filter, done);
  if (plan.predicate !== undefined) {
    writer.unless(plan.predicate, done);
  }
  // Stacks come first: there is no room in the ring to give back when nothing goes wrong.
  const ids = [plan.kernelStack, plan.userStack].map((wanted, i) => {
    const at = writer.reserve(8);
    if (wanted) {
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
  for (const { typed, offset, text } of plan.layout.fields) {
    if (text === 0) {
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
  code.addAtomically(1, 0, 2);
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
