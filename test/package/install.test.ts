import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { aliasesOf, Registry } from '../../lib/cli/registry.ts';
import { copyProject } from '../helpers/copied-project.ts';
import { npmEnvironment } from '../helpers/npm-environment.ts';
import { type RunOptions, startCommand, type ToolResult } from '../helpers/run-tool.ts';
import { unprivileged } from '../helpers/unprivileged.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'kscope-install-'));
const project = join(scratch, 'project');
const commands = readdirSync(join(root, 'dist/commands/bin'));
/** A PATH with Node on it and nothing else: no compiler, no shell. */
const nodeOnly = join(scratch, 'node-only');

before(() => {
  copyProject(project);
  // Anybody may run what is installed here.
  chmodSync(scratch, 0o755);
  mkdirSync(nodeOnly);
  symlinkSync(process.execPath, join(nodeOnly, 'node'));
});
after(() => rmSync(scratch, { recursive: true }));

function npm(...args: readonly string[]): string {
  // What npm tells the scripts that it runs is not meant for the npm that a test of such a script runs.
  const env = Object.fromEntries(Object.entries(npmEnvironment()).filter(([name]) => !/^npm_/i.test(name)));
  const { status, stdout, stderr } = spawnSync('npm', [...args, '--no-audit', '--no-fund', '--prefer-offline'], {
    cwd: project,
    env,
    encoding: 'utf8',
  });
  assert.equal(status, 0, `npm ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** Runs an installed command where there is Node and nothing else. */
function run(prefix: string, command: string, args: readonly string[], who: RunOptions = {}): Promise<ToolResult> {
  return startCommand([join(prefix, 'bin', command), ...args], { cwd: '/', env: { PATH: nodeOnly }, ...who }).ended();
}

test('the package has what runs, and not what builds or tests it', async (t) => {
  const manifest = readFileSync(join(project, 'package.json'), 'utf8');
  const tarball = join(scratch, npm('pack', '--silent', '--pack-destination', scratch).trim());

  await t.test('the manifest of the project is as it was', () => {
    assert.equal(readFileSync(join(project, 'package.json'), 'utf8'), manifest);
  });

  const files = execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' })
    .split('\n')
    .map((file) => file.replace(/^package\//, ''));

  await t.test('every tool has its command, objects, definition and manual page', () => {
    const tools = readdirSync(join(root, 'tools')).map((file) => file.replace(/\.ts$/, ''));
    const wanted = tools.flatMap((tool) => [
      `dist/commands/bin/${tool}`,
      `dist/bpf/x86/${tool}.bpf.o`,
      `dist/bpf/arm64/${tool}.bpf.o`,
      `dist/bpf/${tool}.bpf.js`,
      `dist/tools/${tool}.js`,
      `man/${tool}.8`,
    ]);
    const others = ['LICENSE', 'README.md', 'package.json', 'dist/lib/index.d.ts', 'man/kscope.8'];
    assert.deepEqual(
      [...wanted, ...others].filter((file) => !files.includes(file)),
      [],
    );
  });

  await t.test('no sources, tests or build steps', () => {
    const unwanted = files.filter((file) => /^(dist\/)?test\/|^dist\/lib\/gen\/|(?<!\.d)\.ts$|\.c$/.test(file));
    assert.deepEqual(unwanted, []);
  });

  await t.test('installed alone, every command and manual page is there', () => {
    const prefix = join(scratch, 'alone');
    npm('install', '--global', '--prefix', prefix, tarball);
    assert.deepEqual(readdirSync(join(prefix, 'bin')).sort(), [...commands].sort());
    assert.deepEqual(readdirSync(join(prefix, 'share/man/man8')).sort(), readdirSync(join(root, 'man')).sort());
    // It has no use for the project, nor for what is left of the build.
    assert.doesNotMatch(readFileSync(join(prefix, 'lib/node_modules/kscope/package.json'), 'utf8'), /"(scripts|dev)/);
  });

  await t.test('installed alone, every command explains itself to anybody', async () => {
    const alone = join(scratch, 'alone');
    const tools = await new Registry().loadAll();
    const summaries = new Map(Array.from(tools, ([name, { summary }]) => [name, summary]));
    for (const [alias, { tool }] of aliasesOf(tools)) {
      summaries.set(alias, summaries.get(tool) ?? '');
    }
    // One process for all of them: each is imported as Node runs it, and ends where its process would.
    const each = `
      for (const command of process.argv.slice(1)) {
        const wait = new Promise((resolve) => { process.exit = resolve; });
        process.argv = [process.execPath, command, '--help'];
        console.log('$ ' + command);
        await import(command);
        console.log('= ' + (await wait));
      }`;
    const paths = commands.map((command) => join(alone, 'lib/node_modules/kscope/dist/commands/bin', command));
    const node = [join(nodeOnly, 'node'), '--input-type=module', '-e', each] as const;
    const inside = await startCommand([...node, ...paths], {
      cwd: '/',
      env: { PATH: nodeOnly },
      ...unprivileged,
    }).ended();
    assert.deepEqual([inside.code, inside.stderr], [0, '']);
    const said = inside.stdout.split(/^\$ .*\/(.*)\n/m).slice(1);
    assert.deepEqual(
      said.filter((_, i) => i % 2 === 0),
      commands,
    );
    for (const [i, command] of commands.entries()) {
      const text = said[2 * i + 1] ?? '';
      assert.match(text, new RegExp(`^Usage: ${command} [^]*\n= 0\n$`));
      assert.ok(text.replace(/\s+/g, ' ').includes(summaries.get(command) ?? ''), command);
      assert.equal(realpathSync(join(alone, 'bin', command)), paths[i]);
    }
    // And started: the one for all, a tool, and another name of one.
    for (const command of ['kscope', [...tools.keys()][0] ?? '', [...aliasesOf(tools).keys()][0] ?? '']) {
      const { code, stdout, stderr } = await run(alone, command, ['--help'], unprivileged);
      assert.deepEqual([code, stderr], [0, ''], command);
      assert.match(stdout, new RegExp(`^Usage: ${command} `));
    }
  });

  await t.test(
    'installed alone, a tool traces',
    { skip: process.getuid?.() === 0 ? false : 'needs root' },
    async () => {
      const { code, stdout, stderr } = await run(join(scratch, 'alone'), 'opensnoop', ['--json', '--duration', '0.2']);
      assert.equal(code, 0, stderr);
      assert.match(stdout, /^\{"type":"ready","tool":"opensnoop"/);
    },
  );
});

test('a folder that is not built yet is built and linked by `npm install --global .`', async () => {
  // Most objects remain: it takes minutes to compile them.
  for (const part of readdirSync(join(project, 'dist'))) {
    rmSync(join(project, 'dist', part === 'bpf' ? 'bpf/x86/opensnoop.bpf.o' : part), { recursive: true });
  }
  const prefix = join(scratch, 'linked');
  npm('install', '--global', '--prefix', prefix, '.');
  assert.deepEqual(readdirSync(join(prefix, 'bin')).sort(), [...commands].sort());
  const { code, stdout } = await run(prefix, 'kscope', ['list']);
  assert.equal(code, 0);
  assert.match(stdout, /^ {2}opensnoop /m);
  npm('uninstall', '--global', '--prefix', prefix, 'kscope');
  assert.deepEqual(existsSync(join(prefix, 'bin')) ? readdirSync(join(prefix, 'bin')) : [], []);
});
