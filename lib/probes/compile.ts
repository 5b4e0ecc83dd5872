import { type GeneratedCode, GeneratedProgram } from '../bpf/generated-program.ts';
import type { BpfObject } from '../bpf/object.ts';
import { Checker, type Dialect } from './check.ts';
import { type CallProgram, eventProgram } from './event-program.ts';
import type { TaskFilter } from './filter-code.ts';
import type { Specification } from './parse-specification.ts';
import { type PrintedValue, printedValue } from './printed-value.ts';
import { head, layoutOf, type RecordLayout } from './record.ts';
import type { Expression } from './syntax.ts';
import { type Search, type Target, targetsOf } from './target.ts';
import type { Value } from './value.ts';

/** What is the same for all places of a run. */
export interface EventDetails {
  readonly filter: TaskFilter;
  readonly dialect: Dialect;
  readonly search?: Search;
  /** Bytes of a text, its end included. */
  readonly room: number;
  readonly kernelStack: boolean;
  readonly userStack: boolean;
}

/** A place with the values that its records carry. */
export interface CompiledPlace {
  readonly specification: Specification;
  readonly forms: readonly CompiledForm[];
}

/** The same values at one of the places that a specification means. */
export interface CompiledForm {
  readonly target: Target;
  readonly predicate?: Value;
  readonly values: readonly PrintedValue[];
  readonly layout: RecordLayout;
}

/** Gives a specification its meaning on this machine. @throws KscopeError usage, unsupported */
export function compilePlace(specification: Specification, details: EventDetails): CompiledPlace {
  const { text, predicate, values, format } = specification;
  const forms = targetsOf(specification, details.search).map((target): CompiledForm => {
    const checker = new Checker(text, target.scope, details.dialect);
    const printed = (format?.conversions ?? []).map((conversion, i) =>
      printedValue(text, checker, values[i] as Expression, conversion, details.room),
    );
    return {
      target,
      ...(predicate !== undefined && { predicate: checker.condition(predicate) }),
      values: printed,
      layout: layoutOf(printed, head.size),
    };
  });
  return { specification, forms };
}

/**
 * Loads and attaches a program for each form, whose number in the records is its index among all forms.
 * @throws KscopeError, after which nothing is attached
 */
export function startPrograms(
  object: BpfObject,
  bytes: Uint8Array,
  stub: string,
  places: readonly CompiledPlace[],
  details: EventDetails,
): readonly GeneratedProgram[] {
  const forms = places.flatMap((place) => place.forms);
  return startForms(object, bytes, stub, forms, details);
}

type Form = Pick<CompiledForm, 'target' | 'predicate' | 'layout'> & { readonly call?: CallProgram };

/** The same for forms that belong to no specification. */
export function startForms(
  object: BpfObject,
  bytes: Uint8Array,
  stub: string,
  forms: readonly Form[],
  { filter, kernelStack, userStack }: Pick<EventDetails, 'filter' | 'kernelStack' | 'userStack'>,
): readonly GeneratedProgram[] {
  const started: GeneratedProgram[] = [];
  const maps = {
    ring: object.map('events').fd,
    lost: object.variable('events_lost'),
    ...((kernelStack || userStack) && {
      stacks: [object.map('stacks').fd, object.map('stacks_second').fd] as const,
    }),
  };
  try {
    for (const [number, { target, predicate, layout, call }] of forms.entries()) {
      const code: GeneratedCode = {
        code: eventProgram({
          place: number,
          filter,
          layout,
          ...maps,
          kernelStack,
          userStack,
          ...(predicate !== undefined && { predicate }),
          ...(call !== undefined && { call }),
        }),
        type: target.type,
        ...(target.attachType !== undefined && { attachType: target.attachType }),
        ...(target.aim !== undefined && { target: target.aim }),
      };
      const program = new GeneratedProgram(bytes, stub, object.name, target.hook, code);
      started.push(program);
      target.attach(program.program);
    }
    return started;
  } catch (error) {
    for (const program of started.reverse()) {
      program.close();
    }
    throw error;
  }
}
