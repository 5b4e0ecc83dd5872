import type { Btf } from './btf.ts';

/** How many arguments the kernel's tracepoint has; undefined when there is none of this name. */
export function tracepointArguments(btf: Btf, name: string): number | undefined {
  const typedef = btf.findByName(`btf_trace_${name}`, 'typedef');
  const pointer = typedef === undefined ? undefined : btf.resolve(typedef.id);
  const prototype = pointer?.kind === 'ptr' ? btf.resolve(pointer.type) : undefined;
  // The first parameter is the kernel's own.
  return prototype?.kind === 'func_proto' ? prototype.parameters.length - 1 : undefined;
}
