import { KscopeError } from '../model/errors.ts';
import type { Assembler, Condition, Label, Operation, Register, Width } from './assembler.ts';
import type { SameText, Space, Value } from './value.ts';

/** Helpers of the kernel, by number: part of its interface. */
export const helpers = {
  mapLookup: 1,
  mapUpdate: 2,
  mapDelete: 3,
  ktime: 5,
  cpu: 8,
  currentPidTgid: 14,
  currentUidGid: 15,
  currentComm: 16,
  stackId: 27,
  currentTask: 35,
  currentUnderCgroup: 37,
  currentCgroupId: 80,
  readUser: 112,
  readKernel: 113,
  readUserText: 114,
  readKernelText: 115,
  bootTime: 125,
  ringReserve: 131,
  ringSubmit: 132,
} as const;

const CONTEXT: Register = 6;
const FRAME: Register = 10;
const STACK = 512;
const COMM = 16;

const exchanged: Readonly<Record<string, Condition>> = {
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
  '==': '==',
  '!=': '!=',
};
const opposite: Readonly<Record<string, Condition>> = {
  '<': '>=',
  '<=': '>',
  '>': '<=',
  '>=': '<',
  '==': '!=',
  '!=': '==',
};

/**
 * Writes the code of values: what comes out is in r0. The context has to be in r6; r7 to r9 are left alone, and the
 * stack is used from its end.
 */
export class ValueWriter {
  readonly code: Assembler;
  /** Loads what an earlier program kept into r0. */
  readonly #kept: ((index: number) => void) | undefined;
  #used = 0;

  constructor(code: Assembler, kept?: (index: number) => void) {
    this.code = code;
    this.#kept = kept;
  }

  /** Room on the stack, as an offset from its end, until it is given back in reverse order. @throws KscopeError usage */
  reserve(bytes: number): number {
    this.#used += (bytes + 7) & ~7;
    if (this.#used > STACK) {
      throw new KscopeError('usage', `this needs ${this.#used} bytes of stack, and programs have ${STACK}`);
    }
    return -this.#used;
  }

  release(bytes: number): void {
    this.#used -= (bytes + 7) & ~7;
  }

  /** Goes to the label when the value is 0. */
  unless(value: Value, label: Label): void {
    const { code } = this;
    if (value.op === 'logic' && value.operator === '&&') {
      this.unless(value.left, label);
      this.unless(value.right, label);
    } else if (value.op === 'logic') {
      const yes = code.label();
      this.when(value.left, yes);
      this.unless(value.right, label);
      code.place(yes);
    } else if (value.op === 'not') {
      this.when(value.of, label);
    } else if (value.op === 'compare') {
      this.#compare(value, opposite[value.operator] as Condition, label);
    } else if (value.op === 'same text') {
      this.#sameText(value, label);
    } else {
      this.value(value);
      code.jumpIf('==', 0, { number: 0 }, label);
    }
  }

  /** Goes to the label when the value is not 0. */
  when(value: Value, label: Label): void {
    const { code } = this;
    if (value.op === 'compare') {
      this.#compare(value, value.operator, label);
      return;
    }
    const no = code.label();
    this.unless(value, no);
    code.jump(label).place(no);
  }

  /** Leaves the value in r0. */
  value(value: Value): void {
    const { code } = this;
    switch (value.op) {
      case 'number':
        code.set(0, value.value);
        break;
      case 'context':
        code.load(value.width, 0, CONTEXT, value.offset);
        break;
      case 'context address':
        code.compute('=', 0, CONTEXT).compute('+', 0, { number: value.offset });
        break;
      case 'dynamic address': {
        const { offset, relative } = value.field;
        code.load(4, 1, CONTEXT, offset).compute('&', 1, { number: 0xffff }).compute('=', 0, CONTEXT);
        code.compute('+', 0, 1);
        if (relative) {
          code.compute('+', 0, { number: offset + 4 });
        }
        break;
      }
      case 'read':
        this.value(value.address);
        this.#read(value.width, value.space);
        break;
      case 'extend':
        this.value(value.of);
        code.extend(0, value.bits, value.signed);
        break;
      case 'bits':
        this.value(value.of);
        code.compute('<<', 0, { number: 64 - value.first - value.count });
        code.compute(value.signed ? 'signed >>' : '>>', 0, { number: 64 - value.count });
        break;
      case 'arithmetic':
        this.#arithmetic(value);
        break;
      case 'negative':
        this.value(value.of);
        code.negate(0);
        break;
      case 'complement':
        this.value(value.of);
        code.compute('^', 0, { number: -1 });
        break;
      case 'helper':
        code.call(value.helper);
        if (value.part === 'lower') {
          code.extend(0, 32, false);
        } else if (value.part === 'upper') {
          code.compute('>>', 0, { number: 32 });
        }
        break;
      case 'kept':
        this.#kept?.(value.index);
        break;
      case 'comm':
        throw new KscopeError('failed', 'the name of a command is no number');
      default:
        this.#truth(value);
    }
  }

  /**
   * Copies the text that a value is, or points to, to memory at a register: what it takes there with its end, or a
   * negative error, is in r0 then.
   */
  text(value: Value, space: Space, to: Register, offset: number, size: number): void {
    const { code } = this;
    if (value.op === 'comm') {
      code
        .compute('=', 1, to)
        .compute('+', 1, { number: offset })
        .compute('=', 2, { number: Math.min(size, COMM) });
      code.call(helpers.currentComm);
      return;
    }
    this.value(value);
    this.#copy(space, to, offset, size, [helpers.readUserText, helpers.readKernelText]);
  }

  /** Copies the bytes at an address to memory at a register: 0, or a negative error, is in r0 then. */
  bytes(address: Value, space: Space, to: Register, offset: number, size: number): void {
    this.value(address);
    this.#copy(space, to, offset, size, [helpers.readUser, helpers.readKernel]);
  }

  #truth(value: Value): void {
    const { code } = this;
    const [no, end] = [code.label(), code.label()];
    this.unless(value, no);
    code.compute('=', 0, { number: 1 }).jump(end).place(no).compute('=', 0, { number: 0 }).place(end);
  }

  /** From the address in r0. */
  #read(width: Width, space: Space): void {
    const at = this.reserve(8);
    this.#copy(space, FRAME, at, width, [helpers.readUser, helpers.readKernel]);
    this.code.load(width, 0, FRAME, at);
    this.release(8);
  }

  #copy(space: Space, to: Register, offset: number, size: number, [user, kernel]: readonly [number, number]): void {
    const { code } = this;
    code.compute('=', 3, 0).compute('=', 1, to).compute('+', 1, { number: offset }).compute('=', 2, { number: size });
    if (space !== 'any') {
      code.call(space === 'user' ? user : kernel);
      return;
    }
    const [above, end] = [code.label(), code.label()];
    code.jumpIf('signed <', 3, { number: 0 }, above).call(user).jump(end);
    code.place(above).call(kernel).place(end);
  }

  /** Leaves the left value in r0, and gives what the right one is: a number that fits, or r1. */
  #both(left: Value, right: Value): Register | { readonly number: number } {
    const { code } = this;
    if (right.op === 'number' && BigInt.asIntN(32, right.value) === BigInt.asIntN(64, right.value)) {
      this.value(left);
      return { number: Number(BigInt.asIntN(64, right.value)) };
    }
    this.value(left);
    const at = this.reserve(8);
    code.store(8, FRAME, at, 0);
    this.value(right);
    code.compute('=', 1, 0).load(8, 0, FRAME, at);
    this.release(8);
    return 1;
  }

  #compare(value: Value & { readonly op: 'compare' }, condition: Condition, label: Label): void {
    const swap = value.left.op === 'number' && value.right.op !== 'number';
    const [left, right] = swap ? [value.right, value.left] : [value.left, value.right];
    const by = this.#both(left, right);
    const plain = swap ? (exchanged[condition] as Condition) : condition;
    const signed = value.signed && plain !== '==' && plain !== '!=';
    this.code.jumpIf(signed ? (`signed ${plain}` as Condition) : plain, 0, by, label);
  }

  #arithmetic({ operator, left, right, signed }: Value & { readonly op: 'arithmetic' }): void {
    const { code } = this;
    const by = this.#both(left, right);
    if ((operator === '/' || operator === '%') && signed) {
      this.#divideSigned(operator, by);
      return;
    }
    if ((operator === '/' || operator === '%') && typeof by !== 'number' && by.number <= 0) {
      // The verifier refuses a division by a number that is 0, and a negative one is large without a sign.
      code.compute('=', 1, by).compute(operator, 0, 1);
      return;
    }
    if ((operator === '<<' || operator === '>>') && typeof by !== 'number') {
      code.compute(signed && operator === '>>' ? 'signed >>' : operator, 0, { number: by.number & 63 });
      return;
    }
    code.compute(signed && operator === '>>' ? 'signed >>' : (operator as Operation), 0, by);
  }

  /** BPF divides without signs only: those are put aside. A division by 0 gives 0. */
  #divideSigned(operator: '/' | '%', by: Register | { readonly number: number }): void {
    const { code } = this;
    const at = this.reserve(8);
    const [first, second, end] = [code.label(), code.label(), code.label()];
    code.compute('=', 1, by);
    // The sign of the result: of both for a quotient, of the left one for a remainder.
    code.compute('=', 2, 0);
    if (operator === '/') {
      code.compute('^', 2, 1);
    }
    code.store(8, FRAME, at, 2);
    code.jumpIf('signed >=', 0, { number: 0 }, first).negate(0).place(first);
    code.jumpIf('signed >=', 1, { number: 0 }, second).negate(1).place(second);
    code.compute(operator, 0, 1).load(8, 2, FRAME, at);
    code.jumpIf('signed >=', 2, { number: 0 }, end).negate(0).place(end);
    this.release(8);
  }

  /** Goes to the label unless the text is, or is not, what it should be. */
  #sameText({ address, space, bytes, how, equal, most = Number.POSITIVE_INFINITY }: SameText, label: Label): void {
    const { code } = this;
    if (bytes.length >= most) {
      if (equal) {
        // With a condition, for what follows must be code that something leads to.
        code.compute('=', 0, { number: 0 }).jumpIf('==', 0, { number: 0 }, label);
      }
      return;
    }
    // One more than the text with its end: a longer one must not look the same.
    const size = how === 'bytes' ? bytes.length : Math.min(bytes.length + (how === 'whole' ? 2 : 1), most);
    const room = address.op === 'comm' ? Math.max(COMM, size) : size;
    const at = this.reserve(room);
    const different = equal ? label : code.label();
    if (how === 'bytes') {
      this.value(address);
      this.#copy(space, FRAME, at, size, [helpers.readUser, helpers.readKernel]);
      code.jumpIf('!=', 0, { number: 0 }, different);
    } else if (address.op === 'comm') {
      this.text(address, space, FRAME, at, COMM);
      code.jumpIf('!=', 0, { number: 0 }, different);
    } else {
      this.text(address, space, FRAME, at, size);
      // A text that cannot be read is no text at all, not even an empty one.
      code.jumpIf(how === 'whole' ? '!=' : 'signed <', 0, { number: bytes.length + 1 }, different);
    }
    const wanted = how === 'whole' ? Buffer.concat([bytes, Uint8Array.of(0)]) : bytes;
    // The name of a command has 15 letters: a longer one is none.
    const compared = address.op === 'comm' ? wanted.subarray(0, COMM) : wanted;
    for (let i = 0; i < compared.length; ) {
      const left = compared.length - i;
      const width: Width = left >= 8 ? 8 : left >= 4 ? 4 : left >= 2 ? 2 : 1;
      const view = new DataView(compared.buffer, compared.byteOffset + i, width);
      code.load(width, 0, FRAME, at + i);
      if (width === 8) {
        code.set(1, view.getBigUint64(0, true)).jumpIf('!=', 0, 1, different);
      } else if (width === 4) {
        code.set(1, BigInt(view.getUint32(0, true))).jumpIf('!=', 0, 1, different);
      } else {
        const number = width === 2 ? view.getUint16(0, true) : view.getUint8(0);
        code.jumpIf('!=', 0, { number }, different);
      }
      i += width;
    }
    if (!equal) {
      code.jump(label).place(different);
    }
    this.release(room);
  }
}
