import { access, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { command } from './command.ts';
import { VmUnavailable } from './unavailable.ts';

/** The suites that hold the programs and the kernels we want: name, and whether it lives in the security archive. */
const suites: readonly [string, 'main' | 'security'][] = [
  ['bookworm', 'main'],
  ['bookworm-backports', 'main'],
  ['bullseye', 'main'],
  ['trixie', 'main'],
  ['trixie-backports', 'main'],
  ['bookworm-security', 'security'],
  ['bullseye-security', 'security'],
  ['trixie-security', 'security'],
];
const debian = /^(bullseye|bookworm|trixie|forky|sid|oldoldstable|oldstable|stable|testing|unstable)(-security)?$/;
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

/**
 * An apt with its own lists, cache and sources, so that the host's packages and its configuration of archives stay as
 * they are. Proxies and certificates are the host's.
 */
export class PrivateApt {
  readonly #config: string;
  #problem = '';

  private constructor(config: string) {
    this.#config = config;
  }

  /**
   * Writes the configuration below `directory` and gets the package lists. Takes a few seconds and 30 MB.
   * @param architecture Debian's name of the machine that the packages are for
   */
  static async open(directory: string, architecture: string): Promise<PrivateApt> {
    const archives = await findArchives();
    for (const part of ['state/lists/partial', 'cache/archives/partial']) {
      await mkdir(join(directory, part), { recursive: true });
    }
    await writeFile(join(directory, 'status'), '');
    const config = join(directory, 'apt.conf');
    await writeFile(config, configuration(directory, architecture));
    const apt = new PrivateApt(config);
    const main = await apt.#reachable(directory, archives.main);
    const lines = suites.map(([suite, archive]) => {
      const uri = archive === 'main' ? main : archives.security;
      return uri && `deb [signed-by=${keyring}] ${uri} ${suite} main\n`;
    });
    await writeFile(join(directory, 'sources.list'), lines.join(''));
    try {
      await apt.#run('apt-get', ['-qq', 'update'], { timeout: 180_000 });
    } catch (error) {
      // A suite that went away must not take the others with it.
      if (!(error instanceof VmUnavailable) || (await apt.names('^busybox-static$')).length === 0) throw error;
      apt.#problem = error.message;
    }
    return apt;
  }

  /** What went wrong with a part of the package lists, to explain a package that is missing. */
  get problem(): string {
    return this.#problem;
  }

  /** The names of all packages that match an extended regular expression. */
  async names(pattern: string): Promise<string[]> {
    const lines = (await this.#run('apt-cache', ['search', '--names-only', pattern])).toString().split('\n');
    return lines.map((line) => line.split(' ', 1)[0] as string).filter((name) => name !== '');
  }

  /** Puts the `.deb` files of `packages` (`name` or `name/suite`) into `into`. All or an error. */
  async download(into: string, packages: readonly string[]): Promise<void> {
    await mkdir(into, { recursive: true });
    await this.#run('apt-get', ['-qq', 'download', ...packages], { cwd: into, timeout: 600_000 });
  }

  /** The same with all that they depend on, from one suite. */
  async downloadAll(into: string, packages: readonly string[], suite: string): Promise<void> {
    await mkdir(join(into, 'partial'), { recursive: true });
    const options = ['-qq', '-y', '--download-only', '--no-install-recommends', '-t', suite];
    const place = ['-o', `Dir::Cache::archives=${into}`];
    await this.#run('apt-get', [...options, ...place, 'install', ...packages], { timeout: 600_000 });
    await rm(join(into, 'partial'), { recursive: true });
    await rm(join(into, 'lock'), { force: true });
  }

  /** The first of the candidate archives that answers; tells a dead mirror in seconds, before apt tries each suite. */
  async #reachable(directory: string, candidates: readonly string[]): Promise<string> {
    const impatient = ['Acquire::Retries=0', 'Acquire::http::Timeout=5', 'Acquire::https::Timeout=5'];
    let failure: unknown;
    for (const uri of candidates) {
      const release = `${uri.replace(/\/$/, '')}/dists/bookworm-backports/Release`;
      try {
        await this.#run('/usr/lib/apt/apt-helper', [
          ...impatient.flatMap((option) => ['-o', option]),
          'download-file',
          release,
          join(directory, 'probe'),
        ]);
        return uri;
      } catch (error) {
        failure = error;
      }
    }
    const why = failure instanceof Error ? failure.message : String(failure);
    throw new VmUnavailable(`no Debian archive of this machine's apt sources answers: ${why}`, { cause: failure });
  }

  #run(file: string, args: readonly string[], options: { cwd?: string; timeout?: number } = {}): Promise<Buffer> {
    return command(file, ['-c', this.#config, ...args], { ...options, env: { ...process.env, LC_ALL: 'C.UTF-8' } });
  }
}

/** The Debian archives among the host's own apt sources, so that mirrors and snapshots chosen there are used. */
async function findArchives(): Promise<{ main: string[]; security: string | undefined }> {
  await access(keyring).catch(() => {
    throw new VmUnavailable(`${keyring} is missing: install debian-archive-keyring`);
  });
  const format = '$(REPO_URI) $(RELEASE) $(COMPONENT)';
  const targets = ['indextargets', '--no-release-info', '--format', format, 'Created-By: Packages'];
  const main = new Set<string>();
  const security = new Set<string>();
  for (const line of (await command('apt-get', targets)).toString().split('\n')) {
    const [uri, suite, component] = line.split(' ');
    const match = debian.exec(suite ?? '');
    if (uri && match && component === 'main') (match[2] ? security : main).add(uri);
  }
  if (main.size === 0) throw new VmUnavailable("apt's sources on this machine name no Debian archive");
  return { main: [...main], security: [...security][0] };
}

function configuration(directory: string, architecture: string): string {
  return `Dir::State "${directory}/state";
Dir::State::status "${directory}/status";
Dir::Cache "${directory}/cache";
Dir::Cache::pkgcache "pkgcache.bin";
Dir::Etc::sourcelist "${directory}/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
APT::Sandbox::User "root";
APT::Architecture "${architecture}";
#clear APT::Architectures;
APT::Architectures { "${architecture}"; };
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
Acquire::Languages "none";
Acquire::GzipIndexes "true";
Acquire::Retries "1";
Acquire::http::Timeout "10";
Acquire::https::Timeout "10";
`;
}
