import { type BtfValue, BtfValues, btfJson, btfLines } from '../bpf/btf-value.ts';
import { escapeText } from '../model/escape.ts';
import type { JsonValue } from '../model/json.ts';
import type { Row } from '../model/message.ts';
import type { SemanticType } from '../model/types.ts';
import { originOf } from '../probes/btf-types.ts';
import { type CType, nameOf } from '../probes/c-types.ts';
import { type CompiledCalls, programsOf, type ShownValue } from '../probes/compile-calls.ts';
import { readBytes, readField, readHead } from '../probes/record.ts';
import { headFields } from './generated-events.ts';

/** A value of a call, as it was. */
export interface CallValue {
  readonly name: string;
  /** 'struct file *', of what is more than a number. */
  readonly type?: string;
  /** Of a pointer. */
  readonly address?: bigint;
  /** Undefined for what cannot be read, or is nowhere. */
  readonly value?: BtfValue;
  /** What was read of a structure, when that is not all. */
  readonly cut?: { readonly read: number; readonly size: number };
}

/** Values of calls, nested as they are in the kernel. @param zeros lines show also what is 0, or empty */
export function callValues(zeros: boolean): SemanticType<readonly CallValue[]> {
  return {
    name: 'call_values',
    help: 'values by their names: structures are objects, what could not be read is null',
    typescript: 'readonly CallValue[]',
    schema: { type: 'object' },
    width: 24,
    align: 'left',
    optional: true,
    decode: { from: 'number' },
    text: (values) => values.map(({ name, value }) => `${name}=${JSON.stringify(json(value))}`).join(' '),
    json: (values) => Object.fromEntries(values.map(({ name, value }) => [name, json(value)])),
    lines: (values) => values.flatMap((one) => linesOf(one, zeros)),
  };
}

function json(value: BtfValue | undefined): JsonValue {
  return value === undefined ? null : btfJson(value);
}

function linesOf({ name, type, address, value, cut }: CallValue, zeros: boolean): string[] {
  // One line says what it is, and where.
  const where = address === undefined ? '' : ` = ${hexadecimal(address)}`;
  const what = `${name}${where}${type === undefined ? '' : ` (${type})`}`;
  if (value === undefined) {
    return [address === 0n ? what : `${what}: cannot be read`];
  }
  if (value.is === 'address' && value.value === address) {
    return [what];
  }
  const [first = '', ...more] = btfLines(name, value, zeros);
  const head = type === undefined ? first : `${what}${first.slice(name.length)}`;
  return [head, ...more, ...(cut === undefined ? [] : [`    … ${cut.read} of ${cut.size} bytes`])];
}

interface Call {
  readonly index: number;
  readonly row: Row;
  shown: boolean;
  /** How many of the functions before it, in order, it was called in, itself included; 0 out of order. */
  readonly chain: number;
}

/** Of what never returns nothing is kept for ever. */
const MOST_THREADS = 4096;
const MOST_CALLS = 64;

/** Turns records of calls into rows, and puts returns to their calls. */
export class CallRows {
  readonly #programs: ReturnType<typeof programsOf>;
  readonly #ordered: boolean;
  readonly #last: number;
  readonly #threads = new Map<number, Call[]>();
  readonly #readers = new Map<object, BtfValues>();

  constructor(compiled: readonly CompiledCalls[], ordered: boolean) {
    this.#programs = programsOf(compiled);
    this.#ordered = ordered;
    this.#last = compiled.length - 1;
  }

  /** The rows that can be shown now. @param bootToEpoch microseconds to add to a boot-time clock reading */
  rows(bytes: Uint8Array, bootToEpoch: number): readonly Row[] {
    const who = readHead(bytes);
    const program = this.#programs[who.place];
    if (program === undefined) {
      return [];
    }
    const { call, name, at, number, paired } = program;
    const values = call.values.map((one) => this.#value(bytes, one));
    const pointers = values.flatMap((one) => (one.address === undefined ? [] : [[one.name, hexadecimal(one.address)]]));
    const cut = values.flatMap((one) => (one.cut === undefined ? [] : [[one.name, one.cut]]));
    // By name: rows that something was spread into are several times slower.
    const { time, cpu, pid, tid, comm } = headFields(who, bootToEpoch);
    const row: Row = {
      time,
      cpu,
      pid,
      tid,
      comm,
      event: at,
      func: escapeText(name),
      values: values.length === 0 ? undefined : values,
      addresses: pointers.length === 0 ? undefined : Object.fromEntries(pointers),
      partial: cut.length === 0 ? undefined : Object.fromEntries(cut),
    };
    if (!paired) {
      return [row];
    }
    const decides = this.#programs.some((one) => one.number === number && one.call.condition !== undefined);
    if (at === 'entry') {
      return this.#entered(who.tid, number, row, decides);
    }
    const holds = call.condition === undefined || readField(bytes, call.condition) !== 0n;
    return this.#returned(who.tid, number, row, holds, values.length > 0);
  }

  #entered(tid: number, index: number, row: Row, waits: boolean): readonly Row[] {
    let calls = this.#threads.get(tid);
    if (calls === undefined) {
      calls = [];
      this.#threads.set(tid, calls);
      if (this.#threads.size > MOST_THREADS) {
        this.#threads.delete(this.#threads.keys().next().value as number);
      }
    }
    const inOrder = index === 0 || calls.some(({ chain }) => chain === index);
    const call: Call = { index, row, shown: !this.#ordered && !waits, chain: inOrder ? index + 1 : 0 };
    calls.push(call);
    if (calls.length > MOST_CALLS) {
      calls.shift();
    }
    if (!this.#ordered) {
      return call.shown ? [row] : [];
    }
    return call.chain === this.#last + 1 ? chainOf(calls) : [];
  }

  #returned(tid: number, index: number, row: Row, holds: boolean, hasValues: boolean): readonly Row[] {
    const calls = this.#threads.get(tid) ?? [];
    const at = calls.findLastIndex((one) => one.index === index);
    if (at < 0) {
      return [];
    }
    const [call] = calls.splice(at) as [Call];
    if (calls.length === 0) {
      this.#threads.delete(tid);
    }
    if (!holds || (this.#ordered && !call.shown)) {
      return [];
    }
    const entry = call.shown || call.row.values === undefined ? [] : [call.row];
    return hasValues ? [...entry, row] : entry;
  }

  #value(bytes: Uint8Array, { name, typed, number, text, whole, size }: ShownValue): CallValue {
    const { type } = typed;
    const raw = number && (readField(bytes, number) as bigint);
    const letters = text && (readField(bytes, text) as string | undefined);
    const there = whole && readBytes(bytes, whole);
    if (type.is === 'number') {
      return { name, value: this.#number(type, raw ?? 0n) };
    }
    const address = raw === undefined ? {} : { address: BigInt.asUintN(64, raw) };
    const named = { name, type: escapeText(nameOf(type)), ...address };
    if (text !== undefined) {
      return letters === undefined ? named : { ...named, value: { is: 'text', text: letters } };
    }
    if (whole === undefined && raw !== undefined) {
      return { ...named, value: { is: 'address', value: BigInt.asUintN(64, raw) } };
    }
    if (there === undefined) {
      return named;
    }
    const value = this.#read(type.is === 'pointer' ? type.target() : type, there);
    const cut = there.length < size ? { cut: { read: there.length, size } } : {};
    return value === undefined ? named : { ...named, value, ...cut };
  }

  #number(type: CType & { readonly is: 'number' }, value: bigint): BtfValue {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigInt64(0, BigInt.asIntN(64, value), true);
    return this.#read(type, bytes) ?? { is: 'number', value, bits: type.size * 8 };
  }

  #read(type: CType, bytes: Uint8Array): BtfValue | undefined {
    const origin = originOf(type);
    if (origin === undefined) {
      return undefined;
    }
    let reader = this.#readers.get(origin.btf);
    if (reader === undefined) {
      reader = new BtfValues(origin.btf);
      this.#readers.set(origin.btf, reader);
    }
    return reader.read(origin.id, bytes);
  }
}

/** The innermost calls that are in order, outermost first, as far as they were not shown. */
function chainOf(calls: readonly Call[]): Row[] {
  const rows: Row[] = [];
  let wanted = calls.at(-1)?.chain ?? 0;
  for (let i = calls.length - 1; i >= 0 && wanted > 0; i--) {
    const call = calls[i] as Call;
    if (call.chain === wanted) {
      wanted--;
      if (!call.shown) {
        call.shown = true;
        rows.unshift(call.row);
      }
    }
  }
  return rows;
}

function hexadecimal(value: bigint): string {
  return `0x${value.toString(16)}`;
}
