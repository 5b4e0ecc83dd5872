import type { ChoiceRules } from '../bpf/choose.ts';
import type { Skeleton, SkeletonTypes } from '../bpf/skeleton.ts';
import type { JsonSchema } from '../model/json.ts';
import type { Message } from '../model/message.ts';
import { commonOptions } from './common-options.ts';
import type { RunContext, Tool, ToolColumn } from './definition.ts';
import type { Options } from './options.ts';

export interface CustomDefinition<S extends SkeletonTypes> {
  readonly summary: string;
  readonly description: string;
  readonly overhead: string;
  /** The tool's own; the common ones are added. */
  readonly options: Options;
  readonly positionals?: Tool['positionals'];
  readonly columns?: () => readonly ToolColumn[];
  readonly schema: () => JsonSchema;
  readonly examples: Readonly<Record<string, string>>;
  readonly aliases?: Readonly<Record<string, readonly string[]>>;
  /** Alternatives among the programs; by default all are loaded. */
  rules?(values: Readonly<Record<string, unknown>>): ChoiceRules;
  /** Yields `ready` first; begins with `Session.start`, whose plan takes the options given here. */
  run(skeleton: Skeleton<S>, options: Options, context: RunContext): AsyncIterable<Message>;
}

/** A tool that fits no shape: the primitive that the shapes themselves amount to. */
export function custom<S extends SkeletonTypes>(skeleton: Skeleton<S>, definition: CustomDefinition<S>): Tool {
  const options: Options = { ...definition.options, ...commonOptions };
  return {
    shape: 'custom',
    skeleton,
    summary: definition.summary,
    description: definition.description,
    overhead: definition.overhead,
    options,
    positionals: definition.positionals ?? [],
    examples: definition.examples,
    aliases: definition.aliases ?? {},
    columns: definition.columns ?? (() => []),
    schema: definition.schema,
    rules: (values) => definition.rules?.(values) ?? {},
    run: (context) => definition.run(skeleton, options, context),
  };
}
