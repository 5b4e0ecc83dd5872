/** The names of bits, joined: 'FIN|ACK|0x100'. What has several bits comes before what is one of them. */
export function flagNames(names: readonly (readonly [number, string])[], value: number): string {
  let rest = value;
  const found: string[] = [];
  for (const [bit, name] of names) {
    if ((rest & bit) === bit) {
      found.push(name);
      rest &= ~bit;
    }
  }
  if (rest !== 0 || found.length === 0) {
    found.push(`0x${(rest >>> 0).toString(16)}`);
  }
  return found.join('|');
}
