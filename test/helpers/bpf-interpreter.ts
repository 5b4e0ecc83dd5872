/** What a program of a test calls: gets the arguments r1 to r5 and the memory, gives r0. */
export type Helper = (memory: Memory, ...args: readonly [bigint, bigint, bigint, bigint, bigint]) => bigint;

/** Memory at addresses: pieces that do not touch. */
export class Memory {
  readonly #pieces: { readonly at: bigint; readonly bytes: DataView }[] = [];

  add(at: bigint, bytes: Uint8Array): void {
    this.#pieces.push({ at, bytes: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) });
  }

  /** The bytes at an address; undefined where there are none. */
  view(at: bigint, size: number): DataView | undefined {
    const piece = this.#pieces.find(
      (one) => at >= one.at && at + BigInt(size) <= one.at + BigInt(one.bytes.byteLength),
    );
    return piece && new DataView(piece.bytes.buffer, piece.bytes.byteOffset + Number(at - piece.at), size);
  }

  must(at: bigint, size: number): DataView {
    const view = this.view(at, size);
    if (view === undefined) {
      throw new Error(`the program looks at 0x${at.toString(16)}, where nothing is`);
    }
    return view;
  }
}

const STACK = 0xffff_8000_0000_0000n;
const MOST_STEPS = 100_000;
const widths: Readonly<Record<number, number>> = { 16: 1, 8: 2, 0: 4, 24: 8 };

/** Runs BPF instructions as a kernel would, as far as programs that are written at run time have them. @returns r0 */
export function interpret(
  code: Uint8Array,
  context: bigint,
  memory: Memory,
  helpers: Readonly<Record<number, Helper>> = {},
): bigint {
  const view = new DataView(code.buffer, code.byteOffset, code.byteLength);
  const registers = new Array<bigint>(11).fill(0n);
  memory.add(STACK, new Uint8Array(512));
  registers[1] = context;
  registers[10] = STACK + 512n;
  const get = (register: number): bigint => registers[register] ?? 0n;
  for (let at = 0, steps = 0; ; at++) {
    if (steps++ > MOST_STEPS || at * 8 >= code.length) {
      throw new Error('the program does not end');
    }
    const opcode = view.getUint8(at * 8);
    const [to, from] = [view.getUint8(at * 8 + 1) & 15, view.getUint8(at * 8 + 1) >> 4];
    const offset = view.getInt16(at * 8 + 2, true);
    const number = BigInt(view.getInt32(at * 8 + 4, true));
    const width = widths[opcode & 0x18] ?? 8;
    const operand = (opcode & 8) === 0 ? number : get(from);
    switch (opcode & 7) {
      case 0:
        registers[to] = BigInt.asUintN(
          64,
          BigInt.asUintN(32, number) | (BigInt(view.getInt32(++at * 8 + 4, true)) << 32n),
        );
        break;
      case 1: {
        const bytes = memory.must(get(from) + BigInt(offset), width);
        registers[to] = width === 8 ? bytes.getBigUint64(0, true) : BigInt(unsigned(bytes, width));
        break;
      }
      case 2:
      case 3: {
        const bytes = memory.must(get(to) + BigInt(offset), width);
        // The only atomic operation there is adds.
        const before = (opcode & 0xe0) === 0xc0 ? bytes.getBigUint64(0, true) : 0n;
        write(bytes, width, ((opcode & 7) === 2 ? number : get(from)) + before);
        break;
      }
      case 4:
        registers[to] = BigInt.asUintN(32, compute(opcode & 0xf0, get(to), operand, 32));
        break;
      case 7:
        registers[to] = BigInt.asUintN(64, compute(opcode & 0xf0, get(to), operand, 64));
        break;
      default:
        if (opcode === 0x95) {
          return BigInt.asIntN(64, get(0));
        }
        if (opcode === 0x85) {
          const helper = helpers[Number(number)];
          if (helper === undefined) {
            throw new Error(`there is no helper ${number}`);
          }
          registers[0] = BigInt.asUintN(64, helper(memory, get(1), get(2), get(3), get(4), get(5)));
          // What a call leaves in these nobody may look at.
          registers.fill(0xdead_dead_dead_deadn, 1, 6);
        } else if (opcode === 0x05 || taken(opcode & 0xf0, get(to), operand)) {
          at += offset;
        }
    }
  }
}

function unsigned(bytes: DataView, width: number): number {
  return width === 1 ? bytes.getUint8(0) : width === 2 ? bytes.getUint16(0, true) : bytes.getUint32(0, true);
}

function write(bytes: DataView, width: number, value: bigint): void {
  for (let i = 0; i < width; i++) {
    bytes.setUint8(i, Number(BigInt.asUintN(8, value >> BigInt(8 * i))));
  }
}

function compute(operation: number, left: bigint, right: bigint, bits: number): bigint {
  const [a, b] = [BigInt.asUintN(bits, left), BigInt.asUintN(bits, right)];
  const by = b & BigInt(bits - 1);
  const results: Readonly<Record<number, () => bigint>> = {
    0: () => a + b,
    16: () => a - b,
    32: () => a * b,
    48: () => (b === 0n ? 0n : a / b),
    64: () => a | b,
    80: () => a & b,
    96: () => a << by,
    112: () => a >> by,
    128: () => -a,
    144: () => (b === 0n ? a : a % b),
    160: () => a ^ b,
    176: () => b,
    192: () => BigInt.asIntN(bits, a) >> by,
  };
  const result = results[operation];
  if (result === undefined) {
    throw new Error(`there is no operation ${operation}`);
  }
  return result();
}

function taken(condition: number, left: bigint, right: bigint): boolean {
  const [a, b] = [BigInt.asUintN(64, left), BigInt.asUintN(64, right)];
  const [s, t] = [BigInt.asIntN(64, left), BigInt.asIntN(64, right)];
  const outcomes: Readonly<Record<number, boolean>> = {
    ...{ 16: a === b, 32: a > b, 48: a >= b, 80: a !== b, 96: s > t, 112: s >= t },
    ...{ 160: a < b, 176: a <= b, 192: s < t, 208: s <= t },
  };
  const outcome = outcomes[condition];
  if (outcome === undefined) {
    throw new Error(`there is no condition ${condition}`);
  }
  return outcome;
}
