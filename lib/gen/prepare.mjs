// Plain JavaScript: this runs before anything is installed or compiled.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, lchownSync, lstatSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { withLock } from './lock.mjs';
import { buildNeeds, installMissing } from './packages.mjs';
import { fail, say } from './speak.mjs';

export const root = join(dirname(fileURLToPath(import.meta.url)), '../..');

const stamp = join(root, 'dist/.fresh');
const generated = /\.bpf\.ts$/;

/**
 * Makes the project ready to run: system packages, npm packages, build. Does nothing when all is as the last time.
 * Ends the process with one sentence when something is missing that it cannot get.
 * @returns {Promise<string>} what the build was made from, as a digest
 */
export async function prepare() {
  checkNode();
  if (isFresh()) {
    return fingerprint();
  }
  return await withLock(join(root, '.cache/lock'), () => {
    // Another process may have done the work while this one waited.
    if (!isFresh()) {
      const before = fingerprint();
      const missing = installMissing(buildNeeds);
      if (missing !== '') {
        fail(missing);
      }
      installDependencies();
      build();
      writeFileSync(stamp, before);
      giveToOwner();
    }
    return fingerprint();
  });
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    fail(`needs Node.js 20.19 or newer; this is ${process.version}`);
  }
  if (process.platform !== 'linux') {
    fail('needs Linux');
  }
}

function isFresh() {
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === fingerprint();
}

/**
 * Imports a compiled module, by its path below dist. The compiler, which reads this file too, must not follow.
 * @param {string} path
 */
export async function compiled(path) {
  return await import(pathToFileURL(join(root, 'dist', path)).href);
}

/** Changes whenever a file that the build reads changes, by name, size and time: reading them all would be slow. */
function fingerprint() {
  const hash = createHash('sha256').update(`${process.arch}\n`);
  for (const name of ['package-lock.json', 'tsconfig.json', 'bpf', 'lib', 'tools', 'test']) {
    describe(name, hash);
  }
  return hash.digest('hex');
}

/**
 * @param {string} path below the root: a project that was moved is as fresh as before
 * @param {import('node:crypto').Hash} hash
 */
function describe(path, hash) {
  const stat = statSync(join(root, path), { throwIfNoEntry: false });
  if (stat?.isDirectory()) {
    for (const name of readdirSync(join(root, path)).sort()) {
      describe(join(path, name), hash);
    }
  } else if (stat !== undefined && !generated.test(path)) {
    hash.update(`${path}\0${stat.size}\0${stat.mtimeMs}\n`);
  }
}

function installDependencies() {
  if (lstatSync(join(root, 'node_modules'), { throwIfNoEntry: false })?.isSymbolicLink()) {
    // Somebody else's, whoever put the link there answers for it: installing would begin with emptying it.
    return;
  }
  const installed = statSync(join(root, 'node_modules/.package-lock.json'), { throwIfNoEntry: false });
  const wanted = statSync(join(root, 'package-lock.json'));
  if (installed !== undefined && installed.mtimeMs >= wanted.mtimeMs && hasOwnPlatform()) {
    return;
  }
  say('installing npm packages');
  // npm hands its own options down by environment; those of `npm install -g` would send this one elsewhere.
  const inherited =
    /^npm_config_(global|location|prefix|local_prefix|omit|include|only|production|dry_run|json|workspace)/;
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !inherited.test(name.toLowerCase())));
  const npm = process.env.npm_execpath;
  const [command, first] = npm?.endsWith('.js') ? [process.execPath, [npm]] : ['npm', []];
  const options = ['ci', '--ignore-scripts', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  // A registry that does not answer is a message, not a wait.
  options.push('--fetch-timeout=60000', '--fetch-retry-mintimeout=2000', '--fetch-retry-maxtimeout=10000');
  run('cannot install the npm packages', command, [...first, ...options], { env, quiet: true });
  // Prebuilt binaries come as a package for each platform; one that does not suit this C library shows only here.
  run('koffi does not load', process.execPath, ['--import', 'koffi', '--eval', '']);
}

/** A checkout that is shared with another machine may carry the other machine's binaries. */
function hasOwnPlatform() {
  return existsSync(join(root, `node_modules/@koromix/koffi-linux-${process.arch}`));
}

function build() {
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  // The generator is written in TypeScript, and what it generates is needed by the tools: compile, generate, and the
  // generator compiles once more, this time with types checked.
  run('cannot compile the generator', process.execPath, [compiler, '-p', '.', '--noCheck']);
  run('the build failed', process.execPath, [join(root, 'dist/lib/gen/build.js')]);
}

/**
 * What the command says goes to stderr; `quiet` keeps only what it says there itself.
 * @param {string} failure what to say when the command fails
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ env?: NodeJS.ProcessEnv, quiet?: boolean }} [options]
 */
function run(failure, command, args, { env = process.env, quiet = false } = {}) {
  const stdio = /** @type {const} */ (['ignore', quiet ? 'ignore' : 2, 2]);
  const { status, signal, error } = spawnSync(command, args, {
    cwd: root,
    env,
    stdio: [...stdio],
    // npm without a registry has been seen to spin for ever, deaf to SIGTERM.
    timeout: 10 * 60_000,
    killSignal: 'SIGKILL',
  });
  if (status !== 0) {
    fail(failure, error?.message ?? (signal === null ? `exit status ${status}` : signal));
  }
}

/** After `sudo npm start` in the checkout of an ordinary user, that user must still be able to build. */
function giveToOwner() {
  const { uid, gid } = statSync(root);
  if (process.getuid?.() !== 0 || uid === 0) {
    return;
  }
  const skeletons = readdirSync(join(root, 'bpf')).filter((name) => generated.test(name));
  for (const name of ['node_modules', 'dist', '.cache', ...skeletons.map((skeleton) => join('bpf', skeleton))]) {
    give(join(root, name), uid, gid);
  }
}

/**
 * @param {string} path
 * @param {number} uid
 * @param {number} gid
 */
function give(path, uid, gid) {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) {
    return;
  }
  if (stat.uid !== uid) {
    lchownSync(path, uid, gid);
  }
  if (stat.isDirectory()) {
    for (const name of readdirSync(path)) {
      give(join(path, name), uid, gid);
    }
  }
}
