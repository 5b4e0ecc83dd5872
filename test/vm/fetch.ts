import { existsSync, readFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { npmEnvironment } from '../helpers/npm-environment.ts';
import { PrivateApt } from './apt.ts';
import { command } from './command.ts';
import { type CpioEntry, cpio } from './cpio.ts';
import { extractVmlinux } from './kernel-image.ts';
import { withLock } from './lock.ts';
import { cacheDirectory, repository } from './paths.ts';
import { VmUnavailable } from './unavailable.ts';

/**
 * Debian packages that the host must have. QEMU itself is fetched: `qemu-system-x86` is here for its libraries, which
 * the newer QEMU shares. The other ones unpack kernels and make disks.
 */
export const hostPackages = [
  'qemu-system-x86',
  'xz-utils',
  'zstd',
  'lz4',
  'e2fsprogs',
  'util-linux',
  'debian-archive-keyring',
] as const;

/** The kernels of the matrix. Any other `X.Y` for which Debian has a cloud kernel works as well. */
export const kernelSeries = ['5.10', '6.1', '6.12', '6.18', 'newest'] as const;
/** The one of another architecture; any series works with that behind its name. */
export const armKernel = '6.12-arm64';
export type KernelName = (typeof kernelSeries)[number] | typeof armKernel | (string & {});

/** What QEMU emulates; arm64 guests have a root of their own. */
export type GuestArchitecture = 'x64' | 'arm64';

export function architectureOf(kernel: KernelName): GuestArchitecture {
  return kernel.endsWith('-arm64') ? 'arm64' : 'x64';
}

export interface Tools {
  qemu: string;
  /** Directories of QEMU's firmware, for `-L`. */
  firmware: string[];
  virtiofsd: string;
  busybox: string;
  /** The same for the guest. */
  guestBusybox: string;
  mkfsXfs: string;
  mkfsBtrfs: string;
  /** `LD_LIBRARY_PATH` for them. */
  libraries: string;
}

export interface Kernel {
  /** What `uname -r` says. */
  release: string;
  /** Holds `lib/modules/RELEASE` and `boot`. */
  directory: string;
  vmlinux: string;
  /** cpio with busybox and the modules that are needed before the root file system is there. */
  initramfs: string;
}

/** The root file system of a guest whose programs are not the host's. */
export interface GuestRoot {
  directory: string;
  /** Node, as the guest sees it. */
  node: string;
}

export interface FetchOptions {
  /** Look for newer packages although the cache has some. */
  refresh?: boolean;
  /** Called with one line per step. */
  log?: (line: string) => void;
}

/** Stored in each finished directory; another number makes the cache start over. */
const recipe = '1';

// QEMU 7.2, which bookworm itself has, corrupts registers and crashes guests under load; the C virtiofsd, which needs
// no newer libc, was last packaged with it.
const toolPackages = [
  'qemu-system-x86/bookworm-backports',
  'qemu-system-data/bookworm-backports',
  'seabios/bookworm',
  'busybox-static/bookworm',
  'xfsprogs/bookworm',
  'libinih1/bookworm',
  'liburcu8/bookworm',
];
const btrfsPackages = ['btrfs-progs/bookworm', 'liblzo2-2/bookworm'];
const virtiofsdPackage = 'qemu-system-common/bookworm';

const armToolPackages = ['qemu-system-arm/bookworm-backports'];
const armSuite = 'trixie';
const armRootPackages = [
  ...['base-files', 'bash', 'coreutils', 'dash', 'findutils', 'grep', 'hostname', 'mawk', 'mount', 'procps', 'sed'],
  ...['util-linux', 'libbpf1', 'nodejs'],
];

/** Modules that the initramfs loads. Those built into a kernel are left out. */
const earlyModules = ['virtio_pci', 'virtio_console', 'virtiofs', 'overlay', 'virtio_blk', 'virtio_net'];

/**
 * Makes QEMU and the helper programs available and says where they are. Everything after the first call comes from the
 * cache. Throws {@link VmUnavailable}.
 */
export async function fetchTools(options: FetchOptions = {}, architecture: GuestArchitecture = 'x64'): Promise<Tools> {
  const tools = await fetchOwnTools(options);
  if (architecture === 'x64') return tools;
  const directory = join(cacheDirectory, 'tools-arm64');
  await produce(directory, options, async (apt, build) => {
    options.log?.('fetching QEMU for arm64');
    const packages = join(build, 'packages');
    await apt.download(packages, armToolPackages);
    await unpackAll(packages, build);
    const arm = await openApt('arm64');
    await arm.download(packages, ['busybox-static/bookworm']);
    await unpackAll(packages, build);
    await rm(join(build, 'usr/share/doc'), { recursive: true, force: true });
  });
  return {
    ...tools,
    qemu: join(directory, 'usr/bin/qemu-system-aarch64'),
    guestBusybox: join(directory, 'bin/busybox'),
  };
}

/**
 * A root file system for arm64: Debian's packages, unpacked and not configured, with Node and koffi. Throws
 * {@link VmUnavailable}.
 */
export async function fetchRoot(options: FetchOptions = {}): Promise<GuestRoot> {
  const { version } = JSON.parse(await readFile(join(repository, 'node_modules/koffi/package.json'), 'utf8'));
  const directory = join(cacheDirectory, `root-arm64-koffi-${version}`);
  await produce(directory, options, async (_, build) => {
    options.log?.('fetching a root file system for arm64');
    const apt = await openApt('arm64');
    const packages = join(build, 'packages');
    await apt.downloadAll(packages, armRootPackages, armSuite);
    const root = join(build, 'root');
    await unpackAll(packages, root);
    await configureRoot(root);
    await addKoffi(root, build, version);
  });
  return { directory: join(directory, 'root'), node: '/usr/bin/node' };
}

/** What the scripts of the packages would have done, as far as tests need it. */
async function configureRoot(root: string): Promise<void> {
  const at = (path: string) => join(root, path);
  if (!existsSync(at('usr/bin/sh'))) await symlink('dash', at('usr/bin/sh'));
  await symlink('mawk', at('usr/bin/awk'));
  await mkdir(at('etc'), { recursive: true });
  await writeFile(at('etc/passwd'), 'root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/:/bin/false\n');
  await writeFile(at('etc/group'), 'root:x:0:\nnogroup:x:65534:\n');
  await writeFile(at('etc/hosts'), '127.0.0.1 localhost\n::1 localhost\n');
  // Node reads it with each time that it prints, which tools that trace opens would see.
  await writeFile(at('etc/localtime'), `TZif2${'\0'.repeat(39)}`);
  await mkdir(at('root'), { recursive: true });
  await rm(at('usr/share/doc'), { recursive: true, force: true });
}

/** The part of koffi that npm leaves out on this machine, in the last place where Node looks for modules. */
async function addKoffi(root: string, build: string, version: string): Promise<void> {
  const name = '@koromix/koffi-linux-arm64';
  const args = ['pack', '--silent', `${name}@${version}`, '--pack-destination', build];
  await command('npm', args, { cwd: build, env: npmEnvironment() });
  const [archive] = (await readdir(build)).filter((file) => file.endsWith('.tgz'));
  const into = join(root, 'node_modules', name);
  await mkdir(into, { recursive: true });
  await command('tar', ['-xzf', join(build, archive as string), '-C', into, '--strip-components=1']);
  await rm(join(build, archive as string));
}

async function fetchOwnTools(options: FetchOptions): Promise<Tools> {
  requireHost();
  const directory = join(cacheDirectory, 'tools');
  await produce(directory, options, async (apt, build) => {
    options.log?.('fetching QEMU and its helpers');
    const packages = join(build, 'packages');
    await apt.download(packages, toolPackages);
    await unpackAll(packages, build);
    // Only the one program: the rest of the old package would get between the new QEMU and its own files.
    const old = join(build, 'old');
    await apt.download(packages, [virtiofsdPackage]);
    await unpackAll(packages, old);
    await rename(join(old, 'usr/lib/qemu/virtiofsd'), join(build, 'virtiofsd'));
    await rm(old, { recursive: true });
    await rm(join(build, 'usr/share/doc'), { recursive: true, force: true });
  });
  const btrfs = join(cacheDirectory, 'tools-btrfs');
  await produce(btrfs, options, async (apt, build) => {
    options.log?.('fetching what makes a btrfs');
    const packages = join(build, 'packages');
    await apt.download(packages, btrfsPackages);
    await unpackAll(packages, build);
    await rm(join(build, 'usr/share'), { recursive: true, force: true });
  });
  const tools = toolsIn(directory, btrfs);
  // The cache may have come from another machine.
  checked ??= checkTools(tools);
  await checked;
  return tools;
}

let checked: Promise<void> | undefined;

/**
 * Makes a kernel available: the newest package of that series which the mirror really has. Everything after the first
 * call comes from the cache. Throws {@link VmUnavailable}.
 */
export async function fetchKernel(name: KernelName, options: FetchOptions = {}): Promise<Kernel> {
  const [, series] = /^(\d+\.\d+|newest)(?:-arm64)?$/.exec(name) ?? [];
  if (series === undefined) {
    throw new RangeError(`unknown kernel '${name}': one of ${kernelSeries.join(', ')}, ${armKernel}, or X.Y`);
  }
  const architecture = architectureOf(name);
  const { busybox, guestBusybox } = await fetchTools({ ...options, refresh: false }, architecture);
  const directory = join(cacheDirectory, 'kernels', name);
  await produce(directory, options, async (_, build) => {
    const apt = await openApt(debianName[architecture]);
    const candidates = await kernelCandidates(apt, series, debianName[architecture]);
    if (candidates.length === 0) {
      const why = apt.problem && `: ${apt.problem}`;
      throw new VmUnavailable(`Debian's archives have no cloud kernel '${name}'${why}`);
    }
    const packages = join(build, 'packages');
    let failure: unknown;
    for (const candidate of candidates) {
      try {
        options.log?.(`fetching kernel ${name}: ${candidate[0]}`);
        await apt.download(packages, candidate);
        await unpackAll(packages, build);
        return await prepareKernel(build, { busybox, guestBusybox }, architecture);
      } catch (error) {
        // Package lists name versions that the mirror has dropped already.
        if (!(error instanceof VmUnavailable)) throw error;
        failure ??= error;
        await rm(packages, { recursive: true, force: true });
      }
    }
    throw new VmUnavailable(`kernel ${name}: none of ${candidates.length} packages can be had: ${messageOf(failure)}`);
  });
  const release = readFileSync(join(directory, 'release'), 'utf8').trim();
  const [vmlinux, initramfs] = [join(directory, 'vmlinux'), join(directory, 'initramfs')];
  return { release, directory, vmlinux, initramfs };
}

/** The names that `KSCOPE_VM_KERNELS` stands for: a list with commas; unset or `all`: all of the matrix. */
export function kernelsFromEnvironment(value = process.env.KSCOPE_VM_KERNELS): KernelName[] {
  const names = (value ?? '').split(',').map((name) => name.trim());
  const given = names.filter((name) => name !== '');
  return given.length === 0 || given.includes('all') ? [...kernelSeries] : given;
}

/**
 * Fills `directory` under the lock of the cache unless that is done. It is built beside its place and renamed, so a
 * directory that exists is whole.
 */
async function produce(
  directory: string,
  { refresh = false }: FetchOptions,
  fill: (apt: PrivateApt, build: string) => Promise<void>,
): Promise<void> {
  const done = () =>
    existsSync(join(directory, 'recipe')) && readFileSync(join(directory, 'recipe'), 'utf8') === recipe;
  if (!refresh && done()) return;
  await mkdir(cacheDirectory, { recursive: true });
  await withLock(join(cacheDirectory, 'lock'), 900, async () => {
    if (!refresh && done()) return;
    for (const name of await readdir(cacheDirectory)) {
      if (name.startsWith('build-')) await rm(join(cacheDirectory, name), { recursive: true, force: true });
    }
    const build = await mkdtemp(join(cacheDirectory, 'build-'));
    try {
      await fill(await openApt(), build);
      await writeFile(join(build, 'recipe'), recipe);
      await mkdir(join(directory, '..'), { recursive: true });
      await rm(directory, { recursive: true, force: true });
      await rename(build, directory);
    } finally {
      await rm(build, { recursive: true, force: true });
    }
  });
}

const debianName = { x64: 'amd64', arm64: 'arm64' } as const;
const apts = new Map<string, Promise<PrivateApt>>();

/** The package lists are read once per process. */
function openApt(architecture: string = debianName.x64): Promise<PrivateApt> {
  let apt = apts.get(architecture);
  if (apt === undefined) {
    const own = architecture === debianName.x64 ? 'apt' : `apt-${architecture}`;
    apt = PrivateApt.open(join(cacheDirectory, own), architecture);
    apts.set(architecture, apt);
  }
  return apt;
}

function requireHost(): void {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new VmUnavailable(`guests need an x86-64 Linux host, not ${process.platform} ${process.arch}`);
  }
  if (process.getuid?.() !== 0) throw new VmUnavailable('guests need root: virtiofsd serves the root file system');
}

function toolsIn(directory: string, btrfs: string): Tools {
  return {
    qemu: join(directory, 'usr/bin/qemu-system-x86_64'),
    firmware: [join(directory, 'usr/share/qemu'), join(directory, 'usr/share/seabios')],
    virtiofsd: join(directory, 'virtiofsd'),
    busybox: join(directory, 'bin/busybox'),
    guestBusybox: join(directory, 'bin/busybox'),
    mkfsXfs: join(directory, 'sbin/mkfs.xfs'),
    mkfsBtrfs: join(btrfs, 'sbin/mkfs.btrfs'),
    libraries: [directory, btrfs]
      .flatMap((root) => ['usr/lib', 'lib'].map((lib) => join(root, lib, 'x86_64-linux-gnu')))
      .join(':'),
  };
}

/** Starts each program once: what the host's libraries lack shows here and not when a guest starts. */
async function checkTools(tools: Tools): Promise<void> {
  const env = { ...process.env, LD_LIBRARY_PATH: tools.libraries };
  try {
    await command(tools.qemu, ['--version']);
    await command(tools.virtiofsd, ['--version']);
    await command(tools.busybox, ['true']);
    for (const mkfs of [tools.mkfsXfs, tools.mkfsBtrfs]) await command(mkfs, ['-V'], { env });
    for (const program of ['xz', 'zstd', 'lz4', 'mkfs.ext4']) await command(program, ['-V']);
  } catch (error) {
    throw new VmUnavailable(`${messageOf(error)} (needed packages: ${hostPackages.join(' ')})`, { cause: error });
  }
}

/** For each kernel of the series, newest first, the packages that make it up. A signed image is preferred. */
async function kernelCandidates(apt: PrivateApt, name: string, machine: string): Promise<string[][]> {
  const pattern = new RegExp(
    `^linux-(image|binary|binary-unsigned)-(\\d+\\.\\d+\\.\\d.*-cloud-${machine})(-unsigned)?$`,
  );
  const names = await apt.names(`^linux-(image|binary|modules|base)-.*cloud-${machine}`);
  const all = new Set(names);
  const images = names.flatMap((image) => {
    const match = pattern.exec(image);
    if (!match || (name !== 'newest' && !match[2]?.startsWith(`${name}.`))) return [];
    return [{ image, release: match[2] as string, unsigned: image.includes('-unsigned') }];
  });
  const order = new Intl.Collator('en', { numeric: true });
  images.sort((a, b) => order.compare(b.release, a.release) || Number(a.unsigned) - Number(b.unsigned));
  return images.map(({ image, release }) => {
    const parts = [`linux-modules-${release}`, `linux-base-${release}`];
    return [image, ...parts.filter((part) => all.has(part))];
  });
}

/** Unpacks the `.deb` files of `packages` into `into` and removes them. */
async function unpackAll(packages: string, into: string): Promise<void> {
  for (const file of await readdir(packages)) await command('dpkg-deb', ['-x', join(packages, file), into]);
  await rm(packages, { recursive: true });
}

/** Turns an unpacked kernel package into what {@link Kernel} describes. */
async function prepareKernel(
  directory: string,
  { busybox, guestBusybox }: Pick<Tools, 'busybox' | 'guestBusybox'>,
  architecture: GuestArchitecture,
): Promise<void> {
  if (existsSync(join(directory, 'usr/lib/modules'))) {
    await mkdir(join(directory, 'lib'), { recursive: true });
    await rename(join(directory, 'usr/lib/modules'), join(directory, 'lib/modules'));
  }
  const [release, ...others] = await readdir(join(directory, 'lib/modules'));
  if (!release || others.length > 0) throw new Error(`expected the modules of one kernel: ${[release, ...others]}`);
  const modules = join(directory, 'lib/modules', release);
  await mkdir(join(directory, 'boot'), { recursive: true });
  // Newer packages keep the kernel and its configuration with the modules.
  for (const file of ['config', 'System.map']) {
    const [from, to] = [join(modules, file), join(directory, 'boot', `${file}-${release}`)];
    if (existsSync(from) && !existsSync(to)) await cp(from, to);
  }
  const image = [
    join(directory, 'boot', `vmlinuz-${release}`),
    join(modules, 'vmlinuz'),
    join(modules, 'vmlinuz.unsigned'),
  ].find((file) => existsSync(file));
  if (!image) throw new Error(`no vmlinuz in the package of ${release}`);
  const bytes = await readFile(image);
  // QEMU unpacks images of arm64 by itself.
  await writeFile(join(directory, 'vmlinux'), architecture === 'x64' ? await extractVmlinux(bytes) : bytes);

  const files = await readdir(modules, { recursive: true });
  const compressed = files.filter((file) => file.endsWith('.ko.xz'));
  if (compressed.length > 0) await command('xz', ['-d', '-T0', ...compressed], { cwd: modules });
  await command(busybox, ['depmod', '-b', directory, release]);
  await writeFile(join(directory, 'initramfs'), await initramfs(modules, guestBusybox));
  await writeFile(join(directory, 'release'), `${release}\n`);
  await rm(join(directory, 'usr'), { recursive: true, force: true });
}

async function initramfs(modules: string, busybox: string): Promise<Buffer> {
  const dependencies = new Map<string, string[]>();
  for (const line of (await readFile(join(modules, 'modules.dep'), 'utf8')).split('\n')) {
    const [path, rest] = line.split(':');
    if (path && rest !== undefined) dependencies.set(path, rest.trim().split(' ').filter(Boolean));
  }
  const order: string[] = [];
  const load = (path: string) => {
    if (order.includes(path)) return;
    for (const needed of dependencies.get(path) ?? []) load(needed);
    order.push(path);
  };
  for (const name of earlyModules) {
    const path = [...dependencies.keys()].find((candidate) => basename(candidate) === `${name}.ko`);
    if (path) load(path);
  }
  const entries: CpioEntry[] = ['bin', 'dev', 'host', 'layer', 'modules', 'proc', 'sys'].map((name) => ({ name }));
  entries.push({ name: 'bin/busybox', data: await readFile(busybox), executable: true });
  for (const path of order) {
    entries.push({ name: `modules/${basename(path)}`, data: await readFile(join(modules, path)) });
  }
  const list = order.map((path) => `${basename(path)}\n`).join('');
  entries.push({ name: 'modules/order', data: Buffer.from(list) });
  return cpio(entries);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

if (import.meta.filename === process.argv[1]) {
  const args = process.argv.slice(2);
  const names = args.filter((arg) => arg !== '--refresh');
  const options = { refresh: args.includes('--refresh'), log: (line: string) => console.error(line) };
  try {
    if (options.refresh) await fetchTools(options);
    for (const name of names.length > 0 ? names : kernelsFromEnvironment()) {
      if (architectureOf(name) !== 'x64') await fetchRoot(options);
      const { release } = await fetchKernel(name, options);
      console.log(`${name} ${release}`);
    }
  } catch (error) {
    console.error(messageOf(error));
    process.exitCode = 1;
  }
}
