/** What `of` says of each, and which tools say so, the most usual first. */
export function told<U extends { readonly tool: string }, T>(uses: readonly U[], of: (use: U) => T): [T, string[]][] {
  const found = new Map<T, string[]>();
  for (const use of uses) {
    const said = of(use);
    found.set(said, [...(found.get(said) ?? []), use.tool]);
  }
  return [...found].sort(([, a], [, b]) => b.length - a.length);
}
