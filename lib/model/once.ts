/**
 * A function that makes its result once for each object, and keeps it as long as that is there.
 * @param keyOf the object, where it is not what is given
 */
export function once<G, V>(make: (given: G) => V, keyOf = (given: G): object => given as object): (given: G) => V {
  const made = new WeakMap<object, { readonly value: V }>();
  return (given) => {
    const key = keyOf(given);
    let known = made.get(key);
    if (known === undefined) {
      known = { value: make(given) };
      made.set(key, known);
    }
    return known.value;
  };
}
