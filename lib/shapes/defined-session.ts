import type { BpfObject } from '../bpf/object.ts';
import type { Skeleton, SkeletonTypes } from '../bpf/skeleton.ts';
import { attachersOf, type CommonDefinition, rulesOf } from './common-definition.ts';
import type { RunContext } from './definition.ts';
import type { Options, OptionValues } from './options.ts';
import { Session } from './session.ts';

export interface DefinedSession {
  readonly skeleton: Skeleton;
  readonly definition: CommonDefinition<SkeletonTypes, Options>;
  /** The definition's, and those that the shape adds. */
  readonly options: Options;
  readonly context: RunContext;
}

/** Starts a session as the definition says. @param sizes what the shape itself has to do before load */
export function startDefined(
  { skeleton, definition, options, context }: DefinedSession,
  sizes?: (object: BpfObject) => void,
): Session {
  const values = context.values as OptionValues<Options>;
  return Session.start({
    skeleton,
    options,
    context,
    rules: rulesOf(definition.attach, values),
    attachers: attachersOf(definition.attach, values),
    prepare: (object) => {
      sizes?.(object);
      definition.prepare?.(object, values);
    },
    loaded: (object) => definition.loaded?.(object, values),
  });
}
