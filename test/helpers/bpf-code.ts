/** One instruction; that which loads 64 bits takes two places. */
export interface Instruction {
  readonly code: number;
  readonly to: number;
  readonly from: number;
  readonly offset: number;
  readonly value: number;
  /** The upper half of a 64-bit value. */
  readonly upper: number;
}

/** What is known of a register: a number, a place in the context, a variable, or nothing. */
type Known =
  | { readonly is: 'number'; readonly value: bigint }
  | { readonly is: 'context'; readonly offset: number }
  | { readonly is: 'variable'; readonly name: string }
  | { readonly is: 'anything' };

const anything: Known = { is: 'anything' };

/** What the walk through a program wants to know. */
export interface CodeFacts {
  /** The number that a relocated instruction loads, by its place; undefined for what is not known. */
  readonly loads: ReadonlyMap<number, bigint>;
  /** The variable whose address an instruction loads, by its place. */
  readonly variables: ReadonlyMap<number, string>;
  /** Values of constants; all others may have any. */
  readonly constants: ReadonlyMap<string, bigint>;
  /** Instructions behind which nothing is looked at: the kernel would refuse them. */
  readonly barriers: ReadonlySet<number>;
}

export interface Reached {
  /** Places of instructions, in units of eight bytes from the start of the section. */
  readonly places: ReadonlySet<number>;
  /** Offsets in the context that are read, with the places that do so. */
  readonly context: ReadonlyMap<number, number>;
}

export function decode(bytes: Uint8Array): Instruction[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const out: Instruction[] = [];
  for (let at = 0; at + 8 <= bytes.length; at += 8) {
    out.push({
      ...{ code: view.getUint8(at), to: view.getUint8(at + 1) & 15, from: view.getUint8(at + 1) >> 4 },
      ...{ offset: view.getInt16(at + 2, true), value: view.getInt32(at + 4, true) },
      upper: at + 16 <= bytes.length ? view.getInt32(at + 12, true) : 0,
    });
  }
  return out;
}

const [LOAD_64, EXIT, CALL, ALWAYS] = [0x18, 0x95, 0x85, 0x05];
const [LOAD, JUMP_32, JUMP, MATH_32, MATH] = [1, 6, 5, 4, 7];

/** Which instructions can run when a program starts at `start`, as far as constants tell: never too few. */
export function reachable(code: readonly Instruction[], start: number, facts: CodeFacts): Reached {
  const states = new Map<number, Known[]>();
  const context = new Map<number, number>();
  const waiting: number[] = [];
  const arrive = (place: number, state: readonly Known[]): void => {
    const before = states.get(place);
    const merged = before === undefined ? [...state] : before.map((known, i) => both(known, state[i] ?? anything));
    if (before?.every((known, i) => same(known, merged[i] ?? anything))) return;
    states.set(place, merged);
    waiting.push(place);
  };
  arrive(
    start,
    [...Array(11)].map((_, i) => (i === 1 ? { is: 'context', offset: 0 } : anything)),
  );
  for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
    const instruction = code[place];
    const state = [...(states.get(place) ?? [])];
    if (instruction === undefined || facts.barriers.has(place)) continue;
    const kind = instruction.code & 7;
    if (instruction.code === EXIT) continue;
    if (instruction.code === LOAD_64) {
      state[instruction.to] = loaded(instruction, place, facts);
      arrive(place + 2, state);
    } else if (instruction.code === CALL) {
      for (let register = 0; register <= 5; register++) state[register] = anything;
      arrive(place + 1, state);
    } else if (instruction.code === ALWAYS) {
      arrive(place + 1 + instruction.offset, state);
    } else if (kind === JUMP || kind === JUMP_32) {
      const taken = isTaken(instruction, state);
      if (taken !== false) arrive(place + 1 + instruction.offset, state);
      if (taken !== true) arrive(place + 1, state);
    } else {
      if (kind === LOAD) {
        const source = state[instruction.from];
        if (source?.is === 'context') context.set(source.offset + instruction.offset, place);
        const value = source?.is === 'variable' && instruction.offset === 0 && facts.constants.get(source.name);
        state[instruction.to] = typeof value === 'bigint' ? { is: 'number', value } : anything;
      } else if (kind === MATH || kind === MATH_32) {
        state[instruction.to] = calculated(instruction, place, state, facts);
      }
      arrive(place + 1, state);
    }
  }
  return { places: new Set(states.keys()), context };
}

function loaded({ value, upper }: Instruction, place: number, facts: CodeFacts): Known {
  const variable = facts.variables.get(place);
  if (variable !== undefined) return { is: 'variable', name: variable };
  const relocated = facts.loads.get(place);
  return { is: 'number', value: relocated ?? (BigInt(upper) << 32n) | BigInt(value >>> 0) };
}

function calculated(
  { code, to, from, value }: Instruction,
  place: number,
  state: readonly Known[],
  facts: CodeFacts,
): Known {
  const operation = code & 0xf0;
  const isRegister = (code & 8) !== 0;
  const right: Known = isRegister
    ? (state[from] ?? anything)
    : { is: 'number', value: facts.loads.get(place) ?? BigInt(value) };
  const left = state[to] ?? anything;
  if (operation === 0xb0) return right;
  if (operation === 0 && left.is === 'context' && right.is === 'number') {
    return { is: 'context', offset: left.offset + Number(right.value) };
  }
  if (left.is !== 'number' || right.is !== 'number') return anything;
  const wide = (code & 7) === MATH;
  const result = operate(operation, left.value, right.value);
  return result === undefined ? anything : { is: 'number', value: BigInt.asIntN(wide ? 64 : 32, result) };
}

function operate(operation: number, a: bigint, b: bigint): bigint | undefined {
  switch (operation) {
    case 0:
      return a + b;
    case 0x10:
      return a - b;
    case 0x40:
      return a | b;
    case 0x50:
      return a & b;
    case 0x60:
      return a << (b & 63n);
    case 0x70:
      return BigInt.asUintN(64, a) >> (b & 63n);
    case 0xa0:
      return a ^ b;
    default:
      return undefined;
  }
}

function isTaken({ code, to, from, value }: Instruction, state: readonly Known[]): boolean | undefined {
  const left = state[to];
  const right = (code & 8) === 0 ? { is: 'number' as const, value: BigInt(value) } : state[from];
  if (left?.is !== 'number' || right?.is !== 'number') return undefined;
  const bits = (code & 7) === JUMP ? 64 : 32;
  const [a, b] = [BigInt.asUintN(bits, left.value), BigInt.asUintN(bits, right.value)];
  const [s, t] = [BigInt.asIntN(bits, a), BigInt.asIntN(bits, b)];
  const outcomes: Readonly<Record<number, boolean>> = {
    ...{ 16: a === b, 32: a > b, 48: a >= b, 64: (a & b) !== 0n, 80: a !== b, 96: s > t, 112: s >= t },
    ...{ 160: a < b, 176: a <= b, 192: s < t, 208: s <= t },
  };
  return outcomes[code & 0xf0];
}

function same(a: Known, b: Known): boolean {
  if (a.is === 'number') return b.is === 'number' && a.value === b.value;
  if (a.is === 'context') return b.is === 'context' && a.offset === b.offset;
  if (a.is === 'variable') return b.is === 'variable' && a.name === b.name;
  return b.is === 'anything';
}

function both(a: Known, b: Known): Known {
  return same(a, b) ? a : anything;
}
