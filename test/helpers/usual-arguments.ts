import type { Tool } from '../../lib/shapes/definition.ts';

/** The arguments of the first example of a tool: how it is run where nothing else is said. */
export function usualArguments({ examples }: Pick<Tool, 'examples'>): readonly string[] {
  const [first = ''] = Object.keys(examples);
  return wordsOf(first);
}

/** The words of a command line, as a shell takes them. */
export function wordsOf(line: string): readonly string[] {
  return [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
}
