/** A word as a POSIX shell reads it back unchanged. */
export function quote(word: string): string {
  if (word.includes('\0')) throw new RangeError('an argument cannot hold a NUL byte');
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/** A script that changes to `cwd`, sets `env` and becomes the command. */
export function shellScript(argv: readonly string[], cwd = '/', env: Record<string, string> = {}): string {
  const exports = Object.entries(env).map(([name, value]) => {
    if (!/^[A-Za-z_]\w*$/.test(name)) throw new RangeError(`not a name for the environment: ${name}`);
    return `export ${name}=${quote(value)}\n`;
  });
  return `cd ${quote(cwd)} || exit 126\n${exports.join('')}exec ${argv.map(quote).join(' ')}\n`;
}
