import type { Btf } from './btf.ts';

/** Arguments that are in registers on every architecture. */
const REGISTERS = 5;

/**
 * Functions of the kernel that take a pointer to a structure, with the number of the first such argument, from 1; those
 * that have it beyond the fifth are left out, and names of several functions of which not all have it at the same place.
 */
export function functionsTaking(btf: Btf, structure: string): ReadonlyMap<string, number> {
  const pointers = new Map<number, boolean>();
  const isPointer = (id: number): boolean => {
    let known = pointers.get(id);
    if (known === undefined) {
      const type = btf.resolve(id);
      const target = type.kind === 'ptr' ? btf.resolve(type.type) : undefined;
      known = target?.kind === 'struct' && target.name === structure;
      pointers.set(id, known);
    }
    return known;
  };
  const found = new Map<string, number>();
  for (let id = btf.firstId; id < btf.endId; id++) {
    if (btf.kind(id) !== 'func') {
      continue;
    }
    const type = btf.type(id);
    const prototype = type.kind === 'func' ? btf.resolve(type.type) : undefined;
    const at =
      prototype?.kind === 'func_proto'
        ? prototype.parameters.slice(0, REGISTERS).findIndex((parameter) => isPointer(parameter.type))
        : -1;
    found.set(type.name, at === (found.get(type.name) ?? at) ? at : -1);
  }
  return new Map([...found].filter(([, at]) => at >= 0).map(([name, at]) => [name, at + 1]));
}
