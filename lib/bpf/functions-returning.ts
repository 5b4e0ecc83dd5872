import type { Btf } from './btf.ts';

/** Functions of the kernel that return a type, by its name, 'int', and whose own names match: all are tens of thousands. */
export function functionsReturning(btf: Btf, type: string, matches: (name: string) => boolean): ReadonlySet<string> {
  const found = new Set<string>();
  for (const id of btf.idsOfKind('func')) {
    const name = btf.name(id);
    if (matches(name) && returns(btf, id, type)) {
      found.add(name);
    }
  }
  return found;
}

function returns(btf: Btf, id: number, type: string): boolean {
  const one = btf.type(id);
  const prototype = one.kind === 'func' ? btf.resolve(one.type) : undefined;
  return prototype?.kind === 'func_proto' && btf.resolve(prototype.returns).name === type;
}
