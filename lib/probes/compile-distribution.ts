import { GeneratedProgram } from '../bpf/generated-program.ts';
import type { BpfObject } from '../bpf/object.ts';
import type { ObjectFile } from '../bpf/object-file.ts';
import { isText, s64, typeNamed, u64 } from './c-types.ts';
import { Checker, described } from './check.ts';
import {
  type CallIdentity,
  distributionProgram,
  entryProgram,
  keptValues,
  keyHead,
  keySize,
} from './distribution-program.ts';
import type { TaskFilter } from './filter-code.ts';
import type { Distribution } from './parse-distribution.ts';
import type { Specification } from './parse-specification.ts';
import { layoutOf, type RecordLayout } from './record.ts';
import { machine } from './registers.ts';
import { specificationError } from './specification-error.ts';
import type { Expression } from './syntax.ts';
import { type Search, type Target, targetsOf } from './target.ts';
import { extended, further, type Scope, type Typed, type Value } from './value.ts';

/** A distribution with its meaning on this machine. */
export interface CompiledDistribution {
  readonly distribution: Distribution;
  readonly histogram: boolean;
  readonly names: readonly string[];
  readonly forms: readonly CompiledForm[];
  /** Where the function is entered, where that matters. */
  readonly entry?: { readonly target: Target; readonly values: readonly Value[]; readonly nested: boolean };
}

interface CompiledForm {
  readonly target: Target;
  readonly layout: RecordLayout;
  readonly predicate?: Value;
  readonly amount?: Typed;
}

/** @param room bytes of a text, its end included. @throws KscopeError usage, unsupported */
export function compileDistribution(
  distribution: Distribution,
  { histogram, room, search = {} }: { readonly histogram: boolean; readonly room: number; readonly search?: Search },
): CompiledDistribution {
  const { text, place, values, filter, signature } = distribution;
  const returned: Expression = { is: 'name', name: 'retval', ...place.at };
  const given = values.length > 0 ? values : place.kind === 'return' ? [{ expression: returned }] : [];
  const wanted = histogram ? 1 : given.length;
  if (given.length !== wanted) {
    const span = given[1]?.expression ?? place;
    throw specificationError(text, span, `a histogram is of one value, and here are ${given.length}`);
  }
  const specification: Specification = {
    text,
    place,
    signature,
    values: given.map(({ expression }) => expression),
    ...(filter && { predicate: filter }),
  };
  const kept = new KeptValues(specification, search);
  const forms = targetsOf(specification, search).map((target): CompiledForm => {
    const checker = new Checker(text, place.kind === 'return' ? kept.scope(target.scope) : target.scope);
    const typed = given.map((one) => typedValue(text, checker, one, target.scope, room));
    const layout = layoutOf(histogram ? [] : typed, keyHead);
    if (layout.size > keySize) {
      const why = `these values take ${layout.size} bytes, and ${keySize} can be told apart`;
      throw specificationError(text, given[0]?.expression ?? place, why, '-z makes texts shorter');
    }
    const [first] = typed;
    if (histogram && first !== undefined && first.text > 0) {
      throw specificationError(
        text,
        given[0]?.expression ?? place,
        `a histogram is of numbers, and this is ${described(first.typed.type)}`,
      );
    }
    return {
      target,
      layout,
      ...(filter !== undefined && { predicate: checker.condition(filter) }),
      ...(histogram && first !== undefined && { amount: first.typed }),
    };
  });
  const names = given.map(({ expression: one }) =>
    one === returned ? 'retval' : text.slice(one.start, one.end).trim(),
  );
  return { distribution, histogram, names, forms, ...(kept.used && { entry: kept.entry() }) };
}

/** A value in the type that it is given, or in its own. */
function typedValue(
  text: string,
  checker: Checker,
  { expression, type: name }: Distribution['values'][number],
  scope: Scope,
  room: number,
): { typed: Typed; text: number } {
  const typed = checker.value(expression);
  const own = typed.type;
  const type = name === undefined ? own : typeNamed(text, name, scope.type);
  if (isText(type) && (isText(own) || checker.textual(typed))) {
    return { typed, text: own.is === 'array' ? Math.min(room, own.count + 1) : room };
  }
  if (own.is === 'structure' || own.is === 'opaque' || own.is === 'array') {
    throw specificationError(text, expression, `this is no number and no text: it is ${described(own)}`);
  }
  // A function of a library returns an int more often than anything else.
  const plain = name === undefined && own.is === 'number' && own.register === true;
  const number = plain ? ({ is: 'number', name: 'int', size: 4, signed: true } as const) : type;
  if (number.is === 'pointer') {
    return { typed: { ...typed, type: number }, text: 0 };
  }
  if (number.is !== 'number') {
    throw specificationError(text, name ?? expression, `nothing can be counted as ${described(number)}`);
  }
  return { typed: { ...typed, type: number, value: extended(typed.value, number.size * 8, number.signed) }, text: 0 };
}

/** What programs at returns want to know of the entry. */
class KeptValues {
  readonly #specification: Specification;
  readonly #search: Search;
  readonly #values = new Map<string, { readonly typed: Typed; readonly index: number }>();
  #target: Target | undefined;
  used = false;

  constructor(specification: Specification, search: Search) {
    const { place } = specification;
    this.#specification = { ...specification, place: { ...place, kind: 'entry' }, values: [] };
    this.#search = search;
  }

  scope(scope: Scope): Scope {
    return {
      ...scope,
      find: (name) => (name === '$latency' ? this.#latency() : scope.find(name)),
      names: () => [...scope.names(), '$latency'],
      entry: (value) => this.#entry(value),
    };
  }

  entry() {
    const values = [...this.#values.values()].map(({ typed }) => typed.value);
    const { kernel } = this.#specification.place;
    return { target: this.#entryTarget(), values, nested: !kernel };
  }

  #latency(): Typed {
    this.used = true;
    return { type: u64, value: { op: 'kept', index: 0 }, space: 'any' };
  }

  #entry(expression: Expression): Typed {
    this.used = true;
    const { text } = this.#specification;
    const key = text.slice(expression.start, expression.end);
    let known = this.#values.get(key);
    if (known === undefined) {
      const index = this.#values.size + 1;
      if (index >= keptValues) {
        throw specificationError(text, expression, `${keptValues - 1} values of the entry are the most`);
      }
      const typed = new Checker(text, this.#entryTarget().scope).value(expression);
      known = { typed: typed.type.is === 'opaque' ? { ...typed, type: s64 } : typed, index };
      this.#values.set(key, known);
    }
    return { ...known.typed, value: { op: 'kept', index: known.index } };
  }

  #entryTarget(): Target {
    this.#target ??= targetsOf(this.#specification, this.#search)[0] as Target;
    return this.#target;
  }
}

/** Loads and attaches what counts, entries before returns. @throws KscopeError, after which nothing is attached */
export function startDistributions(
  object: BpfObject,
  file: ObjectFile,
  stub: string,
  compiled: readonly CompiledDistribution[],
  filter: TaskFilter,
): readonly GeneratedProgram[] {
  const started: GeneratedProgram[] = [];
  const start = (target: Target, code: Uint8Array) => {
    const { type, attachType, aim } = target;
    const program = new GeneratedProgram(file, stub, object.name, target.hook, {
      code,
      type,
      ...(attachType !== undefined && { attachType }),
      ...(aim !== undefined && { target: aim }),
    });
    started.push(program);
    target.attach(program.program);
  };
  const [counts, entries] = [object.map('counts').fd, object.map('entries').fd];
  const dropped = object.variable('counts_dropped');
  try {
    for (const [number, { forms, entry }] of compiled.entries()) {
      const call = (atReturn: boolean): CallIdentity => ({
        number,
        ...(entry?.nested === true && { frame: stackOf(atReturn) }),
      });
      // Returns first: a call that is counted was seen from its beginning.
      for (const { target, layout, predicate, amount } of forms) {
        start(
          target,
          distributionProgram({
            number,
            filter,
            layout,
            counts,
            dropped,
            ...(predicate !== undefined && { predicate }),
            ...(amount !== undefined && { histogram: amount }),
            ...(entry !== undefined && { entry: { call: call(true), entries } }),
          }),
        );
      }
      if (entry !== undefined) {
        start(entry.target, entryProgram({ filter, call: call(false), values: entry.values, entries }));
      }
    }
    return started;
  } catch (error) {
    for (const program of started.reverse()) {
      program.close();
    }
    throw error;
  }
}

/** Where the stack is when the function has returned, known at its entry, too: x86 then has the return address on it. */
function stackOf(atReturn: boolean): Value {
  const { registers, arguments: passed } = machine();
  const pointer: Value = { op: 'context', offset: registers.sp ?? 0, width: 8 };
  return atReturn || passed[0] !== 'di' ? pointer : further(pointer, 8);
}
