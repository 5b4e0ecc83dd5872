/** What a verdict of the verifier means, beyond its words. */
export interface Advice {
  /** The kernel lacks something, or forbids it: no mistake of the program. */
  readonly unsupported: boolean;
  /** Plainer words than the verifier's. */
  readonly reason?: string;
  /** What to do about it. */
  readonly hint: string;
  /** The kernel's own explanation and suggestion mislead in this case. */
  readonly overrides: boolean;
  /** It is refused only to those who lack a capability. */
  readonly permission: boolean;
}

interface Rule {
  readonly pattern: RegExp;
  readonly hint: string;
  readonly unsupported?: true;
  readonly overrides?: true;
  readonly permission?: true;
  readonly reason?: (groups: Readonly<Record<string, string>>) => string;
}

const newerKernel = 'use a newer kernel, or leave out what needs it';

// The first that matches counts. Loaders put calls of functions that cannot exist where something is missing, with
// 195896080 (0xbad2310) for type information, 200100... for maps and 2002... for kernel functions.
const rules: readonly Rule[] = [
  {
    pattern: /failed to resolve CO-RE relocation <enumval_\w+> \[\d+\] (?<type>.+)::(?<name>\w+)/,
    unsupported: true,
    reason: ({ type = '', name = '' }) => `the kernel has no ${withoutFlavor(type)} with a value ${name}`,
    hint: 'ask with bpf_core_enum_value_exists() first, or use a kernel that has it',
  },
  {
    pattern:
      /failed to resolve CO-RE relocation <\w+> \[\d+\] (?<type>(?:\w+ )?(?:<anon>|\w+))\.(?<field>[\w.[\]<>]+)(?: |$)/,
    unsupported: true,
    reason: ({ type = '', field = '' }) => `the kernel has no ${withoutFlavor(type)} with a field ${field}`,
    hint: 'ask with bpf_core_field_exists() first, or use a kernel that has it',
  },
  {
    pattern: /failed to resolve CO-RE relocation <\w+> \[\d+\] (?<type>(?:\w+ )?\w+)/,
    unsupported: true,
    reason: ({ type = '' }) => `the kernel has no ${withoutFlavor(type)} like the program's`,
    hint: 'ask with bpf_core_type_exists() first, or use a kernel that has it',
  },
  {
    pattern: /invalid func unknown#195896080/,
    unsupported: true,
    reason: () => 'the kernel does not have a type, field or value that the program needs',
    hint: 'ask with bpf_core_field_exists() and its kin first, or use a kernel that has it',
  },
  {
    pattern: /^BPF map '(?<map>[^']+)' is referenced but wasn't created/,
    reason: ({ map = '' }) => `it uses the map ${map}, which was not created`,
    hint: 'create the map, or leave out the programs that use it',
  },
  {
    pattern: /invalid func unknown#200100\d{4}\b/,
    reason: () => 'it uses a map that was not created',
    hint: 'create the map, or leave out the programs that use it',
  },
  {
    pattern: /^kfunc '(?<name>[^']+)' is referenced but wasn't resolved/,
    unsupported: true,
    reason: ({ name = '' }) => `the kernel has no function ${name} for programs`,
    hint: 'ask with bpf_ksym_exists() first, or use a kernel that has it',
  },
  {
    pattern: /invalid func unknown#2002\d{6}\b|BPF_CALL uses reserved fields/,
    unsupported: true,
    reason: () => 'the kernel does not have a function that the program calls',
    hint: 'ask with bpf_ksym_exists() first, or use a kernel that has it',
  },
  {
    // Loaders fall back to the old bpf_probe_read when they find the newer helpers missing, as they are in this mode.
    pattern: /(?:unknown func|cannot use helper) bpf_probe_read\w*#/,
    unsupported: true,
    overrides: true,
    reason: () => 'the kernel does not let programs read its memory',
    hint: 'the kernel is probably locked down: /sys/kernel/security/lockdown must not say [confidentiality]',
  },
  {
    pattern: /(?:unknown func|cannot use helper) (?<name>\w+)#/,
    unsupported: true,
    reason: ({ name = '' }) => `programs of this type may not call ${name} on this kernel`,
    hint: newerKernel,
  },
  {
    pattern: /invalid func unknown#(?<id>\d+)/,
    unsupported: true,
    reason: ({ id = '' }) => `the kernel has no helper function number ${id}`,
    hint: newerKernel,
  },
  {
    pattern: /calling kernel function (?<name>\w+) is not allowed/,
    unsupported: true,
    reason: ({ name = '' }) => `programs of this type may not call the kernel function ${name}`,
    hint: newerKernel,
  },
  {
    pattern: /^(?<name>\w+) is not sleepable/,
    unsupported: true,
    reason: ({ name = '' }) => `programs that sleep cannot be attached to ${name}`,
    hint: 'attach it without .s in the section name, or to another function',
  },
  {
    pattern: /JIT (?:does not|doesn't) support/,
    unsupported: true,
    hint: 'enable the JIT compiler (net.core.bpf_jit_enable=1), or use a newer kernel',
  },
  {
    pattern: /leaks addr|pointer comparison prohibited|prohibited for !root|\bCAP_(?:BPF|PERFMON|SYS_ADMIN)\b/,
    permission: true,
    hint: 'load it with CAP_BPF and CAP_PERFMON, or as root',
  },
  {
    pattern: /invalid mem access '\w*_or_null'/,
    hint: 'compare the pointer with NULL before it is used',
  },
  {
    pattern: /invalid mem access '(?:inv|scalar)'/,
    hint: 'read kernel memory with bpf_probe_read_kernel() or BPF_CORE_READ(), and nothing after it was released',
  },
  {
    pattern: /access to packet|outside of the packet/,
    hint: 'compare with data_end before the packet is read',
  },
  {
    pattern: /is not a known constant|is not a const\b|unbounded size/,
    hint: 'use a size that is constant',
  },
  {
    pattern:
      /unbounded|outside of the allowed memory range|min value is (?:negative|outside)|invalid access to map value/,
    hint: 'bound the index or size before: compare it with the limit, or mask it with a constant',
  },
  {
    pattern: /combined stack size|stack depth|the call stack of \d+ frames/,
    hint: 'keep large variables in an array map with one value per CPU: a stack has 512 bytes',
  },
  {
    pattern: /invalid (?:indirect )?(?:read|access) (?:from|to) stack.* off -?\d+\+\d+ size/,
    hint: 'set every byte of the variable before it is read',
  },
  {
    pattern: /invalid .*\bstack\b/,
    hint: 'stay inside of the variable: bound the index with a comparison or a mask',
  },
  {
    pattern: /!read_ok/,
    hint: 'give the value on every path that leads here',
  },
  {
    pattern: /invalid bpf_context access/,
    hint: "read only what the context of this program's type has on this kernel",
  },
  {
    pattern: /access beyond struct/,
    hint: 'read fields by name, with types that match the kernel',
  },
  {
    pattern: /Unreleased reference|reference leak/,
    hint: 'release on every path what was acquired: submit or discard each record of a ring buffer',
  },
  {
    pattern: /must have zero offset when passed to release func|dereference of modified \w+ ptr/,
    hint: 'pass the pointer as it was returned, not one into the middle',
  },
  {
    pattern: /infinite loop|back-edge/,
    hint: 'give the loop a bound that is constant',
  },
  {
    pattern: /too large\. Processed|is too complex|too many (?:states|jumps)/i,
    hint: 'make loops shorter and branches fewer, or split the program',
  },
  {
    pattern: /might sleep in a non-sleepable|sleepable helper .* in non-sleepable/,
    hint: 'call it from a program that may sleep (.s in the section name), or use a helper that does not sleep',
  },
  {
    pattern: /GPL-restricted|non-GPL compatible/,
    hint: 'declare a license that the kernel takes as compatible: SEC("license") = "GPL" or "Dual BSD/GPL"',
  },
  {
    pattern: /last insn is not an exit|unreachable insn|jump out of range|fall through/,
    hint: 'look for undefined behaviour in the C code: the compiler leaves out what comes after it',
  },
  {
    pattern: /At program exit the register R0|R0 .* should have been in/,
    hint: 'return a value that programs of this type may return',
  },
  {
    pattern: /write into map forbidden/,
    hint: 'only variables that are not const can be written',
  },
  {
    pattern: /bpf_spin_unlock is missing|bpf_spin_lock-ed region|while holding a lock/,
    hint: 'release the lock on every path, and call nothing while it is held',
  },
  {
    pattern: /cannot pass map_type/,
    hint: 'use a map of a type that this helper works on',
  },
  {
    pattern: /R\d+ type=\S+ expected=/,
    hint: 'pass what the helper expects as this argument',
  },
  {
    pattern: /pointer arithmetic|on pointer prohibited|math between/,
    hint: 'calculate with a number and add it to the pointer last, within bounds that were compared before',
  },
  {
    pattern: /^Arg#\d+ type \w+ in \w+\(\) is not supported/,
    hint: 'make the function static, or inline it: this kernel takes no such argument of a global one',
  },
];

/** What the terse words of a verdict mean; undefined for those that say it all. */
export function adviseOn(complaint: string): Advice | undefined {
  for (const { pattern, hint, unsupported = false, overrides = false, permission = false, reason } of rules) {
    const found = pattern.exec(complaint);
    if (found !== null) {
      return { unsupported, overrides, permission, hint, ...(reason && { reason: reason(found.groups ?? {}) }) };
    }
  }
  return undefined;
}

/** `struct task_struct` for `struct task_struct___old`: what follows three underscores is no part of the kernel's name. */
function withoutFlavor(type: string): string {
  return type.replace(/(\w)___\w+$/, '$1');
}
