import type { GeneratedProgram } from '../bpf/generated-program.ts';
import type { BpfObject } from '../bpf/object.ts';
import type { ObjectFile } from '../bpf/object-file.ts';
import { originOf } from './btf-types.ts';
import { isText, s64, sizeOf } from './c-types.ts';
import { Checker, described } from './check.ts';
import { startForms } from './compile.ts';
import type { TaskFilter } from './filter-code.ts';
import { functionHomes, kernelTypes, signatureOf, typesOfFunction } from './kernel-types.ts';
import { type FunctionValue, type FunctionValues, namesReturn, RETURN } from './parse-function-values.ts';
import type { Specification } from './parse-specification.ts';
import { head, layoutOf, type RecordField, type RecordLayout } from './record.ts';
import { nearestNames, type Span, specificationError } from './specification-error.ts';
import type { Expression } from './syntax.ts';
import { type Target, targetsOf } from './target.ts';
import type { Scope, Typed, Value } from './value.ts';

/** A function with what is shown of its calls. */
export interface CompiledCalls {
  readonly name: string;
  readonly entry?: CompiledCall;
  readonly return?: CompiledCall;
  /** What belongs to one call is told by its order: both programs meet all calls that are wanted. */
  readonly paired: boolean;
}

interface CompiledCall {
  readonly target: Target;
  readonly predicate?: Value;
  readonly layout: RecordLayout;
  /** Whether the condition holds, where that is told and not decided. */
  readonly condition?: RecordField;
  readonly values: readonly ShownValue[];
}

/** A value as a record has it. */
export interface ShownValue {
  /** How it is written. */
  readonly name: string;
  readonly typed: Typed;
  /** The number itself; of a pointer, the address. */
  readonly number?: RecordField;
  /** The text at a pointer. */
  readonly text?: RecordField;
  /** What a pointer points to, or the value itself. */
  readonly whole?: RecordField;
  /** Bytes of all that `whole` has the beginning of. */
  readonly size: number;
}

/** Letters of a text that are read, its end included. */
const TEXT = 128;
/** Instructions reach so far into a record. */
const LARGEST = 0x7ff8;

export interface CallDetails {
  /** Bytes of a structure that are read. */
  readonly room: number;
  /** Functions are shown only when they call each other in this order. */
  readonly ordered: boolean;
}

/** Gives a function its meaning in the running kernel. @throws KscopeError usage, unsupported */
export function compileCalls(given: FunctionValues, { room, ordered }: CallDetails): CompiledCalls {
  const { place } = given;
  const all = given.values ?? usualValues(given);
  const of = (atReturn: boolean) => all.filter(({ value, condition }) => namesReturn(condition ?? value) === atReturn);
  const [entries, returns] = [of(false), of(true)];
  const both = entries.length > 0 && returns.length > 0;
  const paired = ordered || (both && all.some(({ condition }) => condition !== undefined));
  const compile = (values: readonly FunctionValue[], kind: 'entry' | 'return') =>
    compileCall(given, values, { kind, room, tells: paired && kind === 'return' });
  return {
    name: place.name,
    paired,
    ...((paired || entries.length > 0 || returns.length === 0) && { entry: compile(entries, 'entry') }),
    ...((paired || returns.length > 0) && { return: compile(returns, 'return') }),
  };
}

/** All parameters, and the result. */
function usualValues({ text, place }: FunctionValues): readonly FunctionValue[] {
  const { name, at } = place;
  const signature = signatureOf(name);
  if (signature === undefined) {
    // What does not exist is found out where it is looked for.
    return functionHomes(name).length === 0 ? [] : unknownTypes(text, at, name);
  }
  const result = signature.returns.is === 'opaque' ? [] : [RETURN];
  // Behind the sixth they are on the stack.
  const names = signature.parameters.slice(0, 6).map((one) => one.name);
  return [...names, ...result].map((one) => ({ value: { is: 'name', name: one, ...at } }));
}

function compileCall(
  { text, place, values: asked }: FunctionValues,
  all: readonly FunctionValue[],
  { kind, room, tells }: { kind: 'entry' | 'return'; room: number; tells: boolean },
): CompiledCall {
  const expressions = all.map(({ value, condition }) => condition ?? value);
  const specification: Specification = { text, place: { ...place, kind }, values: expressions };
  const [target] = targetsOf(specification) as [Target];
  const scope = withReturn(target.scope);
  const checker = new Checker(text, scope);
  // Some parameters are where nobody can tell: those of system calls, and structures.
  const isThere = ({ value }: FunctionValue) => value.is === 'name' && scope.find(value.name) !== undefined;
  const values = asked === undefined ? all.filter(isThere) : all;
  const conditions = values.flatMap(({ condition }) => (condition === undefined ? [] : [checker.condition(condition)]));
  const [first, ...more] = conditions;
  const predicate = first && more.reduce<Value>((left, right) => ({ op: 'logic', operator: '&&', left, right }), first);
  const told = predicate !== undefined && tells;
  const fields: Omit<RecordField, 'offset'>[] = told
    ? [{ typed: { type: s64, value: predicate, space: 'any' }, text: 0 }]
    : [];
  const indexes = values.map(({ value }) => {
    const one = fieldsOf(text, value, checker.value(value), room);
    const from = fields.length;
    fields.push(...one.fields);
    return { ...one, from };
  });
  const layout = layoutOf(fields, head.size);
  if (layout.size > LARGEST) {
    const why = `these values take ${layout.size} bytes, and a record has ${LARGEST} at most`;
    throw specificationError(text, place.at, why, 'fewer values, or fewer bytes of each');
  }
  const shown = indexes.map(({ from, fields: own, name, typed, size }): ShownValue => {
    const found = layout.fields.slice(from, from + own.length);
    const [number] = found.filter((one) => one.text === 0 && one.bytes === undefined);
    const [textual] = found.filter((one) => one.text > 0);
    const [whole] = found.filter((one) => one.bytes !== undefined);
    return {
      ...{ name, typed, size },
      ...(number !== undefined && { number }),
      ...(textual !== undefined && { text: textual }),
      ...(whole !== undefined && { whole }),
    };
  });
  return {
    target,
    layout,
    values: shown,
    ...(predicate !== undefined && !tells && { predicate }),
    ...(told && { condition: layout.fields[0] as RecordField }),
  };
}

/** The result has the name that it has in C. */
function withReturn(scope: Scope): Scope {
  const own = (name: string) => (name === RETURN ? 'retval' : name);
  return {
    ...scope,
    find: (name) => scope.find(own(name)),
    names: () => [...scope.names()].map((name) => (name === 'retval' ? RETURN : name)),
    why: (name) => scope.why?.(own(name)) ?? '',
  };
}

function fieldsOf(text: string, { start, end, ...one }: Expression, typed: Typed, room: number) {
  const { type, value } = typed;
  // Of a value that nobody wrote the place is that of the function.
  const name = one.is === 'name' ? one.name : text.slice(start, end).replace(/\s+/g, ' ');
  const number = { typed, text: 0 };
  const whole = (of: Typed) => ({ typed: of, text: 0, bytes: Math.min(sizeOf(of.type), room) });
  if (value.op === 'comm') {
    return { name, typed, size: 0, fields: [{ typed, text: 16 }] };
  }
  if (type.is === 'number') {
    return { name, typed, size: 0, fields: [number] };
  }
  if (type.is === 'opaque') {
    throw specificationError(text, { start, end }, `nothing can be shown of what is ${described(type)}`);
  }
  const target = type.is === 'pointer' ? type.target() : type;
  const size = sizeOf(target);
  if (type.is === 'pointer' && isText(type) && target.is === 'number' && target.letter === true) {
    return { name, typed, size, fields: [number, { typed, text: TEXT }] };
  }
  const readable = size > 0 && originOf(target) !== undefined;
  const there = { ...typed, type: target };
  if (type.is === 'pointer') {
    return { name, typed, size, fields: readable ? [number, whole(there)] : [number] };
  }
  return readable
    ? { name, typed, size, fields: [whole(there)] }
    : { name, typed: { ...typed, type: s64 }, size: 0, fields: [{ ...number, typed: { ...typed, type: s64 } }] };
}

function unknownTypes(text: string, at: Span, name: string): never {
  throw specificationError(
    text,
    at,
    `the kernel does not tell which parameters '${name}' has`,
    `${name}(arg1, return)`,
  );
}

/**
 * Loads and attaches what meets the calls. The number of a program in the records is its index among those of
 * `programsOf`. @throws KscopeError, after which nothing is attached
 */
export function startCalls(
  object: BpfObject,
  file: ObjectFile,
  stub: string,
  compiled: readonly CompiledCalls[],
  filter: TaskFilter,
): readonly GeneratedProgram[] {
  const calls = object.map('calls').fd;
  const forms = programsOf(compiled).map(({ call, at, number, paired }) => ({
    ...call,
    ...(paired && { call: { at, number, calls } }),
  }));
  return startForms(object, file, stub, forms, { filter, kernelStack: false, userStack: false });
}

/** All programs, those at returns first: whoever is seen to be called is seen to return. */
export function programsOf(compiled: readonly CompiledCalls[]) {
  return (['return', 'entry'] as const).flatMap((at) =>
    compiled.flatMap(({ name, paired, [at]: call }, number) =>
      call === undefined ? [] : [{ name, paired, at, number, call }],
    ),
  );
}

/** How C declares a function. @throws KscopeError usage when the kernel has none of that name, unsupported without BTF */
export function declarationOf({ text, place }: FunctionValues): string {
  const { name, at } = place;
  const types = typesOfFunction(name) ?? kernelTypes();
  const found = types.declaration(name);
  if (found === undefined) {
    const near = nearestNames('did you mean', name, types.names('func'));
    throw specificationError(text, at, `the kernel tells no types of a function '${name}'`, near);
  }
  return found;
}
