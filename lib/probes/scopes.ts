import { type CType, type FindType, nameOf, pointerTo, register, sizeOf, typeNamed, u64 } from './c-types.ts';
import type { Specification } from './parse-specification.ts';
import { machine, type UsdtValue } from './registers.ts';
import { specificationError } from './specification-error.ts';
import type { Parameter } from './syntax.ts';
import type { TracepointRecord } from './tracepoint-record.ts';
import { extended, further, loaded, numberValue, type Scope, type Space, type Typed, type Value } from './value.ts';

/** Parameters and result of a function, as far as they are known. */
export interface Signature {
  readonly parameters: readonly { readonly name: string; readonly type: CType }[];
  readonly returns?: CType;
}

/** How a program at a function sees it. */
export type Hook = 'registers' | 'words';

interface FunctionContext {
  readonly specification: Specification;
  readonly common: ReadonlyMap<string, Typed>;
  readonly find: FindType;
  /** What the kernel's types say; undefined for what is in a library or program. */
  readonly known?: Signature | undefined;
  /** 'words' for fentry and fexit: the arguments, and behind them the result, each 64 bits. */
  readonly hook: Hook;
  /** Parameters are in the registers inside: of the functions that system calls begin with. */
  readonly inner?: boolean;
}

/** What can be named at the entry or the return of a function. */
export function functionScope(context: FunctionContext): Scope {
  const { specification, common, find, known, hook } = context;
  const { place } = specification;
  const own = machine();
  const space: Space = place.kernel ? 'any' : 'user';
  const names = new Map(common);
  const atReturn = place.kind === 'return';
  const parameters = parametersOf(specification, known, find);
  // At the return the registers are those of whoever is called next.
  if (!atReturn || hook === 'words') {
    const most = hook === 'words' ? (known?.parameters.length ?? 0) : own.arguments.length;
    for (let i = 0; i < most; i++) {
      const raw = argument(context, i);
      const parameter = parameters[i];
      const typed = (type: CType): Typed => ({ type, value: narrowed(raw, type), space });
      names.set(`arg${i + 1}`, typed(known === undefined ? register : (known.parameters[i]?.type ?? register)));
      // A signature adds names, and may give other types; what the kernel calls them stays.
      for (const one of [known?.parameters[i], parameter]) {
        if (one !== undefined) {
          names.set(one.name, typed(one.type));
        }
      }
    }
  }
  if (atReturn) {
    const type = known?.returns ?? register;
    const offset = hook === 'words' ? (known?.parameters.length ?? 0) * 8 : (own.registers[own.result] ?? 0);
    const raw: Value = hook === 'words' ? word(offset) : { op: 'context', offset, width: 8 };
    if (type.is !== 'opaque') {
      names.set('retval', { type, value: narrowed(raw, type), space });
      names.set('$retval', { type, value: narrowed(raw, type), space });
    }
  }
  if (hook === 'registers') {
    names.set('ctx', {
      type: pointerTo(registersType()),
      value: { op: 'context address', offset: 0 },
      space: 'kernel',
    });
  }
  return {
    find: (name) => names.get(name),
    names: () => [...names.keys()].filter((name) => name !== '$PID' && name !== '$COMM' && name !== '$retval'),
    type: find,
    why: (name) => {
      if (/^\$?retval$/.test(name)) {
        return atReturn
          ? `${place.name} returns nothing`
          : `retval is known at the return: 'r:${place.where}:${place.name}'`;
      }
      const all = [...parameters, ...(known?.parameters ?? [])];
      const isParameter = /^arg\d+$/.test(name) || all.some((one) => one.name === name);
      return isParameter && atReturn && hook !== 'words' ? `'${name}' is gone when the function returns` : '';
    },
  };
}

/** A parameter in a register, or in a word of the context. */
function argument({ hook, inner = false }: FunctionContext, index: number): Value {
  const own = machine();
  if (hook === 'words') {
    return word(index * 8);
  }
  const offset = own.registers[own.arguments[index] ?? ''] ?? 0;
  if (!inner) {
    return { op: 'context', offset, width: 8 };
  }
  const first = own.registers[own.arguments[0] ?? ''] ?? 0;
  // The kernel gives system calls their fourth argument in another register than functions have it.
  const there = index === 3 && own.registers.r10 !== undefined ? own.registers.r10 : offset;
  const base: Value = { op: 'context', offset: first, width: 8 };
  return { op: 'read', address: further(base, there), width: 8, space: 'kernel' };
}

/** Read by a helper: loaded directly, it would be a pointer with a type, which cannot be calculated with. */
function word(offset: number): Value {
  return { op: 'read', address: { op: 'context address', offset }, width: 8, space: 'kernel' };
}

function narrowed(raw: Value, type: CType): Value {
  return type.is === 'number' ? extended(raw, type.size * 8, type.signed) : raw;
}

function parametersOf({ text, place, signature }: Specification, known: Signature | undefined, find: FindType) {
  const of = (parameter: Parameter, i: number): { name: string; type: CType } => {
    const there = known?.parameters[i];
    if (known !== undefined && there === undefined) {
      const count = known.parameters.length;
      throw specificationError(text, parameter, `${place.name} has ${count} parameters`, named(known));
    }
    const other = known?.parameters.findIndex(({ name }) => name === parameter.name) ?? -1;
    if (there !== undefined && other >= 0 && other !== i) {
      const why = `'${parameter.name}' is parameter ${other + 1} of ${place.name}, and this is ${i + 1}`;
      throw specificationError(text, parameter, why, named(known));
    }
    const type = parameter.type === undefined ? (there?.type ?? register) : typeNamed(text, parameter.type, find);
    if (type.is === 'opaque') {
      throw specificationError(text, parameter, `no parameter is a ${nameOf(type)}`);
    }
    return { name: parameter.name, type };
  };
  return signature?.map(of) ?? [];
}

function named(known: Signature | undefined): string {
  const names = known?.parameters.map(({ name }) => name) ?? [];
  return names.length === 0 ? '' : `parameters: ${names.join(', ')}`;
}

function registersType(): CType {
  const { registers, size } = machine();
  return {
    is: 'structure',
    name: 'struct pt_regs',
    size,
    member: (name) =>
      Object.hasOwn(registers, name) ? { type: u64, bitOffset: (registers[name] ?? 0) * 8, bits: 0 } : undefined,
    names: () => Object.keys(registers),
  };
}

/** Whether parameters of a function are where they are looked for: each in one register. */
export function passedInRegisters({ parameters }: Signature): boolean {
  return parameters.every(({ type }) => sizeOf(type) <= 8) && parameters.length <= machine().arguments.length;
}

/** What can be named at a tracepoint: its fields, also as members of args. */
export function tracepointScope(format: TracepointRecord, common: ReadonlyMap<string, Typed>, find: FindType): Scope {
  const args: Typed = {
    type: pointerTo(format.record),
    value: { op: 'context address', offset: 0 },
    space: 'kernel',
  };
  return {
    dynamic: format.dynamic,
    find: (name) => {
      if (name === 'args') {
        return args;
      }
      const dynamic = format.dynamic.get(name);
      if (dynamic !== undefined) {
        const type: CType = { is: 'array', element: () => dynamic.element, count: 0xffff };
        return { type, value: { op: 'dynamic address', field: dynamic }, space: 'kernel' };
      }
      const member = format.record.member(name);
      return member === undefined
        ? common.get(name)
        : loaded({ op: 'context address', offset: member.bitOffset / 8 }, member.type, 'kernel');
    },
    names: () => [...format.names.map((name) => `args->${name}`), ...format.names, ...common.keys()],
    type: find,
  };
}

/** What can be named at a statically defined probe: arg1, arg2... */
export function usdtScope(
  given: readonly (UsdtValue | undefined)[],
  common: ReadonlyMap<string, Typed>,
  find: FindType,
): Scope {
  const names = new Map(common);
  for (const [i, one] of given.entries()) {
    if (one !== undefined) {
      const type: CType = {
        is: 'number',
        name: `${one.signed ? 's' : 'u'}${one.size * 8}`,
        size: one.size,
        signed: one.signed,
      };
      names.set(`arg${i + 1}`, { type, value: extended(usdtValue(one), one.size * 8, one.signed), space: 'user' });
    }
  }
  return {
    find: (name) => names.get(name),
    names: () => names.keys(),
    type: find,
    why: (name) => {
      const [, number] = /^arg(\d+)$/.exec(name) ?? [];
      return number === undefined
        ? ''
        : given.length === 0
          ? 'this probe has no arguments'
          : Number(number) > given.length
            ? `this probe has ${given.length} arguments`
            : `where ${name} of this probe is cannot be read`;
    },
  };
}

function usdtValue(one: UsdtValue): Value {
  if (one.in === 'number') {
    return numberValue(one.value);
  }
  if (one.in === 'register') {
    return { op: 'context', offset: one.offset, width: 8 };
  }
  const base: Value = { op: 'context', offset: one.base, width: 8 };
  const scaled: Value | undefined =
    one.index === undefined
      ? undefined
      : {
          op: 'arithmetic',
          operator: '*',
          left: { op: 'context', offset: one.index, width: 8 },
          right: numberValue(BigInt(one.scale)),
          signed: false,
        };
  const sum: Value =
    scaled === undefined ? base : { op: 'arithmetic', operator: '+', left: base, right: scaled, signed: false };
  return { op: 'read', address: further(sum, one.add), width: one.size, space: 'user' };
}
