import { type Distribution, parseDistribution } from '../probes/parse-distribution.ts';
import { parseSpecification, type Specification } from '../probes/parse-specification.ts';
import type { Option } from './options.ts';

/** Where something is traced, under which condition, and what is printed: one or several. */
export const specifications: Option<readonly Specification[] | undefined, never> = {
  flags: '<probe...>',
  summary: 'where, under which condition, and what to print: \'c:open (arg2 != 0) "%s", arg1\'',
  // One of them: the command line makes a list.
  parse: parseSpecification as never,
};

/** Values at a place, whose combinations or sizes are counted: one for each time the option is given. */
export function distributionOption(flags: string, summary: string): Option<readonly Distribution[] | undefined, never> {
  return { flags, summary, repeatable: 'again', parse: (given) => [parseDistribution(given)] };
}
