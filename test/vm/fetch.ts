import { existsSync, readFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { PrivateApt } from './apt.ts';
import { command } from './command.ts';
import { type CpioEntry, cpio } from './cpio.ts';
import { extractVmlinux } from './kernel-image.ts';
import { withLock } from './lock.ts';
import { cacheDirectory } from './paths.ts';
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
export type KernelName = (typeof kernelSeries)[number] | (string & {});

export interface Tools {
  qemu: string;
  /** Directories of QEMU's firmware, for `-L`. */
  firmware: string[];
  virtiofsd: string;
  busybox: string;
  mkfsXfs: string;
  /** `LD_LIBRARY_PATH` for `mkfsXfs`. */
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
const virtiofsdPackage = 'qemu-system-common/bookworm';

/** Modules that the initramfs loads. Those built into a kernel are left out. */
const earlyModules = ['virtio_pci', 'virtio_console', 'virtiofs', 'overlay', 'virtio_blk', 'virtio_net'];

/**
 * Makes QEMU and the helper programs available and says where they are. Everything after the first call comes from the
 * cache. Throws {@link VmUnavailable}.
 */
export async function fetchTools(options: FetchOptions = {}): Promise<Tools> {
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
  // The cache may have come from another machine.
  checked ??= checkTools(toolsIn(directory));
  await checked;
  return toolsIn(directory);
}

let checked: Promise<void> | undefined;

/**
 * Makes a kernel available: the newest package of that series which the mirror really has. Everything after the first
 * call comes from the cache. Throws {@link VmUnavailable}.
 */
export async function fetchKernel(name: KernelName, options: FetchOptions = {}): Promise<Kernel> {
  if (!/^(\d+\.\d+|newest)$/.test(name)) {
    throw new RangeError(`unknown kernel '${name}': one of ${kernelSeries.join(', ')}, or X.Y`);
  }
  const { busybox } = await fetchTools({ ...options, refresh: false });
  const directory = join(cacheDirectory, 'kernels', name);
  await produce(directory, options, async (apt, build) => {
    const candidates = await kernelCandidates(apt, name);
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
        return await prepareKernel(build, busybox);
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

let apt: Promise<PrivateApt> | undefined;

/** The package lists are read once per process. */
function openApt(): Promise<PrivateApt> {
  apt ??= PrivateApt.open(join(cacheDirectory, 'apt'));
  return apt;
}

function requireHost(): void {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new VmUnavailable(`guests need an x86-64 Linux host, not ${process.platform} ${process.arch}`);
  }
  if (process.getuid?.() !== 0) throw new VmUnavailable('guests need root: virtiofsd serves the root file system');
}

function toolsIn(directory: string): Tools {
  return {
    qemu: join(directory, 'usr/bin/qemu-system-x86_64'),
    firmware: [join(directory, 'usr/share/qemu'), join(directory, 'usr/share/seabios')],
    virtiofsd: join(directory, 'virtiofsd'),
    busybox: join(directory, 'bin/busybox'),
    mkfsXfs: join(directory, 'sbin/mkfs.xfs'),
    libraries: ['usr/lib', 'lib'].map((lib) => join(directory, lib, 'x86_64-linux-gnu')).join(':'),
  };
}

/** Starts each program once: what the host's libraries lack shows here and not when a guest starts. */
async function checkTools(tools: Tools): Promise<void> {
  const env = { ...process.env, LD_LIBRARY_PATH: tools.libraries };
  try {
    await command(tools.qemu, ['--version']);
    await command(tools.virtiofsd, ['--version']);
    await command(tools.busybox, ['true']);
    await command(tools.mkfsXfs, ['-V'], { env });
    for (const program of ['xz', 'zstd', 'lz4', 'mkfs.ext4']) await command(program, ['-V']);
  } catch (error) {
    throw new VmUnavailable(`${messageOf(error)} (needed packages: ${hostPackages.join(' ')})`, { cause: error });
  }
}

/** For each kernel of the series, newest first, the packages that make it up. A signed image is preferred. */
async function kernelCandidates(apt: PrivateApt, name: KernelName): Promise<string[][]> {
  const pattern = /^linux-(image|binary|binary-unsigned)-(\d+\.\d+\.\d.*-cloud-amd64)(-unsigned)?$/;
  const names = await apt.names('^linux-(image|binary|modules|base)-.*cloud-amd64');
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
async function prepareKernel(directory: string, busybox: string): Promise<void> {
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
  await writeFile(join(directory, 'vmlinux'), await extractVmlinux(await readFile(image)));

  const files = await readdir(modules, { recursive: true });
  const compressed = files.filter((file) => file.endsWith('.ko.xz'));
  if (compressed.length > 0) await command('xz', ['-d', '-T0', ...compressed], { cwd: modules });
  await command(busybox, ['depmod', '-b', directory, release]);
  await writeFile(join(directory, 'initramfs'), await initramfs(modules, busybox));
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
      const { release } = await fetchKernel(name, options);
      console.log(`${name} ${release}`);
    }
  } catch (error) {
    console.error(messageOf(error));
    process.exitCode = 1;
  }
}
