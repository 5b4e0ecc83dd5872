import { probeFeature } from '../../lib/bpf/features.ts';

/** Why functions of the kernel cannot be traced here, or false. */
export function noTracedFunctions(): string | false {
  const answers = [probeFeature('fexit'), probeFeature('kprobe')];
  return answers.some(({ supported }) => supported !== false) ? false : answers.map(({ reason }) => reason).join('; ');
}
