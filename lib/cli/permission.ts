import { accessSync, constants, readFileSync } from 'node:fs';
import { basename, delimiter, dirname } from 'node:path';
import { CAP, hasCapability } from '../system/capabilities.ts';

/** What sudo searches unless its configuration says otherwise. */
const sudoPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'.split(delimiter);

type Capability = 'BPF' | 'PERFMON' | 'SYS_ADMIN';

/** How the process was started, and what the machine around it is like. */
export interface Surroundings {
  /** The effective user. */
  readonly uid: number;
  /** Node itself. */
  readonly node: string;
  /** The script, as it was called. */
  readonly script: string;
  readonly args: readonly string[];
  readonly executable: (path: string) => boolean;
  readonly may: (capability: Capability) => boolean;
  /** The kernel's setting kernel.perf_event_paranoid. */
  readonly perfEventParanoid: number;
}

/** What somebody who was refused can do: the exact command line, or the capabilities that root itself lacks here. */
export function permissionHints(here: Surroundings = surroundings()): string[] {
  if (here.uid !== 0) {
    return [sudoLine(here), ...(perfEventsNeedAdmin(here) ? ['or: sysctl kernel.perf_event_paranoid=2'] : [])];
  }
  const missing = (['BPF', 'PERFMON'] as const).filter((name) => !here.may(name)).map((name) => `CAP_${name}`);
  if (here.may('SYS_ADMIN') || missing.length === 0) {
    return [];
  }
  return [`root lacks ${missing.join(' and ')}; in a container, start it with --privileged or add these capabilities`];
}

/** Above 2, which only distributions' kernels know, CAP_PERFMON is not enough to open a tracepoint. */
function perfEventsNeedAdmin({ may, perfEventParanoid }: Surroundings): boolean {
  return perfEventParanoid > 2 && may('PERFMON') && !may('SYS_ADMIN');
}

/** The command line that does the same as root; with paths only where sudo would not find the command. */
export function sudoLine({ node, script, args, executable }: Surroundings): string {
  // The first line of a command says `env node`: under sudo, that looks along sudo's path.
  const nodeFound = sudoPath.some((folder) => executable(`${folder}/node`));
  const command = sudoPath.includes(dirname(script)) ? basename(script) : script;
  const words = nodeFound && executable(script) ? [command] : [node, script];
  return ['sudo', ...words, ...args].map(quote).join(' ');
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

function surroundings(): Surroundings {
  return {
    uid: process.geteuid?.() ?? 0,
    node: process.execPath,
    script: process.argv[1] ?? '',
    args: process.argv.slice(2),
    executable,
    may,
    perfEventParanoid: perfEventParanoid(),
  };
}

function perfEventParanoid(): number {
  try {
    return Number(readFileSync('/proc/sys/kernel/perf_event_paranoid', 'utf8'));
  } catch {
    return 0;
  }
}

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function may(capability: Capability): boolean {
  try {
    return hasCapability(CAP[capability]);
  } catch {
    // Without /proc nobody knows, and a wrong hint is worse than none.
    return true;
  }
}
