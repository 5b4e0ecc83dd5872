import { BpfObject, probeFeature } from '../../lib/index.ts';
import { kernelAddresses, kernelFunctions } from '../../lib/probes/kernel-functions.ts';
import { fixtureObject } from '../helpers/fixture-object.ts';
import type { Target } from './report.ts';

/** How long it takes to hook many functions of the kernel at once, in milliseconds. */
export interface ManyFunctions {
  readonly functions: number;
  /** To find out where they begin. */
  readonly found: number;
  readonly attached: number;
  readonly detached: number;
  readonly problem?: string;
}

/** Attaches a program that does nothing by kprobe.multi to so many functions, those of file systems and networks first. */
export function manyFunctions(count: number): ManyFunctions {
  const { supported, reason } = probeFeature('kprobe_multi');
  if (supported !== true) {
    return { functions: count, found: 0, attached: 0, detached: 0, problem: reason };
  }
  const start = performance.now();
  const all = kernelFunctions((name) =>
    /^(vfs|ext4|xfs|btrfs|nfs|tcp|udp|ip|ip6|sk|inet|net|dev|usb|drm|scsi)_/.test(name),
  );
  const { addresses = new BigUint64Array() } = kernelAddresses(all.functions) ?? {};
  const chosen = addresses.slice(0, count);
  const known = performance.now();
  using object = BpfObject.open(fixtureObject('probes'));
  for (const program of object.programs.values()) {
    program.autoload = program.name === 'on_kprobe_multi';
  }
  object.load();
  const loaded = performance.now();
  object.program('on_kprobe_multi').attachKprobeAddresses(chosen);
  const attached = performance.now();
  object.detach();
  return {
    functions: chosen.length,
    found: known - start,
    attached: attached - loaded,
    detached: performance.now() - attached,
  };
}

export function manyFunctionsTargets({ functions, found, attached, problem }: ManyFunctions): Target[] {
  const value = problem === undefined ? (found + attached) / 1000 : undefined;
  return [{ what: `seconds to find and hook ${functions} functions`, value, limit: 3 }];
}
