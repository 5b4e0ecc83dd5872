import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** What each folder of lib/ may import, itself aside. Imports point downwards: nothing below knows what is above. */
const layers: Readonly<Record<string, readonly string[]>> = {
  native: ['model'],
  model: [],
  system: ['native', 'model'],
  bpf: ['native', 'model', 'system'],
  probes: ['bpf', 'model', 'system'],
  shapes: ['probes', 'bpf', 'model', 'system'],
  output: ['shapes', 'model'],
  replay: ['shapes', 'model'],
  view: ['shapes', 'model'],
  cli: ['output', 'view', 'replay', 'shapes', 'bpf', 'model', 'system'],
  gen: ['cli', 'output', 'shapes', 'bpf', 'model'],
};

/** The only folder that may import a package; no folder may import any other. */
const packages: Readonly<Record<string, string>> = {
  koffi: 'native',
  commander: 'cli',
  'cli-table3': 'output',
  ink: 'view',
  react: 'view',
  esbuild: 'gen',
};

/** Modules of Node that only compute: all that lib/model may use of it. */
const pure = new Set(['node:buffer', 'node:os', 'node:util']);

/** The only files that may collect what others export. */
const collections = new Set(['lib/tool.ts', 'lib/index.ts']);

interface Import {
  readonly file: string;
  readonly from: string;
}

function sources(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.m?[jt]sx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length))
    .sort();
}

/** Every import and re-export of a module, static and dynamic, of values and of types. */
function importsOf(text: string): readonly string[] {
  const code = text.replace(/\/\*.*?\*\/|^\s*\/\/.*$/gms, '').replace(/`(?:\\.|[^`\\])*`/gs, '``');
  const statement =
    /^\s*(?:import|export)\b[^'";]*?from\s*'([^']+)'|^\s*import\s*'([^']+)'|\bimport\(\s*'([^']+)'\s*\)/gm;
  return [...code.matchAll(statement)].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
}

function importsIn(folder: string): readonly Import[] {
  return sources(folder).flatMap((file) =>
    importsOf(readFileSync(join(root, file), 'utf8')).map((from) => ({ file, from })),
  );
}

/** 'bpf' for lib/bpf/btf.ts, undefined for what lies outside the folders of lib/. */
function layerOf(path: string): string | undefined {
  return /^lib\/([^/]+)\//.exec(path)?.[1];
}

function target({ file, from }: Import): string {
  return normalize(join(dirname(file), from));
}

function packageOf(from: string): string {
  return from.split('/', from.startsWith('@') ? 2 : 1).join('/');
}

test('imports are found in every way of writing them', () => {
  const text = [
    "import a from './a.ts';",
    'import {\n  b,\n  c,\n} from "x";',
    "import {\n  b,\n  type C,\n} from './b.ts';",
    "import './c.ts';",
    "export { d } from './d.ts';",
    "export * from './e.ts';",
    "const f = await import('./f.ts');",
    "type G = import('./g.ts').G;",
    "// import './h.ts';",
    "/*\nimport './i.ts';\n*/",
    "const text = `\nimport './j.ts';\n`;",
  ].join('\n');
  assert.deepEqual(importsOf(text), ['./a.ts', './b.ts', './c.ts', './d.ts', './e.ts', './f.ts', './g.ts']);
});

test('every folder of lib is a layer', () => {
  const folders = readdirSync(join(root, 'lib'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);
  assert.deepEqual(
    folders.filter((folder) => layers[folder] === undefined),
    [],
  );
});

test('imports between layers point downwards', () => {
  const wrong = importsIn('lib')
    .filter(({ from }) => from.startsWith('.'))
    .filter((entry) => {
      const here = layerOf(entry.file);
      const there = layerOf(target(entry));
      // lib/tool.ts and lib/index.ts lie above the layers; nobody in lib imports them, or a tool.
      return here === undefined ? there === undefined : here !== there && !layers[here]?.includes(there ?? '');
    });
  assert.deepEqual(wrong, []);
});

test('each package has one folder that imports it', () => {
  const wrong = importsIn('lib').filter(({ file, from }) => {
    const outside = !from.startsWith('.') && !from.startsWith('node:');
    return outside && packages[packageOf(from)] !== layerOf(file);
  });
  assert.deepEqual(wrong, []);
});

/** Files that are longer than others may be, and why. */
const long: Readonly<Record<string, string>> = {
  'lib/system/symbols/rust-names.ts': 'one grammar, whose rules call each other',
};

test('a file of lib is short, or there is a reason', () => {
  const lines = (file: string) => readFileSync(join(root, file), 'utf8').split('\n').length - 1;
  assert.deepEqual(
    sources('lib')
      .filter((file) => lines(file) > 400)
      .sort(),
    Object.keys(long),
  );
});

test('modules of Node are imported by their full name', () => {
  // Newer versions list those that have no other name with their full one.
  const bare = new Set(builtinModules.filter((name) => !name.startsWith('node:')));
  const wrong = ['lib', 'tools', 'test'].flatMap(importsIn).filter(({ from }) => bare.has(from));
  assert.deepEqual(wrong, []);
});

test('the model does no input or output', () => {
  const wrong = importsIn('lib/model').filter(({ from }) => from.startsWith('node:') && !pure.has(from));
  assert.deepEqual(wrong, []);
});

test('a tool imports lib/tool.ts and the types of its object, nothing else', () => {
  const wrong = importsIn('tools').filter(({ file, from }) => {
    const name = file.replace(/^tools\/|\.ts$/g, '');
    return from !== '../lib/tool.ts' && from !== `../bpf/${name}.bpf.ts`;
  });
  assert.deepEqual(wrong, []);
});

/** Strings that are a tool's name and nothing else; a name may be an ordinary word, so comments and prose do not count. */
function toolLiterals(text: string, names: readonly string[]): readonly string[] {
  return names.filter((name) => new RegExp(`(['"\`])${name}\\1`).test(text));
}

test('a string that is exactly the name of a tool is found, a word in a sentence is not', () => {
  const names = ['opensnoop', 'profile'];
  const found = (text: string) => toolLiterals(text, names);
  assert.deepEqual(found("if (name === 'opensnoop') {}"), ['opensnoop']);
  assert.deepEqual(found('run("profile"); run(`opensnoop`);'), ['opensnoop', 'profile']);
  assert.deepEqual(found("import { profile } from './profile-files.ts'; // a profile of 'opensnoop -x'"), []);
  assert.deepEqual(found("text('write a profile'); it's a profile's name"), []);
});

test('nothing in lib names a tool', () => {
  const names = readdirSync(join(root, 'tools'))
    .filter((file) => file.endsWith('.ts'))
    .map((file) => file.slice(0, -'.ts'.length));
  assert.ok(names.length > 0);
  const found = sources('lib').flatMap((file) =>
    toolLiterals(readFileSync(join(root, file), 'utf8'), names).map((name) => ({ file, name })),
  );
  assert.deepEqual(found, []);
});

test('only the two entry points collect what others export', () => {
  const wrong = ['lib', 'tools'].flatMap(sources).filter((file) => {
    const text = readFileSync(join(root, file), 'utf8');
    return !collections.has(file) && /^\s*export\s+(?:\*|(?:type\s+)?\{[^}]*\}\s+from\b)/m.test(text);
  });
  assert.deepEqual(wrong, []);
});

test('files are named in kebab case and never utils', () => {
  const wrong = ['lib', 'tools', 'test'].flatMap(sources).filter((file) => {
    const name = file.slice(file.lastIndexOf('/') + 1);
    return (
      !/^[a-z0-9]+(-[a-z0-9]+)*(\.test|\.bpf)?\.m?[jt]sx?$/.test(name) || /^(utils?|helpers?|misc|common)\./.test(name)
    );
  });
  assert.deepEqual(wrong, []);
});
