import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { architecture } from '../../lib/bpf/object-file.ts';

/** Where the programs of the tests are, with their objects. */
export const sourceFolder = fileURLToPath(new URL('../../../test/fixtures/bpf/', import.meta.url));

/** The programs, and the architectures that they are compiled for. */
export const sources = [
  { name: 'alternatives', architectures: ['any'] },
  { name: 'library', architectures: ['any'] },
  { name: 'probes', architectures: ['any'] },
  { name: 'usdt', architectures: ['x86', 'arm64'] },
] as const;

/** The compiled object of a program, for this machine. */
export function fixtureObject(name: (typeof sources)[number]['name']): string {
  const any: readonly string[] = sources.find((source) => source.name === name)?.architectures ?? [];
  return join(sourceFolder, `${name}.${any.includes('any') ? 'any' : architecture()}.bpf.o`);
}

/** What an object was made from, for who wants to know whether it still is. */
export function digestOfSource(name: string): string {
  return createHash('sha256')
    .update(readFileSync(join(sourceFolder, `${name}.bpf.c`)))
    .digest('hex');
}
