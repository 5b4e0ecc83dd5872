import { runningBtf } from './kernel-btf.ts';
import { ATTACH } from './program-types.ts';

/** What in BTF stands for the hooks of a type, where it is not the function itself. */
const named = new Map<number, { readonly prefix: string; readonly kind: 'func' | 'typedef' }>([
  [ATTACH.RAW_TP, { prefix: 'btf_trace_', kind: 'typedef' }],
  [ATTACH.LSM, { prefix: 'bpf_lsm_', kind: 'func' }],
  [ATTACH.ITER, { prefix: 'bpf_iter_', kind: 'func' }],
]);

/**
 * The id of the type that a hook of the running kernel is known by; undefined where the kernel itself, modules apart, has
 * no such hook. libbpf has a function for that, which reads all of the kernel's BTF again, in 12 ms.
 * @throws KscopeError failed when the BTF cannot be read
 */
export function hookType(name: string, attachType: number): number | undefined {
  const { prefix, kind } = named.get(attachType) ?? { prefix: '', kind: 'func' };
  return runningBtf().findByName(`${prefix}${name}`, kind)?.id;
}
