import { cell } from '../model/cell.ts';
import { stackNames } from '../model/frames.ts';
import { percentile } from '../model/histogram.ts';
import type { HistogramMessage } from '../model/message.ts';
import type { TextStyle } from '../model/types.ts';

const bars = 40;

/** A distribution as people know it from bcc: a section line for the key, a row and a bar for each bucket. */
export function renderHistogram(message: HistogramMessage, style: TextStyle): string {
  const lines = message.columns.map((column) => `${column.header.toLowerCase()} = ${cell(column, message.key, style)}`);
  lines.push(
    ...(['kernel', 'user'] as const).flatMap((whose) =>
      stackNames(message[whose] ?? 'none', whose)
        .reverse()
        .map((name) => `    ${name}`),
    ),
  );
  const top = message.buckets.at(-1)?.to ?? 0;
  const width = top >= 2 ** 32 ? 20 : 10;
  lines.push(`${message.unit.padStart(width + 5).padEnd(2 * width + 5)} : count    distribution`);
  const most = Math.max(...message.buckets.map(({ count }) => count));
  for (const { from, to, count } of message.buckets) {
    const stars = '*'.repeat(Math.floor((count * bars) / most));
    const range = `${String(from).padStart(width)} -> ${String(to).padEnd(width)}`;
    lines.push(`${range} : ${String(count).padEnd(8)} |${stars.padEnd(bars)}|`);
  }
  if (message.details) {
    const at = (share: number) => percentile(message.buckets, share);
    const total = Math.round(message.total);
    const average = message.count === 0 ? 0 : Math.round(message.total / message.count);
    lines.push(
      '',
      `avg = ${average} ${message.unit}, total: ${total} ${message.unit}, count: ${message.count}, ` +
        `p50 = ${at(0.5)}, p90 = ${at(0.9)}, p99 = ${at(0.99)}`,
    );
  }
  return `${lines.join('\n')}\n`;
}
