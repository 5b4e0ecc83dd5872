/** Pokes are numbered from here: so large is no process id. */
export const NUMBERS = 9_000_000;

/** Lines that end with a number that calls were given. */
export function lineOf(number: number): (pid: number) => RegExp {
  return (pid) => new RegExp(`(^|\\D)${pid}\\D.*\\D${number}\\D*$`);
}

/** The first poke in what a tracer printed. */
export function firstNumber(text: string): number | undefined {
  const [, number] = /(?<!\d)(9\d{6})\D/.exec(text) ?? [];
  return number === undefined ? undefined : Number(number) - NUMBERS;
}
