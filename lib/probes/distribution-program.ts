import { Assembler, type Label } from './assembler.ts';
import { type TaskFilter, writeFilter } from './filter-code.ts';
import type { RecordLayout } from './record.ts';
import type { Typed, Value } from './value.ts';
import { helpers, ValueWriter } from './value-writer.ts';

/** Bytes of a key: number of the distribution, slot, values. The maps of such programs have the same. */
export const keySize = 256;
export const keyHead = 8;
/** The slot of values below 0. */
export const negativeSlot = 64;
/** Values that are kept from the entry of a function to its return, the time first. */
export const keptValues = 8;

const FRAME = 10;
const NO_EXIST = 1;

/** A variable: a map and where in its value. */
interface Variable {
  readonly map: number;
  readonly offset: number;
}

/** How the two programs of a function find each other: who runs, and which call of that it is. */
export interface CallIdentity {
  readonly number: number;
  /** Where the stack is, where calls may be nested. */
  readonly frame?: Value;
}

export interface EntryProgram {
  readonly filter: TaskFilter;
  readonly call: CallIdentity;
  readonly values: readonly Value[];
  readonly entries: number;
}

/** The instructions of a program that keeps the time and values until the function returns. */
export function entryProgram({ filter, call, values, entries }: EntryProgram): Uint8Array {
  const code = new Assembler();
  const writer = new ValueWriter(code);
  const done = code.label();
  code.compute('=', 6, 1);
  writeFilter(writer, filter, done);
  const key = writeCall(writer, call);
  const kept = writer.reserve(keptValues * 8);
  for (let i = values.length + 1; i < keptValues; i++) {
    code.store(8, FRAME, kept + i * 8, { number: 0 });
  }
  for (const [i, value] of values.entries()) {
    writer.value(value);
    code.store(8, FRAME, kept + (i + 1) * 8, 0);
  }
  // Last, so that what came before is not part of it.
  code.call(helpers.ktime).store(8, FRAME, kept, 0);
  code.map(1, entries);
  address(code, 2, key);
  address(code, 3, kept);
  code.compute('=', 4, { number: 0 }).call(helpers.mapUpdate);
  return code.place(done).compute('=', 0, { number: 0 }).exit().finish();
}

export interface DistributionProgram {
  readonly number: number;
  readonly filter: TaskFilter;
  readonly predicate?: Value;
  /** Where the values are in the key. */
  readonly layout: RecordLayout;
  /** Instead of values, the one whose powers of two are counted. */
  readonly histogram?: Typed;
  readonly counts: number;
  readonly dropped: Variable;
  /** Uses what the program at the entry has kept: calls without that are not counted. */
  readonly entry?: { readonly call: CallIdentity; readonly entries: number };
}

/** The instructions of a program that counts combinations of values. */
export function distributionProgram(plan: DistributionProgram): Uint8Array {
  const code = new Assembler();
  let kept = 0;
  const writer = new ValueWriter(code, (index) => code.load(8, 0, FRAME, kept + index * 8));
  const [done, dropped, found, add] = [code.label(), code.label(), code.label(), code.label()];
  code.compute('=', 6, 1);
  writeFilter(writer, plan.filter, done);
  if (plan.entry !== undefined) {
    // Now, so that what comes is not part of it.
    code.call(helpers.ktime).compute('=', 9, 0);
    const key = writeCall(writer, plan.entry.call);
    kept = writer.reserve(keptValues * 8);
    code.map(1, plan.entry.entries);
    address(code, 2, key);
    code.call(helpers.mapLookup).jumpIf('==', 0, { number: 0 }, done);
    for (let i = 0; i < keptValues; i++) {
      code.load(8, 1, 0, i * 8).store(8, FRAME, kept + i * 8, 1);
    }
    // In the place of the time when it began, how long it took.
    code.load(8, 1, FRAME, kept).compute('-', 9, 1).store(8, FRAME, kept, 9);
    code.map(1, plan.entry.entries);
    address(code, 2, key);
    code.call(helpers.mapDelete);
  }
  if (plan.predicate !== undefined) {
    writer.unless(plan.predicate, done);
  }
  const amount = writer.reserve(8);
  const value = writer.reserve(16);
  const key = writer.reserve(keySize);
  for (let i = 0; i < keySize; i += 8) {
    code.store(8, FRAME, key + i, { number: 0 });
  }
  code.store(4, FRAME, key, { number: plan.number }).store(8, FRAME, amount, { number: 0 });
  if (plan.histogram !== undefined) {
    writer.value(plan.histogram.value);
    code.store(8, FRAME, amount, 0);
    writeSlot(code, isSigned(plan.histogram));
    code.store(4, FRAME, key + 4, 0);
  }
  for (const { typed, offset, text } of plan.layout.fields) {
    if (text === 0) {
      writer.value(typed.value);
      code.store(8, FRAME, key + offset, 0);
    } else {
      writer.text(typed.value, typed.space, FRAME, key + offset + 8, text);
      // Only whether it could be read: texts of which more was read are the same.
      code.compute('signed >>', 0, { number: 63 }).store(8, FRAME, key + offset, 0);
    }
  }
  const look = () => {
    code.map(1, plan.counts);
    address(code, 2, key);
    code.call(helpers.mapLookup);
  };
  look();
  code.jumpIf('!=', 0, { number: 0 }, found);
  code.store(8, FRAME, value, { number: 0 }).store(8, FRAME, value + 8, { number: 0 });
  code.map(1, plan.counts);
  address(code, 2, key);
  address(code, 3, value);
  code.compute('=', 4, { number: NO_EXIST }).call(helpers.mapUpdate);
  look();
  code.jumpIf('!=', 0, { number: 0 }, add).jump(dropped);
  code.place(found).place(add);
  code
    .compute('=', 1, { number: 1 })
    .addAtomically(0, 0, 1)
    .load(8, 1, FRAME, amount)
    .addAtomically(0, 8, 1)
    .jump(done);
  code.place(dropped).variable(1, plan.dropped.map, plan.dropped.offset).compute('=', 2, { number: 1 });
  code.addAtomically(1, 0, 2);
  return code.place(done).compute('=', 0, { number: 0 }).exit().finish();
}

function isSigned({ type }: Typed): boolean {
  return type.is === 'number' && type.signed;
}

function address(code: Assembler, to: 2 | 3, offset: number): void {
  code.compute('=', to, FRAME).compute('+', to, { number: offset });
}

/** Writes the key of a call to the stack. @returns where */
function writeCall(writer: ValueWriter, { number, frame }: CallIdentity): number {
  const { code } = writer;
  const key = writer.reserve(16);
  code
    .call(helpers.currentPidTgid)
    .store(4, FRAME, key, 0)
    .store(4, FRAME, key + 4, { number });
  writer.value(frame ?? { op: 'number', value: 0n });
  code.store(8, FRAME, key + 8, 0);
  return key;
}

/** Makes of the value in r0 the slot of its power of two: 0 and 1 in slot 0. */
function writeSlot(code: Assembler, signed: boolean): void {
  const [end, below]: readonly [Label, Label] = [code.label(), code.label()];
  if (signed) {
    code.jumpIf('signed <', 0, { number: 0 }, below);
  }
  code.compute('=', 1, 0).compute('=', 0, { number: 0 });
  for (const bits of [32, 16, 8, 4, 2, 1]) {
    const less = code.label();
    code.compute('=', 2, 1).compute('>>', 2, { number: bits }).jumpIf('==', 2, { number: 0 }, less);
    code.compute('=', 1, 2).compute('+', 0, { number: bits }).place(less);
  }
  if (signed) {
    code.jump(end).place(below).compute('=', 0, { number: negativeSlot }).place(end);
  }
}
