import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { say } from './speak.mjs';

/**
 * Something that the system must provide. `debian` is the package, `thing` is for everybody else.
 * @typedef {{ thing: string, debian: string, present: () => boolean }} Need
 */

/**
 * For building, and for running what was built.
 * @type {readonly Need[]}
 */
export const buildNeeds = [
  { thing: 'clang', debian: 'clang', present: () => hasProgram('clang') },
  { thing: 'llvm-strip', debian: 'llvm', present: () => hasProgram('llvm-strip') },
  { thing: "libbpf's headers", debian: 'libbpf-dev', present: () => existsSync('/usr/include/bpf/bpf_helpers.h') },
  { thing: 'libbpf.so.1', debian: 'libbpf1', present: () => hasLibrary('libbpf.so.1') },
];

/**
 * Packages that are wanted by name.
 * @param {readonly string[]} packages
 * @returns {readonly Need[]}
 */
export function packageNeeds(packages) {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg fills this in
  const query = ['--show', '--showformat', '${Package} ${db:Status-Status}\n', ...packages];
  // Fails when one of them is unknown, and lists the others all the same.
  const { stdout } = spawnSync('dpkg-query', query, { encoding: 'utf8' });
  const installed = new Set(stdout?.split('\n') ?? []);
  return packages.map((name) => ({ thing: name, debian: name, present: () => installed.has(`${name} installed`) }));
}

/**
 * Installs what is missing with apt.
 * @param {readonly Need[]} needs
 * @returns {string} empty, or one sentence that says what is missing and how to get it
 */
export function installMissing(needs) {
  const missing = needs.filter((need) => !need.present());
  if (missing.length === 0) {
    return '';
  }
  const things = missing.map((need) => need.thing).join(', ');
  const packages = missing.map((need) => need.debian).join(' ');
  if (!hasProgram('apt-get')) {
    return `missing ${things}: install what provides them (Debian and Ubuntu: ${packages})`;
  }
  if (process.getuid?.() !== 0) {
    return `missing ${things}: run \`sudo apt-get install -y ${packages}\` and try again`;
  }
  say(`installing ${packages} with apt-get`);
  const why = install(missing.map((need) => need.debian));
  return why === '' ? '' : `cannot install ${packages}: ${why}`;
}

/** @param {readonly string[]} packages */
function install(packages) {
  // Lists that are there may be old, and then a package that they name is gone.
  const attempts = hasPackageLists() ? [['install'], ['update', 'install']] : [['update', 'install']];
  let why = '';
  for (const attempt of attempts) {
    why = '';
    for (const verb of attempt) {
      why ||= aptGet(verb, verb === 'install' ? packages : []);
    }
    if (why === '') {
      break;
    }
  }
  return why;
}

/**
 * @param {string} verb
 * @param {readonly string[]} packages
 * @returns {string} why it failed, empty when it did not
 */
function aptGet(verb, packages) {
  const options = [
    ...['--quiet=2', '--yes', '--no-install-recommends', '-o', 'Dpkg::Use-Pty=0', '-o', 'DPkg::Lock::Timeout=120'],
    // A mirror that does not answer is a message, not a wait.
    ...['-o', 'Acquire::http::Timeout=20', '-o', 'Acquire::https::Timeout=20', '-o', 'Acquire::Retries=1'],
    ...['-o', 'APT::Update::Error-Mode=any'],
  ];
  const { status, error, stdout, stderr } = spawnSync('apt-get', [...options, verb, ...packages], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' },
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    timeout: 15 * 60_000,
  });
  if (status === 0) {
    return '';
  }
  const complaints = `${stdout}\n${stderr}`.split('\n').filter((line) => /^E:/.test(line));
  return complaints[0]?.slice('E: '.length) ?? error?.message ?? `apt-get ${verb} ended with status ${status}`;
}

function hasPackageLists() {
  return list('/var/lib/apt/lists').some((name) => /_Packages/.test(name));
}

/**
 * By its plain name, or by one with a version (clang-16).
 * @param {string} name
 */
function hasProgram(name) {
  const versioned = new RegExp(`^${name}(-\\d+)?$`);
  return (process.env.PATH ?? '')
    .split(':')
    .some((directory) => list(directory).some((file) => versioned.test(file) && isExecutable(join(directory, file))));
}

/** @param {string} name */
function hasLibrary(name) {
  const triplet = process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu';
  const directories = ['/usr/lib', '/lib'].flatMap((lib) => [join(lib, triplet), `${lib}64`, lib]);
  return directories.some((directory) => existsSync(join(directory, name)));
}

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** @param {string} directory */
function list(directory) {
  try {
    return readdirSync(directory);
  } catch {
    // PATH may well name directories that do not exist.
    return [];
  }
}
