import type { JsonMessage } from './run-tool.ts';

/** The rows of all tables that were printed. */
export function tableRows(messages: readonly JsonMessage[]): Readonly<Record<string, unknown>>[] {
  return messages.flatMap(({ type, rows }) => (type === 'table' ? (rows as JsonMessage[]) : []));
}
