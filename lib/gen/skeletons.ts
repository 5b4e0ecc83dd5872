import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { objectTypes } from '../bpf/object-types.ts';
import { KscopeError } from '../model/errors.ts';
import type { BuiltObject } from './objects.ts';

/**
 * Writes bpf/NAME.bpf.ts for every object: its types, as the shapes and tools see them. Files that would not change are
 * not touched, those of objects that are gone are removed.
 * @returns how many were written
 * @throws KscopeError failed, when an object breaks a rule or differs between architectures
 */
export function writeSkeletons(root: string, objects: readonly BuiltObject[]): number {
  let written = 0;
  const files = new Set<string>();
  for (const name of new Set(objects.map((object) => object.name))) {
    const builds = objects.filter((object) => object.name === name);
    const file = `${name}.bpf.ts`;
    files.add(file);
    const path = join(root, 'bpf', file);
    const text = skeletonText(
      name,
      builds.map(({ architecture, path }) => {
        const bytes = readFileSync(join(root, path));
        return { architecture, bytes, checksum: crc32(bytes) };
      }),
    );
    if (!existsSync(path) || readFileSync(path, 'utf8') !== text) {
      writeFileSync(path, text);
      written += 1;
    }
  }
  for (const file of readdirSync(join(root, 'bpf'))) {
    if (file.endsWith('.bpf.ts') && !files.has(file)) {
      rmSync(join(root, 'bpf', file));
    }
  }
  return written;
}

/** An object file in memory, for one architecture. */
export interface ObjectBytes {
  readonly architecture: string;
  /** CRC-32. */
  readonly checksum: number;
  readonly bytes: Uint8Array;
}

/** The text of bpf/NAME.bpf.ts. @throws KscopeError failed */
export function skeletonText(name: string, builds: readonly ObjectBytes[]): string {
  const [first, ...others] = builds.map(({ architecture, bytes }) => ({
    architecture,
    text: declarations(`bpf/${name}.bpf.c`, bytes),
  }));
  for (const { architecture, text } of others) {
    if (text !== first?.text) {
      throw new KscopeError('failed', `bpf/${name}.bpf.c has other types for ${architecture} than elsewhere`);
    }
  }
  const checksums = builds.map(({ architecture, checksum }) => `  ${architecture}: ${checksum},`);
  return [
    `// The types of bpf/${name}.bpf.c, written by the build.`,
    "import { skeleton } from '../lib/bpf/skeleton.ts';",
    '',
    `${first?.text ?? ''}>('${name}', {`,
    ...checksums,
    '});',
    '',
  ].join('\n');
}

/** Everything up to the closing bracket of the type argument. */
function declarations(source: string, bytes: Uint8Array): string {
  const { records, members, untypedRings } = objectTypes(bytes, source);
  for (const ring of untypedRings) {
    throw new KscopeError('failed', `${source} does not say what is on ring buffer '${ring}'`);
  }
  return [...records, 'export default skeleton<{', members, '}'].join('\n');
}
