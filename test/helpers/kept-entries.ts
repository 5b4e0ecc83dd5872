import type { JsonMessage } from './run-tool.ts';

/** Names of the maps that have entries at the end of a run with --json and --stats. */
export function keptEntries(messages: readonly JsonMessage[]): string[] {
  const stats = messages.findLast(({ type }) => type === 'stats') as
    | (JsonMessage & { readonly maps: readonly { readonly map: string; readonly entries: number }[] })
    | undefined;
  if (stats === undefined) {
    throw new Error('there are no statistics');
  }
  return stats.maps.filter(({ entries }) => entries > 0).map(({ map }) => map);
}
