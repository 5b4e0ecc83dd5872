import { closeSync, openSync, readSync } from 'node:fs';
import koffi from 'koffi';
import { BpfObject, type Feature, probeFeature } from '../../lib/index.ts';
import { fixtureObject } from '../helpers/fixture-object.ts';
import { ProbedLibrary } from '../helpers/probed-library.ts';

/** What a probe of some kind costs whoever runs into it, with a program that does nothing. */
export interface ProbeCost {
  readonly kind: string;
  /** Nanoseconds that a call takes without it. */
  readonly call: number;
  /** Nanoseconds that it takes longer; undefined where the kernel lacks the kind. */
  readonly added: number | undefined;
  readonly problem?: string;
}

type Calls = Readonly<Record<'systemCall' | 'read' | 'function', () => void>>;

interface Probe {
  readonly kind: string;
  readonly program: string;
  readonly feature: Feature;
  /** What runs into it. */
  readonly call: keyof Calls;
  readonly return?: boolean;
}

const probes: readonly Probe[] = [
  { kind: 'tracepoint of a system call', program: 'on_tracepoint', feature: 'tracepoint', call: 'systemCall' },
  { kind: 'raw tracepoint of all system calls', program: 'on_raw_tracepoint', feature: 'raw_tp', call: 'systemCall' },
  { kind: 'the same with BTF', program: 'on_tp_btf', feature: 'tp_btf', call: 'systemCall' },
  { kind: 'fentry', program: 'on_fentry', feature: 'fentry', call: 'read' },
  { kind: 'fexit', program: 'on_fexit', feature: 'fexit', call: 'read' },
  { kind: 'kprobe', program: 'on_kprobe', feature: 'kprobe', call: 'read' },
  { kind: 'kretprobe', program: 'on_kretprobe', feature: 'kprobe', call: 'read' },
  { kind: 'kprobe.multi', program: 'on_kprobe_multi', feature: 'kprobe_multi', call: 'read' },
  { kind: 'uprobe', program: 'on_uprobe', feature: 'uprobe', call: 'function' },
  { kind: 'uretprobe', program: 'on_uretprobe', feature: 'uprobe', call: 'function', return: true },
];

/** Measures every kind that this kernel has: the best of `rounds`, with `count` calls each. */
export function probeCosts(count: number, rounds: number): ProbeCost[] {
  using library = new ProbedLibrary();
  const zero = openSync('/dev/zero', 'r');
  const byte = new Uint8Array(1);
  const getppid = koffi.load(null).func('int getppid()');
  const calls: Calls = {
    systemCall: () => getppid(),
    read: () => readSync(zero, byte, 0, 1, null),
    function: () => library.answer(),
  };
  try {
    return probes.map((probe): ProbeCost => {
      const { kind } = probe;
      const act = calls[probe.call];
      const best = () => Math.min(...Array.from({ length: rounds }, () => perCall(act, count)));
      const call = best();
      const { supported, reason } = probeFeature(probe.feature);
      if (supported !== true) {
        return { kind, call, added: undefined, problem: reason };
      }
      using object = BpfObject.open(fixtureObject('probes'));
      for (const one of object.programs.values()) {
        one.autoload = one.name === probe.program;
      }
      object.load();
      const program = object.program(probe.program);
      if (probe.call === 'function') {
        program.attachUprobe({ file: library.path, symbol: 'answer', return: probe.return ?? false });
      } else {
        program.attach();
      }
      const traced = best();
      object.detach();
      // Whatever else changed meanwhile, the machine did not become faster.
      return { kind, call, added: traced - Math.min(call, best()) };
    });
  } finally {
    closeSync(zero);
  }
}

/** Nanoseconds for each call. */
function perCall(act: () => void, count: number): number {
  const start = process.hrtime.bigint();
  for (let i = 0; i < count; i++) {
    act();
  }
  return Number(process.hrtime.bigint() - start) / count;
}
