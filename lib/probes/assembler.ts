import { KscopeError } from '../model/errors.ts';

/** r0 has results, r1 to r5 arguments, r6 to r9 survive calls, r10 is the end of the stack. */
export type Register = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10;
/** A register, or a number of 32 bits that is extended with its sign. */
export type Operand = Register | { readonly number: number };
export type Width = 1 | 2 | 4 | 8;
/** A place in the code, before or after it is known where that is. */
export type Label = number & { readonly label?: never };

const operations = {
  '+': 0x00,
  '-': 0x10,
  '*': 0x20,
  '/': 0x30,
  '|': 0x40,
  '&': 0x50,
  '<<': 0x60,
  '>>': 0x70,
} as const;
const others = { '%': 0x90, '^': 0xa0, '=': 0xb0, 'signed >>': 0xc0 } as const;
const allOperations = { ...operations, ...others };
export type Operation = keyof typeof allOperations;

const conditions = { '==': 0x10, '>': 0x20, '>=': 0x30, '!=': 0x50, '<': 0xa0, '<=': 0xb0 } as const;
const signedConditions = { 'signed >': 0x60, 'signed >=': 0x70, 'signed <': 0xc0, 'signed <=': 0xd0 } as const;
const allConditions = { ...conditions, ...signedConditions };
export type Condition = keyof typeof allConditions;

const sizes: Readonly<Record<Width, number>> = { 1: 0x10, 2: 0x08, 4: 0x00, 8: 0x18 };

const ALU64 = 0x07;
const ALU32 = 0x04;
const JUMP = 0x05;
const FROM_REGISTER = 0x08;
const LOAD = 0x61;
const STORE = 0x63;
const STORE_NUMBER = 0x62;
const ATOMIC_ADD = 0xdb;
const LOAD_64_BITS = 0x18;
const MAP_BY_FD = 1;
const VALUE_OF_MAP = 2;
const CALL = 0x85;
const EXIT = 0x95;
const SIZE = 8;

/** What the kernel takes at once without more ado: before 5.2, and from unprivileged users. */
const MOST = 4096;

/**
 * Writes BPF instructions: one method, one instruction, or two where a number is large. It knows no meaning of what it
 * writes; jumps may go to places that come later.
 */
export class Assembler {
  readonly #code: { readonly bytes: DataView; readonly jump?: Label }[] = [];
  readonly #places: (number | undefined)[] = [];

  /** Makes a register a number of 64 bits, of which the lower ones are taken. */
  set(to: Register, value: bigint): this {
    const signed = BigInt.asIntN(64, value);
    if (signed === BigInt.asIntN(32, signed)) {
      return this.compute('=', to, { number: Number(signed) });
    }
    return this.#wide(to, 0, Number(BigInt.asIntN(32, signed)), Number(signed >> 32n));
  }

  compute(operation: Operation, to: Register, by: Operand): this {
    return this.#alu(ALU64, operation, to, by);
  }

  /** With the lower half of the register; the upper half becomes 0. */
  compute32(operation: Operation, to: Register, by: Operand): this {
    return this.#alu(ALU32, operation, to, by);
  }

  negate(to: Register): this {
    return this.#write(ALU64 | 0x80, to, 0, 0, 0);
  }

  /** Takes the lower bits as a number, with or without a sign. */
  extend(to: Register, bits: number, signed: boolean): this {
    if (bits >= 64) {
      return this;
    }
    if (bits === 32 && !signed) {
      return this.compute32('=', to, to);
    }
    const by = { number: 64 - bits };
    return this.compute('<<', to, by).compute(signed ? 'signed >>' : '>>', to, by);
  }

  load(width: Width, to: Register, base: Register, offset: number): this {
    return this.#write(LOAD | sizes[width], to, base, offset, 0);
  }

  store(width: Width, base: Register, offset: number, from: Operand): this {
    return typeof from === 'number'
      ? this.#write(STORE | sizes[width], base, from, offset, 0)
      : this.#write(STORE_NUMBER | sizes[width], base, 0, offset, from.number);
  }

  /** Adds 64 bits to memory that others have as well. */
  addAtomically(base: Register, offset: number, from: Register): this {
    return this.#write(ATOMIC_ADD, base, from, offset, 0);
  }

  map(to: Register, fd: number): this {
    return this.#wide(to, MAP_BY_FD, fd, 0);
  }

  /** The address of a variable: of a byte in the only value of a map. */
  variable(to: Register, fd: number, offset: number): this {
    return this.#wide(to, VALUE_OF_MAP, fd, offset);
  }

  /** Calls a helper by its number. */
  call(helper: number): this {
    return this.#write(CALL, 0, 0, 0, helper);
  }

  exit(): this {
    return this.#write(EXIT, 0, 0, 0, 0);
  }

  label(): Label {
    return (this.#places.push(undefined) - 1) as Label;
  }

  /** What comes next is where the label is. */
  place(label: Label): this {
    this.#places[label] = this.#code.length;
    return this;
  }

  jump(label: Label): this {
    return this.#write(JUMP, 0, 0, 0, 0, label);
  }

  jumpIf(condition: Condition, left: Register, right: Operand, label: Label): this {
    const code = JUMP | allConditions[condition];
    return typeof right === 'number'
      ? this.#write(code | FROM_REGISTER, left, right, 0, 0, label)
      : this.#write(code, left, 0, 0, right.number, label);
  }

  /** @throws KscopeError usage when it is too long, failed for a label that was not placed */
  finish(): Uint8Array {
    if (this.#code.length > MOST) {
      throw new KscopeError('usage', `this needs ${this.#code.length} instructions, and programs may have ${MOST}`);
    }
    const code = Buffer.alloc(this.#code.length * SIZE);
    for (const [i, { bytes, jump }] of this.#code.entries()) {
      code.set(new Uint8Array(bytes.buffer), i * SIZE);
      if (jump !== undefined) {
        const to = this.#places[jump];
        if (to === undefined) {
          throw new KscopeError('failed', 'the code jumps to nowhere');
        }
        code.writeInt16LE(to - i - 1, i * SIZE + 2);
      }
    }
    return code;
  }

  #alu(kind: number, operation: Operation, to: Register, by: Operand): this {
    const code = kind | allOperations[operation];
    return typeof by === 'number'
      ? this.#write(code | FROM_REGISTER, to, by, 0, 0)
      : this.#write(code, to, 0, 0, by.number);
  }

  #wide(to: Register, kind: number, low: number, high: number): this {
    return this.#write(LOAD_64_BITS, to, kind, 0, low).#write(0, 0, 0, 0, high);
  }

  #write(code: number, to: number, from: number, offset: number, number: number, jump?: Label): this {
    const bytes = new DataView(new ArrayBuffer(SIZE));
    bytes.setUint8(0, code);
    bytes.setUint8(1, to | (from << 4));
    bytes.setInt16(2, offset, true);
    bytes.setInt32(4, number, true);
    this.#code.push({ bytes, ...(jump !== undefined && { jump }) });
    return this;
  }
}
