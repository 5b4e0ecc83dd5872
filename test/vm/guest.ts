import type { ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { frequencyTable } from './acpi.ts';
import { hasExited, isRunning, spawnBound } from './child.ts';
import { command } from './command.ts';
import { cpio } from './cpio.ts';
import {
  architectureOf,
  fetchKernel,
  fetchRoot,
  fetchTools,
  type GuestRoot,
  type Kernel,
  type KernelName,
  type Tools,
} from './fetch.ts';
import { OutputFile } from './output-file.ts';
import { guestAgent, guestInit, repository } from './paths.ts';
import { quote, shellScript } from './shell.ts';

export interface GuestOptions {
  /** A series such as `6.1`, or `newest`; with `-arm64`, the root is a small Debian with this checkout in it. */
  kernel: KernelName;
  /** MiB, 1024 unless given. */
  memory?: number;
  /** Virtual processors, 2 unless given. */
  cpus?: number;
  /** NUMA nodes that share the memory and the processors evenly, 1 unless given. */
  nodes?: number;
  /** Put behind the kernel's command line. */
  append?: string;
  /** Milliseconds until the guest takes commands (without the time to fetch it), 60 000 unless given. */
  timeout?: number;
  /**
   * Host directories to show at their own path although the guest has something else there (`/tmp`, `/run`). The
   * checkout and the directory of Node are always among them when they need it.
   */
  shares?: string[];
}

export interface ExecOptions {
  /** Milliseconds, 60 000 unless given. */
  timeout?: number;
  /** Added to the environment of the guest; nothing of the host's environment is passed on. */
  env?: Record<string, string>;
  /** `/` unless given. */
  cwd?: string;
  /** What the command reads from its stdin; nothing unless given. */
  input?: string | Uint8Array;
  /** Sends SIGINT to the command and its children, which may end as they like. */
  interrupt?: AbortSignal;
  /** Ends the command: SIGTERM, then SIGKILL. `exec` rejects with the reason. */
  signal?: AbortSignal;
  /** Called with output as it comes. The result has it nevertheless. */
  onStdout?: (chunk: Buffer) => void;
  onStderr?: (chunk: Buffer) => void;
}

export interface ExecResult {
  /** Exit status; 128 + N after signal N; 126 or 127 when the command cannot be run. */
  code: number;
  stdout: string;
  stderr: string;
}

/** The guest died, did not start, or does not answer. The message has what its console said last. */
export class GuestError extends Error {
  override name = 'GuestError';
}

/** The guest is up, and its time goes by faster or slower than that of the host. */
class WrongClock extends GuestError {}

/** How often the time stamp counter counts in a millisecond, which QEMU passes on; undefined where there is none. */
function counterFrequency(cpuinfo: string): number | undefined {
  // On x86, the loops that a delay takes follow from it.
  const loops = /^bogomips\s*: ([\d.]+)$/m.exec(cpuinfo)?.[1];
  return loops === undefined ? undefined : Math.round(Number(loops) * 500);
}

/** A command took longer than its timeout and was killed. The guest lives on. */
export class ExecTimeout extends Error {
  override name = 'ExecTimeout';
  readonly stdout: string;
  readonly stderr: string;

  constructor(message: string, { stdout, stderr }: ExecResult) {
    super(message);
    this.stdout = stdout;
    this.stderr = stderr;
  }
}

interface Job {
  resolve: (code: number) => void;
  reject: (error: Error) => void;
}

/** Directories of the guest that are not the host's. */
const ownDirectories = [
  '/tmp',
  '/run',
  '/dev',
  '/proc',
  '/sys',
  '/boot',
  '/mnt/job',
  '/mnt/ext4',
  '/mnt/xfs',
  '/mnt/btrfs',
];
/** Pointer authentication, which newer processors of arm64 have, makes an emulated one slow. */
const machines = {
  // Without tsc=reliable, the older kernels read the clock with a system call. Where the host is busy, the timer ticks too
  // late for a kernel that checks it, which panics. The processor virtualizes, for KVM in guests, and says what QEMU does not
  // claim unless it is forced to: that its clock goes on as before when the frequency is set.
  x64: {
    type: 'q35',
    cpu: 'max,invtsc=on,x-force-features=on',
    options: ['console=ttyS0', 'tsc=reliable', 'no_timer_check'],
  },
  arm64: { type: 'virt,gic-version=3', cpu: 'cortex-a72', options: ['console=ttyAMA0'] },
} as const;
/** Of the processors of x64, in MHz, for those who load acpi-cpufreq. */
const frequencies = [3000, 2200, 1000];
const directoryPrefix = 'kscope-vm-';
const killAfter = 3000;

/**
 * A Debian kernel in QEMU whose root is the host's, at the same paths, with a layer in memory on top. Changes made there
 * are gone when it ends. What the host changes meanwhile may or may not be seen: start a guest per test run.
 */
export class Guest {
  readonly kernel: Kernel;
  /** A host directory that the guest sees, writable, as `/mnt/job`. */
  readonly share: string;
  /** Node, as the guest sees it. */
  readonly node: string;
  readonly #root: GuestRoot | undefined;
  readonly #directory: string;
  readonly #jobs = new Map<number, Job>();
  readonly #helpers: ChildProcess[] = [];
  #qemu: ChildProcess | undefined;
  #server: Server | undefined;
  #port: Socket | undefined;
  #lastJob = 0;
  #dead: Error | undefined;

  private constructor(kernel: Kernel, directory: string, root: GuestRoot | undefined) {
    this.kernel = kernel;
    this.#root = root;
    this.node = root?.node ?? process.execPath;
    this.#directory = directory;
    this.share = join(directory, 'job');
  }

  /**
   * Fetches what is needed and boots. Throws `VmUnavailable` when this host cannot, {@link GuestError} when the guest
   * did not come up.
   */
  static async start(options: GuestOptions): Promise<Guest> {
    for (let boots = 1; ; boots++) {
      try {
        return await Guest.#startOnce(options);
      } catch (error) {
        if (!(error instanceof WrongClock) || boots === 3) throw error;
      }
    }
  }

  static async #startOnce(options: GuestOptions): Promise<Guest> {
    const architecture = architectureOf(options.kernel);
    const kernel = await fetchKernel(options.kernel);
    const tools = await fetchTools({}, architecture);
    const root = architecture === 'x64' ? undefined : await fetchRoot();
    await removeAbandoned();
    const guest = new Guest(kernel, await mkdtemp(join(tmpdir(), `${directoryPrefix}${process.pid}-`)), root);
    try {
      await guest.#boot(tools, options);
      await guest.#checkClock();
      return guest;
    } catch (error) {
      await guest.stop();
      throw error;
    }
  }

  /**
   * Runs a command in the guest and waits for its end. Several may run at once. Throws {@link ExecTimeout}, or
   * {@link GuestError} when the guest dies meanwhile.
   */
  async exec(argv: readonly [string, ...string[]], options: ExecOptions = {}): Promise<ExecResult> {
    const { timeout = 60_000, signal, interrupt, input = '' } = options;
    signal?.throwIfAborted();
    this.#lastJob += 1;
    const number = this.#lastJob;
    const file = (kind: string) => join(this.share, `${number}.${kind}`);
    const script = shellScript(argv, options.cwd, options.env);
    const stdout = new OutputFile(file('out'), options.onStdout);
    const stderr = new OutputFile(file('err'), options.onStderr);
    const timers: NodeJS.Timeout[] = [];
    const listeners = new AbortController();
    let ending: 'late' | 'aborted' | undefined;
    try {
      if (this.#dead) throw this.#dead;
      await Promise.all([
        ...[writeFile(file('sh'), script), writeFile(file('in'), input)],
        ...[stdout.create(), stderr.create()],
      ]);
      const code = await new Promise<number>((resolve, reject) => {
        if (this.#dead) return reject(this.#dead);
        this.#jobs.set(number, { resolve, reject });
        const end = (why: 'late' | 'aborted') => {
          if (ending) return;
          ending = why;
          this.#send(`signal ${number} TERM`);
          const deaf = () => reject(this.#error(`the guest does not end ${argv.join(' ')}`));
          timers.push(setTimeout(() => this.#send(`signal ${number} KILL`), killAfter));
          timers.push(setTimeout(deaf, 2 * killAfter));
        };
        timers.push(setTimeout(end, timeout, 'late'));
        signal?.addEventListener('abort', () => end('aborted'), { signal: listeners.signal });
        const onInterrupt = () => this.#send(`signal ${number} INT`);
        interrupt?.addEventListener('abort', onInterrupt, { signal: listeners.signal });
        this.#send(`run ${number}`);
        if (signal?.aborted) end('aborted');
        if (interrupt?.aborted) onInterrupt();
      });
      const result = { code, stdout: await stdout.finish(), stderr: await stderr.finish() };
      if (ending === 'aborted') throw signal?.reason;
      if (ending === 'late') {
        const said = lastLines(result.stderr || result.stdout, 10);
        const message = `${argv.join(' ')}: no end after ${timeout / 1000} s${said && `; it said:\n${said}`}`;
        throw new ExecTimeout(message, result);
      }
      return result;
    } finally {
      listeners.abort();
      for (const timer of timers) clearTimeout(timer);
      this.#jobs.delete(number);
      await Promise.all([stdout.close(), stderr.close()]);
      for (const kind of ['sh', 'in', 'out', 'err']) await rm(file(kind), { force: true });
    }
  }

  /** Ends the guest and removes its files; a dead guest is no error. */
  async stop(): Promise<void> {
    this.#dead ??= new GuestError('the guest was stopped');
    const qemu = this.#qemu;
    if (qemu && isRunning(qemu)) {
      this.#send('off');
      if (!(await hasExited(qemu, 5000))) qemu.kill('SIGKILL');
    }
    for (const child of [qemu, ...this.#helpers]) {
      if (!child || (await hasExited(child, 2000))) continue;
      child.kill('SIGKILL');
      await hasExited(child, 5000);
    }
    this.#port?.destroy();
    this.#server?.close();
    await rm(this.#directory, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #boot(tools: Tools, options: GuestOptions): Promise<void> {
    const { timeout = 60_000, shares = [] } = options;
    const at = (name: string) => join(this.#directory, name);
    await mkdir(this.share);
    await writeFile(at('ssdt'), frequencyTable(options.cpus ?? 2, frequencies));
    let ready = () => {};
    const isReady = new Promise<void>((resolve) => {
      ready = resolve;
    });
    await Promise.all([
      this.#makeInitramfs(shares),
      makeDisk(at('ext4.img'), 64, 'mkfs.ext4', ['-qF']),
      makeDisk(at('xfs.img'), 320, tools.mkfsXfs, ['-q'], tools.libraries),
      makeDisk(at('btrfs.img'), 128, tools.mkfsBtrfs, ['-q'], tools.libraries),
      this.#serve(tools, 'root', '/', 'cache=always'),
      this.#serve(tools, 'job', this.share, 'cache=none'),
      this.#listen(at('agent.sock'), ready),
    ]);
    const qemu = spawnBound(tools.qemu, this.#qemuArguments(tools, options), at('qemu.log'));
    this.#qemu = qemu;
    const ended = new Promise<never>((_, reject) => {
      const die = (how: string) => {
        const error = this.#error(how);
        this.#dead ??= error;
        for (const job of this.#jobs.values()) job.reject(error);
        reject(error);
      };
      qemu.on('error', (error) => die(`QEMU did not start: ${error.message}`));
      qemu.on('exit', (code, signal) => die(`the guest died (QEMU: ${signal ?? `exit status ${code}`})`));
    });
    // Nobody waits for it any more once the guest is up.
    ended.catch(() => {});
    const waiting = new AbortController();
    const late = delay(timeout, undefined, { signal: waiting.signal }).then(() => {
      throw this.#error(`the guest is not ready after ${timeout / 1000} s`);
    });
    late.catch(() => {});
    try {
      await Promise.race([isReady, ended, late]);
    } finally {
      waiting.abort();
    }
  }

  /** Of the counter that QEMU passes on to this guest; undefined where the guest has another one. */
  get #frequency(): number | undefined {
    return this.#root === undefined ? counterFrequency(readFileSync('/proc/cpuinfo', 'latin1')) : undefined;
  }

  /** Where the host is busy, the kernel may find a wrong frequency of the counter that is its clock: all limits of time are. */
  async #checkClock(): Promise<void> {
    const expected = this.#frequency;
    if (expected === undefined) return;
    const { stdout } = await this.exec(['cat', '/proc/cpuinfo']);
    const found = counterFrequency(stdout);
    if (found === undefined || Math.abs(found / expected - 1) > 0.02) {
      throw new WrongClock(`the guest's clock counts ${found} kHz as a second, and ${expected} kHz are one`);
    }
  }

  #qemuArguments(tools: Tools, { memory = 1024, cpus = 2, nodes = 1, append = '' }: GuestOptions): string[] {
    const at = (name: string) => join(this.#directory, name);
    const machine = this.#root === undefined ? machines.x64 : machines.arm64;
    const frequency = this.#frequency;
    const kernelOptions = [
      // bd35c77e32e4 ("x86/tsc: Add tsc_early_khz command line parameter", 5.11): nothing is to be found out by 5.10 alone.
      ...(frequency !== undefined ? [`tsc_early_khz=${frequency}`] : []),
      ...[...machine.options, 'quiet', 'panic=-1', 'mitigations=off', 'nokaslr'],
      // 5.10 does not list bpf by itself.
      'lsm=landlock,lockdown,yama,bpf',
      append,
    ];
    return [
      ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
      ...tools.firmware.flatMap((directory) => ['-L', directory]),
      ...['-M', machine.type, '-cpu', machine.cpu],
      ...['-accel', 'tcg,thread=multi', '-smp', `${cpus}`, '-m', `${memory}`],
      ...Array.from({ length: nodes }, (_, node) => numaNode(node, memory / nodes, cpus / nodes)).flat(),
      ...['root', 'job'].flatMap((tag) => [
        ...['-chardev', `socket,id=${tag},path=${at(`${tag}.sock`)}`],
        ...['-device', `vhost-user-fs-pci,chardev=${tag},tag=${tag}`],
      ]),
      ...['-chardev', `socket,id=agent,path=${at('agent.sock')}`],
      ...['-device', 'virtio-serial-pci', '-device', 'virtserialport,chardev=agent,name=agent'],
      ...['ext4', 'xfs', 'btrfs'].flatMap((disk) => [
        ...['-drive', `file=${at(`${disk}.img`)},format=raw,if=virtio,cache=unsafe`],
      ]),
      ...['-netdev', 'user,id=net,restrict=on', '-device', 'virtio-net-pci,netdev=net,romfile='],
      ...['-serial', `file:${at('console')}`],
      ...(this.#root === undefined ? ['-acpitable', `file=${at('ssdt')}`] : []),
      ...['-kernel', this.kernel.vmlinux, '-initrd', at('initramfs'), '-append', kernelOptions.join(' ').trim()],
    ];
  }

  /** The cached initramfs with the programs of this checkout and the settings of this guest behind it. */
  async #makeInitramfs(shares: string[]): Promise<void> {
    const wanted = [repository, dirname(process.execPath), ...shares];
    const hidden = (path: string) => ownDirectories.some((own) => `${path}/`.startsWith(`${own}/`));
    // A root of its own has nothing of the host.
    const needed = this.#root === undefined ? wanted.filter(hidden) : [repository, ...shares];
    const places = [`KERNEL=${quote(this.kernel.directory)}`, `ROOT=${quote(this.#root?.directory ?? '')}`];
    const settings = [...places, `SHARES=${quote([...new Set(needed)].join('\n'))}`];
    const own = cpio([
      { name: 'init', data: await readFile(guestInit), executable: true },
      { name: 'agent', data: await readFile(guestAgent) },
      { name: 'settings', data: Buffer.from(`${settings.join('\n')}\n`) },
    ]);
    await writeFile(join(this.#directory, 'initramfs'), Buffer.concat([await readFile(this.kernel.initramfs), own]));
  }

  /** Starts the virtiofsd of one tag and waits for its socket. */
  async #serve(tools: Tools, tag: string, source: string, cache: string): Promise<void> {
    const socket = join(this.#directory, `${tag}.sock`);
    const log = `${tag}.log`;
    const options = ['-o', `source=${source}`, '-o', cache, '-o', 'sandbox=chroot'];
    const all = [`--socket-path=${socket}`, ...options];
    const child = spawnBound(tools.virtiofsd, all, join(this.#directory, log));
    child.on('error', () => {});
    this.#helpers.push(child);
    for (const end = Date.now() + 10_000; !existsSync(socket); await delay(5)) {
      if (isRunning(child) && Date.now() < end) continue;
      throw new GuestError(`virtiofsd does not serve ${source}: ${lastLines(this.#log(log), 5)}`);
    }
  }

  /** Waits for QEMU to connect the port of the agent, and takes what the agent says. */
  async #listen(socket: string, ready: () => void): Promise<void> {
    const server = createServer((port) => {
      this.#port = port;
      const lines = createInterface({ input: port });
      // A guest that dies is told by the exit of QEMU.
      port.on('error', () => {});
      lines.on('error', () => {});
      lines.on('line', (line) => {
        const [verb, number, status] = line.split(' ');
        if (verb === 'ready') ready();
        if (verb === 'done') this.#jobs.get(Number(number))?.resolve(Number(status));
      });
    });
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(socket, resolve);
    });
  }

  #send(line: string): void {
    if (this.#port?.writable) this.#port.write(`${line}\n`);
  }

  #error(what: string): GuestError {
    const parts = [`kernel ${this.kernel.release}: ${what}`];
    for (const log of ['console', 'qemu.log']) {
      const said = excerpt(this.#log(log));
      if (said) parts.push(`${log}:\n${said}`);
    }
    return new GuestError(parts.join('\n'));
  }

  #log(name: string): string {
    const file = join(this.#directory, name);
    return existsSync(file) ? readFileSync(file, 'latin1') : '';
  }
}

/** virtiofsd maps the memory of the guest, so that it has to be shared. */
function numaNode(node: number, memory: number, cpus: number): string[] {
  const backend = `memory-backend-memfd,id=mem${node},size=${memory}M,share=on`;
  const range = `${node * cpus}-${(node + 1) * cpus - 1}`;
  return ['-object', backend, '-numa', `node,nodeid=${node},memdev=mem${node},cpus=${range}`];
}

/** Removes what guests of processes that were killed have left; not what is young, for pids of containers mean nothing. */
async function removeAbandoned(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = name.startsWith(directoryPrefix) ? name.slice(directoryPrefix.length).split('-')[0] : undefined;
    if (!pid || existsSync(`/proc/${pid}`)) continue;
    const directory = join(tmpdir(), name);
    const age = Date.now() - (statSync(directory, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > 3_600_000) await rm(directory, { recursive: true, force: true });
  }
}

async function makeDisk(file: string, mebibytes: number, mkfs: string, args: string[], libraries = ''): Promise<void> {
  await writeFile(file, '');
  await truncate(file, mebibytes * 1024 * 1024);
  await command(mkfs, [...args, file], { env: { ...process.env, LD_LIBRARY_PATH: libraries } });
}

function lastLines(text: string, count: number): string {
  return plain(text).split('\n').slice(-count).join('\n');
}

/** The last lines, and before them those that say why a kernel died: its registers and stacks come behind. */
function excerpt(text: string): string {
  const lines = plain(text).split('\n');
  const why = /Kernel panic|Oops|BUG:|RIP: 0010|^guest: /;
  return lines.filter((line, index) => index >= lines.length - 20 || why.test(line)).join('\n');
}

function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the console holds whatever the guest sends
  return text.replace(/\x1b\[[0-9;?]*[A-Za-z]|[^\n\t\x20-\x7e]/g, '').trimEnd();
}
