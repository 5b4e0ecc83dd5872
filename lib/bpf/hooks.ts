import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { cgroupMounts } from '../system/cgroups.ts';
import { isConfidential, lockedDown } from '../system/lockdown.ts';
import { type Feature, type FeatureAnswer, probeFeature } from './features.ts';
import { hookType } from './hook-type.ts';
import { KERNEL_BTF, kernelBtf } from './kernel-btf.ts';
import { hasKernelSymbol } from './kernel-symbols.ts';
import { ATTACH } from './program-types.ts';
import { hasTracepoint, tracefsIsHidden } from './tracefs.ts';

/** Where a program belongs, as its section name says it. */
export interface Hook {
  /** 'tp_btf', 'tracepoint', 'raw_tp', 'fentry', 'kretprobe', 'uprobe' …: short forms are written out. */
  readonly kind: string;
  /** What comes after the first slash; empty when there is nothing. */
  readonly target: string;
}

const longNames: Record<string, string> = {
  tp: 'tracepoint',
  raw_tracepoint: 'raw_tp',
  'kprobe.multi': 'kprobe_multi',
  'kretprobe.multi': 'kprobe_multi',
  'uprobe.multi': 'uprobe_multi',
  'uretprobe.multi': 'uprobe_multi',
};

export function parseSection(section: string): Hook {
  const slash = section.indexOf('/');
  const kind = (slash < 0 ? section : section.slice(0, slash)).replace(/^\?/, '').replace(/\.s$/, '');
  return { kind: longNames[kind] ?? kind, target: slash < 0 ? '' : section.slice(slash + 1) };
}

/** Sections of programs that nobody loads without CAP_NET_ADMIN. */
const ofNetwork = /^(cgroup\/|xdp|tcx?\b|classifier|sk_|sockops|lwt)/;

/** Whether it takes CAP_NET_ADMIN to load the program of a section. */
export function loadedByNetworkAdmin(section: string): boolean {
  return ofNetwork.test(section);
}

/** Whether it takes CAP_NET_ADMIN to load or to attach the program of a section: who may load is not always enough. */
export function attachedByNetworkAdmin(section: string): boolean {
  return loadedByNetworkAdmin(section) || section.startsWith('cgroup_skb/');
}

const yes: FeatureAnswer = { supported: true, reason: '' };

/**
 * Whether the running kernel has the hook of a section, found out by asking tracefs, BTF, the kernel's symbols and by
 * trying the kind of program: never by the kernel's version. 'Yes' for kinds whose target is not part of the section.
 */
export function canAttach(section: string): FeatureAnswer {
  const { kind, target } = parseSection(section);
  switch (kind) {
    case 'tracepoint': {
      const [category = '', name = ''] = target.split('/');
      if (tracefsIsHidden()) {
        return { supported: false, reason: `it is ${lockedDown}, and hides its tracepoints` };
      }
      return name === '' || hasTracepoint(category, name)
        ? yes
        : { supported: false, reason: `the kernel has no tracepoint ${category}:${name}` };
    }
    case 'raw_tp':
      // Without BTF nobody can tell, and attaching will.
      return existsSync(KERNEL_BTF) ? inBtf(target, ATTACH.RAW_TP, `raw tracepoint ${target}`) : yes;
    case 'tp_btf':
      return inBtf(target, ATTACH.RAW_TP, `tracepoint ${target}`);
    case 'fentry':
    case 'fexit':
    case 'fmod_ret':
      return both(kind === 'fentry' ? 'fentry' : 'fexit', () => inBtf(target, ATTACH.FENTRY, `function ${target}`));
    case 'lsm':
      return both('lsm', () => inBtf(target, ATTACH.LSM, `LSM hook ${target}`));
    case 'iter':
      return both('iter', () => inBtf(target, ATTACH.ITER, `iterator ${target}`));
    case 'kprobe':
    case 'kretprobe':
      if (isConfidential()) {
        return { supported: false, reason: `it is ${lockedDown}, and forbids kprobes` };
      }
      return both('kprobe', () =>
        target === '' || hasKernelSymbol(target.replace(/\+.*/, ''))
          ? yes
          : { supported: false, reason: `the kernel has no function ${target}` },
      );
    case 'cgroup':
    case 'cgroup_skb':
      return cgroupMounts().length > 0 ? yes : { supported: false, reason: 'cgroup v2 is not mounted' };
    case 'kprobe_multi':
    case 'uprobe_multi':
      return probeFeature(kind);
    default:
      return yes;
  }
}

function both(feature: Feature, target: () => FeatureAnswer): FeatureAnswer {
  const answer = probeFeature(feature);
  return answer.supported === false ? answer : target();
}

function inBtf(name: string, attachType: number, what: string): FeatureAnswer {
  if (!existsSync(KERNEL_BTF)) {
    return { supported: false, reason: 'the kernel has no BTF' };
  }
  return name === '' || hookType(name, attachType) !== undefined || (attachType === ATTACH.FENTRY && inModules(name))
    ? yes
    : { supported: false, reason: `the kernel has no ${what}` };
}

/** For `attach.lacks`: what is missing where neither the kernel nor one of its modules tells the layout of a structure. */
export function lacksStructure(name: string): () => string | undefined {
  return () =>
    !existsSync(KERNEL_BTF) || kernelBtf().findByName(name, 'struct') !== undefined || inModules(name)
      ? undefined
      : `the kernel does not tell what a struct ${name} is`;
}

/** Whether the BTF of a module has the name; that it is a function's is left to whoever attaches to it. */
function inModules(name: string): boolean {
  const folder = dirname(KERNEL_BTF);
  const wanted = `\0${name}\0`;
  return readdirSync(folder).some(
    (file) => file !== basename(KERNEL_BTF) && readFileSync(join(folder, file)).includes(wanted),
  );
}
