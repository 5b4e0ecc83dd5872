const kilo = ['', 'K', 'M', 'G', 'T', 'P', 'E'];

/** Bytes in powers of 1024 with one decimal: '512', '4.0K', '1.5M'. */
export function formatBytes(value: number): string {
  let size = value;
  let unit = 0;
  // 1023.95 and more would be written as 1024.0.
  while (Math.abs(size) >= (unit === 0 ? 1024 : 1023.95) && unit < kilo.length - 1) {
    size /= 1024;
    unit++;
  }
  return unit === 0 ? String(value) : `${size.toFixed(1)}${kilo[unit]}`;
}

/** A duration in nanoseconds with three significant digits and its unit: '999ns', '1.23us', '45.6ms', '7.89s'. */
export function formatNanoseconds(value: number): string {
  const size = Math.abs(value);
  return size < 999.5
    ? `${Math.round(value)}ns`
    : size < 999_500
      ? `${digits(value / 1e3)}us`
      : size < 999_500_000
        ? `${digits(value / 1e6)}ms`
        : `${digits(value / 1e9)}s`;
}

function digits(value: number): string {
  const size = Math.abs(value);
  return value.toFixed(size < 9.995 ? 2 : size < 99.95 ? 1 : 0);
}
