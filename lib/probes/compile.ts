import { type GeneratedCode, GeneratedProgram } from '../bpf/generated-program.ts';
import type { BpfObject } from '../bpf/object.ts';
import type { ObjectFile } from '../bpf/object-file.ts';
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
  file: ObjectFile,
  stub: string,
  places: readonly CompiledPlace[],
  details: EventDetails,
): readonly GeneratedProgram[] {
  const forms = places.flatMap((place) => place.forms);
  return startForms(object, file, stub, forms, details);
}

type Form = Pick<CompiledForm, 'target' | 'predicate' | 'layout'> & { readonly call?: CallProgram };
type Common = Pick<EventDetails, 'filter' | 'kernelStack' | 'userStack'>;

/** The maps that such programs use, by their names. */
export interface ProgramMaps {
  map(name: string): { readonly fd: number };
  /** Where a variable is: in which map, and at which byte. */
  variable(name: string): { readonly map: number; readonly offset: number };
}

/** The program of a form, as `number` of all. @throws KscopeError usage when it would be too large */
export function formCode(
  { predicate, layout, call }: Form,
  number: number,
  maps: ProgramMaps,
  { filter, kernelStack, userStack }: Common,
): Uint8Array {
  return eventProgram({
    place: number,
    filter,
    layout,
    ring: maps.map('events').fd,
    lost: maps.variable('events_lost'),
    ...((kernelStack || userStack) && {
      stacks: [maps.map('stacks').fd, maps.map('stacks_second').fd] as const,
    }),
    kernelStack,
    userStack,
    ...(predicate !== undefined && { predicate }),
    ...(call !== undefined && { call }),
  });
}

/** The same for forms that belong to no specification. */
export function startForms(
  object: BpfObject,
  file: ObjectFile,
  stub: string,
  forms: readonly Form[],
  details: Common,
): readonly GeneratedProgram[] {
  const started: GeneratedProgram[] = [];
  try {
    for (const [number, form] of forms.entries()) {
      const { target } = form;
      const code: GeneratedCode = {
        code: formCode(form, number, object, details),
        type: target.type,
        ...(target.attachType !== undefined && { attachType: target.attachType }),
        ...(target.aim !== undefined && { target: target.aim }),
      };
      const program = new GeneratedProgram(file, stub, object.name, target.hook, code);
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
