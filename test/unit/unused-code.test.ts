// What a compiler does not tell: it looks at one file, and these are for others.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** Texts by path. */
function sources(folders: readonly string[], wanted: RegExp): ReadonlyMap<string, string> {
  const files = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)),
  );
  return new Map(
    files.filter((file) => wanted.test(file)).map((file) => [file, readFileSync(join(root, file), 'utf8')]),
  );
}

function timesNamed(name: string, text: string): number {
  return text.match(new RegExp(`\\b${name}\\b`, 'g'))?.length ?? 0;
}

/** Exports that no other file names beside the name of their module. A type may be that of something else exported. */
function unusedExports(files: ReadonlyMap<string, string>): readonly string[] {
  const declared = /^export (?:async )?(?:(const|let|class|function\*?)|type|interface) (\w+)/gm;
  return [...files].flatMap(([file, text]) => {
    const module = new RegExp(`[/']${basename(file).replace(/\.\w+$/, '')}(\\.(m?[jt]s|tsx))?['"\`]`);
    const others = [...files].filter(([other, text]) => other !== file && module.test(text)).map(([, text]) => text);
    // What a template writes is another file's.
    const own = text.replace(/`(?:\\.|[^`\\])*`/gs, '``');
    return [...own.matchAll(declared)].flatMap(([, value, name = '']) =>
      others.some((text) => timesNamed(name, text) > 0) || (value === undefined && timesNamed(name, text) > 1)
        ? []
        : [`${file}: ${name}`],
    );
  });
}

test('an export that nobody imports is found, a type of one that somebody does is none', () => {
  const text =
    'export const a = 1;\nexport function b() {}\nexport interface C {}\nexport interface D {}\nconst d: D = {};\n';
  const files = (user: string) =>
    new Map(
      [['x/one.ts', text]].concat([
        ['x/two.ts', user],
        ['x/other.ts', 'b();'],
      ]) as [string, string][],
    );
  assert.deepEqual(unusedExports(files("import { a, b } from './one.ts';")), ['x/one.ts: C']);
  assert.deepEqual(unusedExports(files("const { a, C } = await import('./one.ts');")), ['x/one.ts: b']);
});

/** Loaded by the name of the file, which is that of the export. */
const byName = /^test\/bench\/workloads\//;

test('what is exported is imported by somebody', () => {
  const unused = unusedExports(sources(['lib', 'tools', 'bpf', 'test'], /\.(m?[jt]s|tsx)$/));
  assert.deepEqual(
    unused.filter((one) => !byName.test(one)),
    [],
  );
});

/** Macros, functions and constants of a header, without the programs that it makes. */
function helpersOf(text: string): readonly string[] {
  const macros = [...text.matchAll(/^\s*#\s*define\s+(\w+)/gm)];
  const functions = [...text.matchAll(/^static .*?\b(\w+)\(/gm)];
  return [...macros, ...functions].map(([, name = '']) => name);
}

test('what a header has is used by a program or another header', () => {
  const code = [...sources(['bpf', 'test/fixtures'], /\.[ch]$/)].map(
    ([file, text]) => [file, text.replace(/\/\*.*?\*\/|^\s*\/\/.*?$/gms, '')] as const,
  );
  const all = code.map(([, text]) => text).join('\n');
  // Names that macros put together.
  const endings = [...all.matchAll(/##(_\w+)/g)].map(([, ending = '']) => ending);
  // Headers of libbpf ask for these.
  const known = /^(__VMLINUX_H__|KSCOPE_.*_H|E[A-Z]+)$/;
  const unused = code
    .filter(([file]) => file.startsWith('bpf/include/'))
    .flatMap(([file, text]) =>
      helpersOf(text)
        .filter((name) => !known.test(name) && !endings.some((ending) => name.endsWith(ending)))
        .filter((name) => timesNamed(name, all) < 2)
        .map((name) => `${file}: ${name}`),
    );
  assert.deepEqual(unused, []);
});
