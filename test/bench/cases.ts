import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Peer, peer } from './peers.ts';
import { probedLibraryOf } from './workloads/probed-calls.ts';

/** A program that traces, ours or a peer's, and how it is started. */
export interface Tracer {
  readonly name: string;
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** It prints no line for an operation, but a summary. */
  readonly silent?: boolean;
  /** ...whose last number is that of all operations. */
  readonly total?: boolean;
}

/** A tool of ours, and what it is measured against. */
export interface Case {
  /** Of the tool and, where they have it, of the peers' programs. */
  readonly tool: string;
  /** Of the case, where a tool has several. */
  readonly name?: string;
  /** What is traced is given to everybody: nobody is quicker because of what a tool leaves out. */
  readonly generic?: boolean;
  /** By its export in `workloads/`. */
  readonly workload: string;
  /** It sums up in the kernel and prints no line for each operation. */
  readonly silent?: boolean;
  /** What it prints last is the number of all operations: it tells the first one that it saw. */
  readonly total?: boolean;
  readonly args?: readonly string[];
  /** Arguments of the peers' programs of that name. */
  readonly peerArgs?: readonly string[];
  /** The same as a program for bpftrace. */
  readonly bpftrace: string;
  /** Arguments with which there is nothing to say, for everybody; and a filter that does the same for bpftrace. */
  readonly idle?: { readonly args: readonly string[]; readonly bpftrace: string };
}

const opens = (filter: string) => `
tracepoint:syscalls:sys_enter_openat /${filter}/ { @name[tid] = args->filename; }
tracepoint:syscalls:sys_exit_openat /@name[tid]/ {
  printf("%-6d %-16s %4d %s\\n", pid, comm, args->ret, str(@name[tid])); delete(@name[tid]);
}`;

/** What says that it traces, as the other tools do. */
const said = 'BEGIN { printf("Tracing\\n"); }';

/** The C library that programs here use. */
const libc = /\S+\/libc\.so\.6$/m.exec(readFileSync('/proc/self/maps', 'utf8'))?.[0] ?? 'libc';
const printed = 'printf("%-7d %-7d %-16s %-16s %d\\n", pid, tid, comm, probe,';
const called = 'sched_get_priority_max';
const atCall = `t:syscalls:sys_enter_${called}`;
const probed = probedLibraryOf(process.pid);

/** Questions that are asked in words: the same to everybody. */
const generic: readonly Case[] = [
  {
    tool: 'trace',
    workload: 'numberedCalls',
    args: [`c:${called} "%d", arg1`],
    peerArgs: [`c:${called} "%d", arg1`],
    bpftrace: `uprobe:${libc}:${called} { ${printed} arg0); }`,
  },
  {
    tool: 'trace',
    name: 'trace-tracepoint',
    workload: 'numberedCalls',
    args: [`${atCall} "%d", policy`],
    peerArgs: [`${atCall} "%d", args->policy`],
    bpftrace: `tracepoint:syscalls:sys_enter_${called} { ${printed} args->policy); }`,
  },
  {
    tool: 'trace',
    name: 'trace-usdt',
    workload: 'probedCalls',
    args: [`u:${probed}:kscope:add "%d", arg2`],
    peerArgs: [`u:${probed}:add "%d", arg2`],
    bpftrace: `usdt:${probed}:kscope:add { ${printed} arg1); }`,
  },
  {
    tool: 'argdist',
    workload: 'numberedCalls',
    silent: true,
    args: ['-C', `p:c:${called}(int number):int:number`],
    peerArgs: ['-C', `p:c:${called}(int number):int:number`],
    bpftrace: `${said} uprobe:${libc}:${called} { @[(int32)arg0] = count(); }`,
  },
  {
    tool: 'argdist',
    name: 'argdist-tracepoint',
    workload: 'numberedCalls',
    silent: true,
    args: ['-H', `${atCall}():int:args->policy`],
    peerArgs: ['-H', `${atCall}():int:args->policy`],
    bpftrace: `${said} tracepoint:syscalls:sys_enter_${called} { @ = hist(args->policy); }`,
  },
  {
    tool: 'funccount',
    workload: 'numberedCalls',
    silent: true,
    total: true,
    args: [`c:${called}`],
    peerArgs: [`c:${called}`],
    bpftrace: `${said} uprobe:${libc}:${called} { @[probe] = count(); }`,
  },
  {
    tool: 'funccount',
    name: 'funccount-tracepoint',
    workload: 'numberedCalls',
    silent: true,
    total: true,
    args: [atCall],
    peerArgs: [atCall],
    bpftrace: `${said} tracepoint:syscalls:sys_enter_${called} { @[probe] = count(); }`,
  },
];

export const cases: readonly Case[] = [
  ...generic.map((one) => ({ ...one, generic: true })),
  {
    tool: 'opensnoop',
    workload: 'opens',
    bpftrace: opens('1'),
    idle: { args: ['-p', '1'], bpftrace: opens('pid == 1') },
  },
  {
    tool: 'execsnoop',
    workload: 'execs',
    bpftrace: 'tracepoint:syscalls:sys_enter_exec* { printf("%-6d %-16s ", pid, comm); join(args->argv); }',
  },
  {
    tool: 'tcpconnect',
    workload: 'connections',
    bpftrace: `tracepoint:sock:inet_sock_set_state /args->newstate == 2/ {
  printf("%-6d %-16s %s %s %d\\n", pid, comm, ntop(args->saddr), ntop(args->daddr), args->dport);
}`,
  },
  {
    tool: 'tcplife',
    workload: 'connectionEnds',
    bpftrace: `
tracepoint:sock:inet_sock_set_state /args->newstate < 4/ { @birth[args->skaddr] = nsecs; }
tracepoint:sock:inet_sock_set_state /args->newstate == 7 && @birth[args->skaddr]/ {
  printf("%-6d %-16s %s %d %s %d %d\\n", pid, comm, ntop(args->saddr), args->sport, ntop(args->daddr), args->dport,
    (nsecs - @birth[args->skaddr]) / 1000000);
  delete(@birth[args->skaddr]);
}`,
  },
  {
    tool: 'biolatency',
    workload: 'diskReads',
    silent: true,
    bpftrace: `${said}
tracepoint:block:block_rq_issue { @start[args->dev, args->sector] = nsecs; }
tracepoint:block:block_rq_complete /@start[args->dev, args->sector]/ {
  @usecs = hist((nsecs - @start[args->dev, args->sector]) / 1000); delete(@start[args->dev, args->sector]);
}`,
  },
  {
    tool: 'syscount',
    workload: 'systemCalls',
    silent: true,
    bpftrace: `${said} tracepoint:raw_syscalls:sys_enter { @[args->id] = count(); }`,
  },
  {
    tool: 'profile',
    workload: 'computing',
    silent: true,
    args: ['-F', '99'],
    peerArgs: ['-F', '99'],
    bpftrace: `${said} profile:hz:99 { @[ustack, kstack, comm] = count(); }`,
  },
  {
    tool: 'runqlat',
    workload: 'switches',
    silent: true,
    bpftrace: `${said}
tracepoint:sched:sched_wakeup, tracepoint:sched:sched_wakeup_new { @queued[args->pid] = nsecs; }
tracepoint:sched:sched_switch {
  if (args->prev_state == 0) { @queued[args->prev_pid] = nsecs; }
  if (@queued[args->next_pid]) {
    @usecs = hist((nsecs - @queued[args->next_pid]) / 1000); delete(@queued[args->next_pid]);
  }
}`,
  },
];

const libbpfTools = peer('libbpf-tools');
const bpftrace = peer('bpftrace');
const bcc = peer('bpfcc-tools');

/** The packages of the peers that are installed here. */
export const packages = [libbpfTools, bpftrace, bcc].filter((one): one is Peer => one !== undefined);

/** Where a command of ours is; undefined when there is no such tool. */
function ownCommand(tool: string): string | undefined {
  const file = fileURLToPath(new URL(`../../commands/bin/${tool}`, import.meta.url));
  return existsSync(file) ? file : undefined;
}

/** Everybody who can do it, we first. */
export function tracersOf({ tool, silent = false, total = false, args = [], peerArgs = [], ...rest }: Case): Tracer[] {
  const own = ownCommand(tool);
  const quiet = { silent, total };
  return [
    ...(own === undefined ? [] : [{ name: 'kscope', command: [process.execPath, own, ...args], ...quiet }]),
    ...(own === undefined || silent
      ? []
      : [{ name: 'kscope --json', command: [process.execPath, own, ...args, '--json'] }]),
    ...named('libbpf-tools', libbpfTools?.program(tool), peerArgs, quiet),
    ...named('bcc', bcc?.program(`${tool}-bpfcc`), peerArgs, { ...quiet, env: { PYTHONUNBUFFERED: '1' } }),
    ...named('bpftrace', bpftrace?.program('bpftrace'), ['-q', '-e', rest.bpftrace], quiet),
  ];
}

/** Command lines that have nothing to say, by the name of the tracer. */
export function idleCommands({ tool, idle }: Case): ReadonlyMap<string, readonly string[]> {
  if (idle === undefined) {
    return new Map();
  }
  const own = ownCommand(tool);
  const programs: readonly [string, readonly string[] | undefined][] = [
    ['kscope', own === undefined ? undefined : [process.execPath, own, ...idle.args]],
    ['libbpf-tools', command(libbpfTools?.program(tool), idle.args)],
    ['bcc', command(bcc?.program(`${tool}-bpfcc`), idle.args)],
    ['bpftrace', command(bpftrace?.program('bpftrace'), ['-q', '-e', idle.bpftrace])],
  ];
  return new Map(programs.flatMap(([name, line]) => (line === undefined ? [] : [[name, line] as const])));
}

function command(program: string | undefined, args: readonly string[]): readonly string[] | undefined {
  return program === undefined ? undefined : [program, ...args];
}

/** Peers keep their output back when it goes to a file. */
function named(
  name: string,
  program: string | undefined,
  args: readonly string[],
  details: Pick<Tracer, 'silent' | 'total' | 'env'>,
): Tracer[] {
  return program === undefined ? [] : [{ name, command: ['stdbuf', '-oL', program, ...args], ...details }];
}
