import type { Btf } from '../bpf/btf.ts';
import { functionsReturning } from '../bpf/functions-returning.ts';
import { once } from '../model/once.ts';

/** Hooks whose function is not called as they are. */
const otherNames: Readonly<Record<string, string>> = {
  bprm_check_security: 'bprm_check',
  settime: 'settime64',
  socket_sock_rcv_skb: 'sock_rcv_skb',
  userns_create: 'create_user_ns',
  vm_enough_memory: 'vm_enough_memory_mm',
};

/**
 * Hooks of the security modules that decide something, by the function of the kernel that asks all modules. Empty for
 * a kernel that was built without BPF as a security module, which is what says which functions are hooks.
 */
export const securityHooks: (btf: Btf) => ReadonlyMap<string, string> = once(hooksIn);

function hooksIn(btf: Btf): ReadonlyMap<string, string> {
  const functions = functionsReturning(btf, 'int', (name) => /^(bpf_lsm|security)_/.test(name));
  const hooks = [...functions].filter((name) => name.startsWith('bpf_lsm_')).map((name) => name.slice(8));
  return new Map(
    hooks
      .map((hook): [string, string] => [`security_${otherNames[hook] ?? hook}`, hook])
      .filter(([name]) => functions.has(name)),
  );
}
