import type { Btf } from '../../lib/bpf/btf.ts';

/** The kernel's own variables, whose types are the kernel's. */
const EXTERNAL = new Set(['.ksyms', '.kconfig']);

/**
 * Ids of the structures and unions that an object lays out itself: those in its variables and in the keys, values and
 * records of its maps, with all that is inside them. What they point to is not among them.
 */
export function heldTypes(btf: Btf): ReadonlySet<number> {
  const held = new Set<number>();
  const hold = (id: number): void => {
    const type = btf.resolve(id);
    if (type.kind === 'array') hold(type.element);
    if ((type.kind !== 'struct' && type.kind !== 'union') || held.has(type.id)) return;
    held.add(type.id);
    for (const member of type.members) hold(member.type);
  };
  const holdPointed = (id: number): void => {
    const pointer = btf.resolve(id);
    if (pointer.kind === 'ptr') hold(pointer.type);
  };
  for (const id of btf.idsOfKind('datasec')) {
    const section = btf.type(id);
    if (section.kind !== 'datasec' || EXTERNAL.has(section.name)) continue;
    for (const { type } of section.variables) {
      const variable = btf.type(type);
      if (variable.kind !== 'var') continue;
      const declared = btf.resolve(variable.type);
      if (section.name === '.types') {
        holdPointed(variable.type);
      } else if (section.name === '.maps' && declared.kind === 'struct') {
        for (const { name, type: pointer } of declared.members) {
          if (name === 'key' || name === 'value') holdPointed(pointer);
        }
      } else {
        hold(variable.type);
      }
    }
  }
  return held;
}
