import { kernelBtf } from '../bpf/kernel-btf.ts';
import { enumIn } from '../bpf/kernel-enum.ts';
import type { BpfProgram } from '../bpf/program.ts';
import { once } from '../model/once.ts';
import { attachKprobes, attachMulti } from './probe-points.ts';

/**
 * How to attach the programs of RETURN_POINTS (bpf/include/call-points.h) to where functions of the kernel return, for
 * `attach`: to all in one step where the kernel can do that, or else one by one.
 */
export function atKernelReturns<V extends object>(functions: (values: V) => readonly string[]) {
  // Looked for once in each run.
  const functionsOf = once(functions);
  return {
    either: [['returned__multi'], ['returned__kprobe', 'called__kprobe']] as const,
    by: {
      returned__multi: (program: BpfProgram, values: V) => {
        attachMulti(program, functionsOf(values), { return: true });
      },
      returned__kprobe: (program: BpfProgram, values: V) => {
        attachKprobes(program, functionsOf(values), { return: true });
      },
      // Only for kernels on which the return does not know of which function.
      called__kprobe: (program: BpfProgram, values: V) => {
        if (!returnsAreNamed()) {
          attachKprobes(program, functionsOf(values));
        }
      },
    },
  };
}

function returnsAreNamed(): boolean {
  return [...enumIn(kernelBtf(), { tag: ['bpf_func_id'] }).values()].includes('BPF_FUNC_get_func_ip');
}
