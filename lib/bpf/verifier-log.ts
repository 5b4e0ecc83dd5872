/** The useful lines of a verifier's log, on one line; empty for an empty log. */
export function summarizeVerifierLog(log: string): string {
  const lines = log
    .split('\n')
    .filter((line) => line !== '' && !/^(processed|verification time|stack depth)/.test(line));
  return lines.at(-1) ?? '';
}
