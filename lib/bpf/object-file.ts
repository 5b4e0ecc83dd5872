import { readFileSync } from 'node:fs';
import { KscopeError } from '../model/errors.ts';
import { type ObjectSpec, readObjectSpec } from './object-spec.ts';
import type { Skeleton } from './skeleton.ts';

const architectures: Partial<Record<NodeJS.Architecture, string>> = { x64: 'x86', arm64: 'arm64' };

/** The kernel's name of the running architecture: 'x86' or 'arm64'. @throws KscopeError unsupported */
export function architecture(): string {
  const name = architectures[process.arch];
  if (name === undefined) {
    throw new KscopeError('unsupported', `there are no BPF objects for ${process.arch}`, {
      hint: 'x64 and arm64 are supported',
    });
  }
  return name;
}

/** Where the object file of a skeleton lies: beside the compiled sources. */
export function objectFile(skeleton: Skeleton): URL {
  return new URL(`../../bpf/${architecture()}/${skeleton.name}.bpf.o`, import.meta.url);
}

/** What the object file declares; needs neither privileges nor libbpf. @throws KscopeError failed */
export function objectSpec(skeleton: Skeleton): ObjectSpec {
  try {
    return readObjectSpec(readFileSync(objectFile(skeleton)), `the BPF object of ${skeleton.name}`);
  } catch (cause) {
    if (cause instanceof KscopeError) {
      throw cause;
    }
    throw new KscopeError('failed', `the BPF object of ${skeleton.name} cannot be read: ${(cause as Error).message}`, {
      hint: ['install the package again', 'or, in a source tree: npm run build'],
      cause,
    });
  }
}
