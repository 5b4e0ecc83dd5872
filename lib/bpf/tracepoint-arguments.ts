import type { Btf } from './btf.ts';

/** How many arguments the kernel's tracepoint has; undefined when there is none of this name. */
export function tracepointArguments(btf: Btf, name: string): number | undefined {
  const typedef = btf.findByName(`btf_trace_${name}`, 'typedef');
  const pointer = typedef === undefined ? undefined : btf.resolve(typedef.id);
  const prototype = pointer?.kind === 'ptr' ? btf.resolve(pointer.type) : undefined;
  // The first parameter is the kernel's own.
  return prototype?.kind === 'func_proto' ? prototype.parameters.length - 1 : undefined;
}

/** The same of the kernel's function of this name, where there is no such tracepoint. */
export function hookArguments(btf: Btf, name: string): number | undefined {
  const known = tracepointArguments(btf, name);
  const found = known === undefined ? btf.findByName(name, 'func') : undefined;
  const prototype = found === undefined ? undefined : btf.resolve(found.type);
  return prototype?.kind === 'func_proto' ? prototype.parameters.length : known;
}
