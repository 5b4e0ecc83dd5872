import { parseSpecification, type Specification } from '../probes/parse-specification.ts';
import type { Option } from './options.ts';

/** Where something is traced, under which condition, and what is printed: one or several. */
export const specifications: Option<readonly Specification[] | undefined, never> = {
  flags: '<probe...>',
  summary: 'where, under which condition, and what to print: \'c:open (arg2 != 0) "%s", arg1\'',
  // One of them: the command line makes a list.
  parse: parseSpecification as never,
};
