import { BpfObject, probeFeature } from '../../lib/index.ts';
import { kernelAddresses, kernelFunctions } from '../../lib/probes/kernel-functions.ts';
import { fixtureObject } from '../helpers/fixture-object.ts';
import type { Target } from './report.ts';

const ONE_BY_ONE = 30;

/** How long it takes to hook many functions of the kernel at once, in milliseconds. */
export interface ManyFunctions {
  readonly functions: number;
  /** To find out where they begin. */
  readonly found: number;
  readonly attached: number;
  readonly detached: number;
  /** To hook one by itself, and to let it go again. */
  readonly single: number;
  readonly problem?: string;
}

/** Attaches a program that does nothing by kprobe.multi to so many functions, those of file systems and networks first. */
export function manyFunctions(count: number): ManyFunctions {
  const { supported, reason } = probeFeature('kprobe_multi');
  if (supported !== true) {
    return { functions: count, found: 0, attached: 0, detached: 0, single: 0, problem: reason };
  }
  const start = performance.now();
  const all = kernelFunctions((name) =>
    /^(vfs|ext4|xfs|btrfs|nfs|tcp|udp|ip|ip6|sk|inet|net|dev|usb|drm|scsi)_/.test(name),
  );
  const { addresses = new BigUint64Array() } = kernelAddresses(all.functions) ?? {};
  const chosen = addresses.slice(0, count);
  const known = performance.now();
  using object = loadedProgram('on_kprobe_multi');
  const loaded = performance.now();
  object.program('on_kprobe_multi').attachKprobeAddresses(chosen);
  const attached = performance.now();
  object.detach();
  const detached = performance.now();
  return {
    functions: chosen.length,
    found: known - start,
    attached: attached - loaded,
    detached: detached - attached,
    single: oneByOne(all.functions.slice(0, ONE_BY_ONE)),
  };
}

function oneByOne(functions: readonly string[]): number {
  using object = loadedProgram('on_kprobe');
  const start = performance.now();
  for (const name of functions) {
    object.program('on_kprobe').attachKprobe(name);
  }
  object.detach();
  return (performance.now() - start) / functions.length;
}

function loadedProgram(name: string): BpfObject {
  const object = BpfObject.open(fixtureObject('probes'));
  for (const program of object.programs.values()) {
    program.autoload = program.name === name;
  }
  object.load();
  return object;
}

export function manyFunctionsTargets(many: ManyFunctions): Target[] {
  const { functions, found, attached, detached, single, problem } = many;
  const of = (value: number) => (problem === undefined ? value : undefined);
  return [
    { what: `seconds to find and hook ${functions} functions`, value: of((found + attached) / 1000), limit: 3 },
    {
      what: 'time to hook them and let them go, of that one by one',
      value: of((attached + detached) / (single * functions)),
      limit: 0.02,
    },
  ];
}
