import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { KscopeError } from '../model/errors.ts';
import { findToolchain, type Toolchain } from './toolchain.ts';

/** Architectures that objects are built for, by the name libbpf's headers give them. */
export const architectures = ['x86', 'arm64'] as const;
export type Architecture = (typeof architectures)[number];

export interface BuiltObject {
  /** NAME of bpf/NAME.bpf.c. */
  readonly name: string;
  readonly architecture: Architecture;
  /** Path below the root of the project. */
  readonly path: string;
  /** SHA-256 of the file, hexadecimal. */
  readonly digest: string;
}

/** What was known when an object was last built: the same key means that building again would change nothing. */
interface Receipt {
  readonly key: string;
  readonly digest: string;
  /** The source and every header that it read. */
  readonly inputs: readonly string[];
}

type Receipts = Record<string, Receipt>;

const execute = promisify(execFile);
const receiptsPath = '.cache/objects.json';

/**
 * Compiles every bpf/NAME.bpf.c below `root` to dist/bpf/ARCHITECTURE/NAME.bpf.o, for all architectures.
 * Objects whose inputs have not changed are left alone; those without a source are removed.
 * @returns the objects in order of name, and how many of them had to be compiled
 * @throws KscopeError failed, with the compiler's words as log, when a source does not compile
 */
export async function compileObjects(root: string): Promise<{ objects: readonly BuiltObject[]; compiled: number }> {
  const names = sourceNames(root);
  const receipts = readReceipts(root);
  const wanted = names.flatMap((name) => architectures.map((architecture) => ({ name, architecture })));
  const fresh: Receipts = {};
  const pending: { name: string; architecture: Architecture }[] = [];
  const contents = new Map<string, string>();
  let toolchain: Toolchain | undefined;
  for (const { name, architecture } of wanted) {
    const path = objectPath(name, architecture);
    const known = receipts[path];
    if (known !== undefined) {
      toolchain ??= findToolchain();
      if (keyOf(root, toolchain, architecture, known.inputs, contents) === known.key && hasDigest(root, path, known)) {
        fresh[path] = known;
        continue;
      }
    }
    pending.push({ name, architecture });
  }
  const compiled = pending.length;
  const failures: string[] = [];
  const worker = async () => {
    for (let next = pending.shift(); next !== undefined; next = pending.shift()) {
      toolchain ??= findToolchain();
      try {
        fresh[objectPath(next.name, next.architecture)] = await compile(root, toolchain, next.name, next.architecture);
      } catch (error) {
        failures.push(`bpf/${next.name}.bpf.c for ${next.architecture}:\n${compilerWords(error)}`);
      }
    }
  };
  await Promise.all([worker(), worker()]);
  mkdirSync(join(root, '.cache'), { recursive: true });
  writeFileSync(join(root, receiptsPath), JSON.stringify(fresh));
  if (failures.length > 0) {
    throw new KscopeError('failed', `cannot compile the BPF programs:\n${failures.sort().join('\n')}`);
  }
  removeOrphans(root, names);
  const objects = wanted.map(({ name, architecture }) => {
    const path = objectPath(name, architecture);
    return { name, architecture, path, digest: fresh[path]?.digest ?? '' };
  });
  return { objects, compiled };
}

function sourceNames(root: string): readonly string[] {
  return readdirSync(join(root, 'bpf'))
    .filter((file) => file.endsWith('.bpf.c'))
    .map((file) => file.slice(0, -'.bpf.c'.length))
    .sort();
}

function objectPath(name: string, architecture: Architecture): string {
  return `dist/bpf/${architecture}/${name}.bpf.o`;
}

function compilerFlags(architecture: Architecture): readonly string[] {
  return [
    ...[
      '-target',
      'bpf',
      '-mcpu=v3',
      '-g',
      '-O2',
      '-Wall',
      '-Werror',
      `-D__TARGET_ARCH_${architecture}`,
      '-Ibpf/include',
    ],
    // The object quotes its source by path: it must come out the same wherever the project lies.
    '-fdebug-compilation-dir=.',
  ];
}

async function compile(root: string, tools: Toolchain, name: string, architecture: Architecture): Promise<Receipt> {
  const path = objectPath(name, architecture);
  const draft = join('.cache', 'objects', architecture, `${name}.bpf.o`);
  const dependencies = `${draft}.d`;
  mkdirSync(join(root, dirname(draft)), { recursive: true });
  mkdirSync(join(root, dirname(path)), { recursive: true });
  const source = `bpf/${name}.bpf.c`;
  const flags = [...compilerFlags(architecture), '-MD', '-MF', dependencies, '-c', source, '-o', draft];
  await execute(tools.clang, flags, { cwd: root });
  // DWARF is ten times the size of the rest; -g keeps BTF.
  await execute(tools.strip, ['-g', draft], { cwd: root });
  const bytes = readFileSync(join(root, draft));
  const inputs = parseDependencies(readFileSync(join(root, dependencies), 'utf8'));
  renameSync(join(root, draft), join(root, path));
  return { key: keyOf(root, tools, architecture, inputs, new Map()), digest: digestOf(bytes), inputs };
}

/** The prerequisites of the one rule in a file written by `clang -MD`. */
export function parseDependencies(rule: string): readonly string[] {
  const prerequisites = rule.slice(rule.indexOf(': ') + 2).replaceAll('\\\n', ' ');
  return (prerequisites.match(/(?:\\.|[^\s\\])+/g) ?? []).map((path) => path.replace(/\\(.)/g, '$1'));
}

function keyOf(
  root: string,
  tools: Toolchain,
  architecture: Architecture,
  inputs: readonly string[],
  contents: Map<string, string>,
): string {
  const hash = createHash('sha256').update(JSON.stringify([tools, compilerFlags(architecture)]));
  for (const input of inputs) {
    let digest = contents.get(input);
    if (digest === undefined) {
      const path = input.startsWith('/') ? input : join(root, input);
      digest = existsSync(path) ? digestOf(readFileSync(path)) : 'gone';
      contents.set(input, digest);
    }
    hash.update(`${input}\0${digest}\0`);
  }
  return hash.digest('hex');
}

function hasDigest(root: string, path: string, receipt: Receipt): boolean {
  const file = join(root, path);
  return existsSync(file) && digestOf(readFileSync(file)) === receipt.digest;
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function readReceipts(root: string): Receipts {
  try {
    return JSON.parse(readFileSync(join(root, receiptsPath), 'utf8')) as Receipts;
  } catch {
    // The cache was removed or cut short: everything is compiled again.
    return {};
  }
}

function removeOrphans(root: string, names: readonly string[]): void {
  for (const architecture of architectures) {
    const directory = join(root, 'dist/bpf', architecture);
    const files = existsSync(directory) ? readdirSync(directory) : [];
    for (const file of files) {
      if (!names.includes(file.replace(/\.bpf\.o$/, '')) && statSync(join(directory, file)).isFile()) {
        rmSync(join(directory, file));
      }
    }
  }
}

function compilerWords(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message?: string };
  return (stderr || message || String(error)).trimEnd();
}
