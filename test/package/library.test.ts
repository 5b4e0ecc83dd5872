import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findToolchain } from '../../lib/gen/toolchain.ts';
import * as library from '../../lib/index.ts';
import { startCommand, toolCommand } from '../helpers/run-tool.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const guide = readFileSync(join(root, 'lib/README.md'), 'utf8');
const section = /^## The library$.*?(?=^## )/ms.exec(guide)?.[0] ?? '';
const project = mkdtempSync(join(tmpdir(), 'kscope-library-'));
const examples = new Map<string, string>();

/** A project of its own that has the package installed, with the files of the guide. */
before(() => {
  mkdirSync(join(project, 'node_modules/@types'), { recursive: true });
  symlinkSync(root, join(project, 'node_modules/kscope'));
  symlinkSync(join(root, 'node_modules/@types/node'), join(project, 'node_modules/@types/node'));
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
  for (const [, c, ts, text = ''] of section.matchAll(/^```(?:c|ts)\n(?:\/\* (\S+) \*\/|\/\/ (\S+))\n(.*?)^```$/gms)) {
    examples.set(c ?? ts ?? '', text);
    writeFileSync(join(project, c ?? ts ?? ''), text);
  }
  const [compiler = '', generate = ''] = /^```sh\n(.*?)^```$/ms.exec(section)?.[1]?.split('\n') ?? [];
  execFileSync('sh', ['-c', compiler.replace('clang', findToolchain().clang)], { cwd: project });
  const [, types = '', object = '', , file = ''] = generate.split(' ');
  const [node, ...command] = toolCommand('kscope', [types, join(project, object)]);
  writeFileSync(join(project, file), execFileSync(node, command));
  assert.equal(compile(...[...examples.keys()].filter((name) => name.endsWith('.ts'))), '');
});
after(() => rmSync(project, { recursive: true }));

/** Compiles as a strict project does. @returns what the compiler says */
function compile(...files: readonly string[]): string {
  const options = [
    '--target',
    'es2023',
    '--lib',
    'es2023,esnext.disposable',
    '--module',
    'nodenext',
    '--types',
    'node',
  ];
  const strict = ['--strict', '--rewriteRelativeImportExtensions', '--verbatimModuleSyntax'];
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const { stdout } = spawnSync(process.execPath, [compiler, ...files, '--ignoreConfig', ...options, ...strict], {
    cwd: project,
    encoding: 'utf8',
  });
  return stdout;
}

/** Runs an example until what it prints is as expected. */
async function run(name: string, act: () => void, prints: (stdout: string) => boolean): Promise<void> {
  assert.ok((examples.get(`${name}.ts`) ?? '').split('\n').length <= 25, 'an example is short');
  await using example = startCommand([process.execPath, `${name}.js`], { cwd: project });
  await example.ready();
  act();
  await example.until(({ stdout }) => prints(stdout), 'what it saw');
  const { code, signal, stderr } = await example.end();
  assert.ok(code === 0 || signal === 'SIGINT', stderr);
}

/** Nobody else is this user. */
const uid = 1_000_000 + process.pid;

/** Starts a program that many times. @returns its process ids */
function start(times: number): number[] {
  return Array.from({ length: times }, () => spawnSync('/bin/true', { uid }).pid);
}

test('a map is read', async () => {
  await run(
    'count-programs',
    () => start(7),
    (stdout) => stdout.includes(`user ${uid} started 7 programs\n`),
  );
});

test('events are read as they come', async () => {
  let started: readonly number[] = [];
  await run(
    'print-programs',
    () => {
      started = start(7);
    },
    (stdout) => started.every((pid) => stdout.split('\n').includes(`${pid} true`)),
  );
});

test('a tool is run from a program', async () => {
  await run(
    'print-opens',
    () => spawnSync('cat', ['/nonexistent/kscope']),
    (stdout) => /^cat \/nonexistent\/kscope$/m.test(stdout),
  );
});

test('names and types are those of the object', () => {
  const wrong = [
    "object.map('nobody');",
    "object.ring('nobody');",
    "object.program('nobody');",
    "object.attach(['nobody']);",
    "object.globals.set('first_uid', 'root');",
    "const [[user]] = object.map('by_user').entries(); const name: string = user;",
    "const pid: string = object.ring('events').drain()[0].pid;",
  ];
  const head = [
    "import { BpfObject } from 'kscope';",
    "import type Programs from './programs.bpf.ts';",
    "const object = BpfObject.open<Programs>('programs.bpf.o');",
  ];
  writeFileSync(join(project, 'wrong.ts'), [...head, ...wrong.map((line) => `{ ${line} }`)].join('\n'));
  const lines = [...compile('wrong.ts').matchAll(/^wrong\.ts\((\d+),/gm)].map(([, line]) => Number(line));
  assert.deepEqual(
    [...new Set(lines)],
    wrong.map((_, i) => head.length + 1 + i),
  );
});

test('the guide names all that is exported, and nothing else', () => {
  const table = /^\| +\| +\|\n.*?\n\n/ms.exec(section)?.[0] ?? '';
  const named = [...table.matchAll(/^\| (`[^|]+`) +\|/gm)].flatMap(([, names = '']) => names.match(/\w+/g) ?? []);
  const source = readFileSync(join(root, 'lib/index.ts'), 'utf8');
  const exported = [...source.matchAll(/^export (?:type )?\{(.*?)\}/gm)].flatMap(([, names = '']) =>
    names.split(',').map((name) => name.replace('type ', '').trim()),
  );
  assert.deepEqual(named.sort(), exported.sort());
  assert.deepEqual(
    Object.keys(library).filter((name) => !exported.includes(name)),
    [],
  );
});
