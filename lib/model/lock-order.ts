/** Somebody wanted a lock while holding another one. */
export interface LockEdge {
  readonly pid: number;
  readonly held: string;
  readonly wanted: string;
}

/** In which order locks are taken, as far as it was seen, and where orders contradict each other. */
export class LockOrder<E extends LockEdge> {
  /** Edges by what is held, and then by what was wanted. */
  readonly #edges = new Map<string, Map<string, E>>();

  /**
   * Adds an edge. @returns the shortest cycle that it closes, beginning with it: each wants what the next one holds;
   * undefined when there is none, or the edge is known
   */
  add(edge: E): E[] | undefined {
    const from = keyOf(edge.pid, edge.held);
    const to = keyOf(edge.pid, edge.wanted);
    const known = this.#edges.get(from) ?? new Map<string, E>();
    if (known.has(to)) {
      return undefined;
    }
    const path = this.#path(to, from);
    known.set(to, edge);
    this.#edges.set(from, known);
    return path && [edge, ...path];
  }

  /** Forgets a lock that is no more: another one may get its place. @returns its edges */
  forget(pid: number, lock: string): E[] {
    const key = keyOf(pid, lock);
    const gone = [...(this.#edges.get(key)?.values() ?? [])];
    this.#edges.delete(key);
    for (const wanted of this.#edges.values()) {
      const edge = wanted.get(key);
      if (edge !== undefined) {
        gone.push(edge);
        wanted.delete(key);
      }
    }
    return gone;
  }

  /** Breadth first; undefined when there is no way. */
  #path(from: string, to: string): E[] | undefined {
    const reached = new Map<string, readonly E[]>([[from, []]]);
    for (const [place, way] of reached) {
      for (const [next, edge] of this.#edges.get(place) ?? []) {
        if (next === to) {
          return [...way, edge];
        }
        if (!reached.has(next)) {
          reached.set(next, [...way, edge]);
        }
      }
    }
    return undefined;
  }
}

function keyOf(pid: number, lock: string): string {
  return `${pid} ${lock}`;
}
