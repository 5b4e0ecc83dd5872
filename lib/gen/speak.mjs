/**
 * Progress and failures go to stderr: stdout belongs to the tool.
 * @param {string} line
 */
export function say(line) {
  process.stderr.write(`kscope: ${line}\n`);
}

/**
 * @param {string} what
 * @param {string} [why]
 * @returns {never}
 */
export function fail(what, why) {
  say(why === undefined ? what : `${what}: ${why}`);
  process.exit(1);
}
