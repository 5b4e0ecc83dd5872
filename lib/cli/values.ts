import type { CommandSpec } from './command.ts';

/** Values by option key when nothing is given: flags are false, everything without a default is undefined. */
export function defaultValues({ options, positionals }: CommandSpec): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [key, option] of Object.entries(options)) {
    values[key] = option.default ?? (option.parse === undefined ? false : undefined);
  }
  for (const { key } of positionals) {
    values[key] = undefined;
  }
  return values;
}
