const bars = '▁▂▃▄▅▆▇█';

/**
 * The course of a value as a row of bars, the latest at the right, in exactly `width` columns: the largest value that
 * is shown is a full bar, nothing is a space.
 */
export function sparkline(values: readonly number[], width: number): string {
  const shown = values.slice(-width);
  const most = Math.max(0, ...shown);
  const drawn = shown.map((value) =>
    value > 0 && most > 0
      ? (bars[Math.min(bars.length - 1, Math.floor((value / most) * (bars.length - 0.01)))] ?? ' ')
      : ' ',
  );
  return drawn.join('').padStart(width);
}
