import type { Tool } from './definition.ts';

/**
 * A tool that prints tables, and distributions instead when the option `dist` is given: both are of the same object, and
 * have that option.
 */
export function withDistributions(tables: Tool, distributions: Tool): Tool {
  return {
    ...tables,
    options: { ...distributions.options, ...tables.options },
    schema: () => ({ oneOf: [tables.schema(), distributions.schema()] }),
    run: (context) => (context.values.dist === true ? distributions : tables).run(context),
  };
}
