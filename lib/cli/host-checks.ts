import { LOCKDOWN, lockdownMode } from '../system/lockdown.ts';

/** How one thing about this machine is: `bad` keeps tools from running, `poor` takes something away from them. */
export type State = 'good' | 'poor' | 'bad';

export interface Check {
  readonly name: string;
  readonly state: State;
  /** What was found. */
  readonly found: string;
  /** What it means and what to do, for anything but `good`. */
  readonly remedy?: string;
}

/** What the checks look at; every reader answers undefined for what is not there. */
export interface HostFacts {
  readonly nodeVersion: string;
  readonly kernelRelease: string;
  /** What helps somebody who may not trace. */
  readonly permissionHint: string;
  read(path: string): string | undefined;
  exists(path: string): boolean;
}

/** Everything that /proc and /sys say about whether tracing can work here. */
export function checkHost(facts: HostFacts): Check[] {
  return [
    node(facts),
    kernel(facts),
    capabilities(facts),
    btf(facts),
    tracefs(facts),
    lockdown(facts),
    kernelPointers(facts),
    perfEvents(facts),
    unprivilegedBpf(facts),
    lockedMemory(facts),
    cgroups(facts),
  ];
}

function good(name: string, found: string): Check {
  return { name, state: 'good', found };
}

/** Whether dotted version `a` is at least `b`. */
function atLeast(a: string, b: string): boolean {
  const numbers = (text: string) => text.replace(/^v/, '').split(/[.-]/).map(Number);
  const [left, right] = [numbers(a), numbers(b)];
  for (const [i, want] of right.entries()) {
    const have = left[i] ?? 0;
    if (have !== want) {
      return have > want;
    }
  }
  return true;
}

function node({ nodeVersion }: HostFacts): Check {
  return atLeast(nodeVersion, '20.19')
    ? good('node', nodeVersion)
    : { name: 'node', state: 'bad', found: nodeVersion, remedy: 'install Node.js 20.19 or newer' };
}

function kernel({ kernelRelease }: HostFacts): Check {
  // Features decide what runs; this only tells people with an old kernel why so much is missing.
  return atLeast(kernelRelease, '5.10')
    ? good('kernel', kernelRelease)
    : { name: 'kernel', state: 'poor', found: kernelRelease, remedy: 'kernels before 5.10 are not supported' };
}

const needed = { CAP_SYS_ADMIN: 21, CAP_PERFMON: 38, CAP_BPF: 39 } as const;

function capabilities({ permissionHint, read }: HostFacts): Check {
  const name = 'capabilities';
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(read('/proc/self/status') ?? '')?.[1];
  if (effective === undefined) {
    return { name, state: 'poor', found: 'unknown: /proc/self/status cannot be read', remedy: 'mount /proc' };
  }
  const has = (bit: number) => ((BigInt(`0x${effective}`) >> BigInt(bit)) & 1n) === 1n;
  const held = Object.entries(needed).filter(([, bit]) => has(bit));
  const found =
    held.length === 0 ? 'none of those that tracing needs' : held.map(([capability]) => capability).join(' ');
  if (has(needed.CAP_SYS_ADMIN) || (has(needed.CAP_BPF) && has(needed.CAP_PERFMON))) {
    return good(name, found);
  }
  return { name, state: 'bad', found, remedy: permissionHint };
}

function btf({ exists }: HostFacts): Check {
  const path = '/sys/kernel/btf/vmlinux';
  return exists(path)
    ? good('BTF', path)
    : {
        name: 'BTF',
        state: 'bad',
        found: `${path} is missing`,
        remedy: 'boot a kernel built with CONFIG_DEBUG_INFO_BTF, or give its BTF with --btf FILE',
      };
}

function tracefs({ exists }: HostFacts): Check {
  const places = ['/sys/kernel/tracing', '/sys/kernel/debug/tracing'];
  const place = places.find((path) => exists(`${path}/events`));
  return place === undefined
    ? {
        name: 'tracefs',
        state: 'poor',
        found: 'not mounted, or not readable',
        remedy: 'tools mount it for themselves if they may; for all: mount -t tracefs tracefs /sys/kernel/tracing',
      }
    : good('tracefs', place);
}

function lockdown({ read }: HostFacts): Check {
  const mode = lockdownMode(read(LOCKDOWN));
  return mode === 'confidentiality'
    ? {
        name: 'lockdown',
        state: 'bad',
        found: mode,
        remedy: 'BPF may not read the kernel in this mode: boot with lockdown=integrity or without secure boot',
      }
    : good('lockdown', mode);
}

function setting({ read }: HostFacts, path: string): number | undefined {
  const text = read(`/proc/sys/${path}`)?.trim() ?? '';
  return /^-?\d+$/.test(text) ? Number(text) : undefined;
}

function kernelPointers(facts: HostFacts): Check {
  const value = setting(facts, 'kernel/kptr_restrict');
  return value === 2
    ? {
        name: 'kptr_restrict',
        state: 'poor',
        found: '2: kernel symbols are hidden from everybody',
        remedy: 'sysctl kernel.kptr_restrict=1',
      }
    : good('kptr_restrict', String(value ?? 'absent'));
}

function perfEvents(facts: HostFacts): Check {
  const value = setting(facts, 'kernel/perf_event_paranoid');
  // Only distributions' kernels know such values.
  const found = value === undefined ? 'absent' : `${value}${value > 2 ? ': tracepoints need CAP_SYS_ADMIN' : ''}`;
  return good('perf_event_paranoid', found);
}

function unprivilegedBpf(facts: HostFacts): Check {
  const value = setting(facts, 'kernel/unprivileged_bpf_disabled');
  return good('unprivileged_bpf_disabled', String(value ?? 'absent'));
}

function lockedMemory({ read, kernelRelease }: HostFacts): Check {
  const name = 'locked memory';
  const limit = /^Max locked memory\s+(\S+)/m.exec(read('/proc/self/limits') ?? '')?.[1];
  if (limit === undefined || limit === 'unlimited') {
    return good(name, limit ?? 'unknown');
  }
  const found = `${limit} bytes`;
  // From 5.11 on, BPF memory is accounted to the cgroup and this limit does not matter.
  return atLeast(kernelRelease, '5.11') || Number(limit) >= 2 ** 26
    ? good(name, found)
    : { name, state: 'poor', found, remedy: 'ulimit -l unlimited' };
}

function cgroups({ read }: HostFacts): Check {
  const name = 'cgroup v2';
  for (const line of (read('/proc/self/mountinfo') ?? '').split('\n')) {
    const [left = '', right = ''] = line.split(' - ');
    if (right.startsWith('cgroup2 ')) {
      return good(name, left.split(' ')[4] ?? '');
    }
  }
  return {
    name,
    state: 'poor',
    found: 'not mounted',
    remedy: '--cgroup needs it: mount -t cgroup2 none /sys/fs/cgroup',
  };
}
