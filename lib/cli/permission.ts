import { accessSync, constants, readFileSync } from 'node:fs';
import { basename, delimiter, dirname } from 'node:path';

/** What sudo searches unless its configuration says otherwise. */
const sudoPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'.split(delimiter);

/** Bits of the capability sets that loading and attaching needs. */
const capabilities = { CAP_SYS_ADMIN: 21, CAP_PERFMON: 38, CAP_BPF: 39 } as const;

/** How the process was started, and what the machine around it looks like. */
export interface Started {
  readonly uid: number;
  /** Node itself. */
  readonly node: string;
  /** The script, as it was called. */
  readonly script: string;
  readonly args: readonly string[];
  readonly executable: (path: string) => boolean;
  /** Effective capabilities, undefined when unknown. */
  readonly effective: bigint | undefined;
}

/** What somebody who was refused can do: the exact command line, or the capabilities that root itself lacks here. */
export function permissionHints(started: Started = current()): string[] {
  if (started.uid !== 0) {
    return [sudoLine(started)];
  }
  const { effective } = started;
  if (effective === undefined || has(effective, capabilities.CAP_SYS_ADMIN)) {
    return [];
  }
  const missing = (['CAP_BPF', 'CAP_PERFMON'] as const).filter((name) => !has(effective, capabilities[name]));
  return missing.length === 0
    ? []
    : [`this root user lacks ${missing.join(' and ')}; start the container with --privileged`];
}

/** The command line that does the same as root; paths only where sudo would not find the command. */
export function sudoLine({ node, script, args, executable }: Started): string {
  const nodeFound = sudoPath.some((folder) => executable(`${folder}/node`));
  const words = sudoPath.includes(dirname(script)) ? [basename(script)] : [script];
  // `env node` under sudo looks along sudo's path, not the caller's.
  const command = nodeFound && executable(script) ? words : [node, script];
  return ['sudo', ...command, ...args].map(quote).join(' ');
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

function has(set: bigint, bit: number): boolean {
  return ((set >> BigInt(bit)) & 1n) === 1n;
}

function current(): Started {
  return {
    uid: process.geteuid?.() ?? 0,
    node: process.execPath,
    script: process.argv[1] ?? '',
    args: process.argv.slice(2),
    executable,
    effective: effectiveCapabilities(),
  };
}

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function effectiveCapabilities(): bigint | undefined {
  try {
    const found = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'));
    return found === null ? undefined : BigInt(`0x${found[1]}`);
  } catch {
    return undefined;
  }
}
