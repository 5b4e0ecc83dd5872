import { readFileSync } from 'node:fs';
import { KscopeError, reasonOf } from '../model/errors.ts';
import { once } from '../model/once.ts';
import { crc32 } from '../native/crc32.ts';
import { type ObjectSpec, readObjectSpec } from './object-spec.ts';
import type { Skeleton } from './skeleton.ts';

const reinstall = ['install the package again', 'or, in a source tree: npm run build'];

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

/** An object file in memory, and what it declares. */
export interface ObjectFile {
  readonly bytes: Uint8Array;
  readonly spec: ObjectSpec;
}

/**
 * The object file of a skeleton, read once; needs neither privileges nor libbpf. @throws KscopeError failed for a file
 * that is missing, damaged or of another build
 */
export const objectOf = once((skeleton: Skeleton): ObjectFile => {
  const bytes = objectBytes(skeleton);
  return { bytes, spec: readObjectSpec(bytes, `the BPF object of ${skeleton.name}`) };
});

/** What the object file declares. @throws KscopeError failed, as `objectOf` does */
export function objectSpec(skeleton: Skeleton): ObjectSpec {
  return objectOf(skeleton).spec;
}

function objectBytes(skeleton: Skeleton): Uint8Array {
  let bytes: Buffer;
  try {
    bytes = readFileSync(objectFile(skeleton));
  } catch (cause) {
    throw new KscopeError('failed', `the BPF object of ${skeleton.name} cannot be read: ${reasonOf(cause)}`, {
      hint: reinstall,
      cause,
    });
  }
  const checksum = skeleton.checksums[architecture()];
  if (checksum !== undefined && checksum !== crc32(bytes)) {
    throw damaged(skeleton.name);
  }
  return bytes;
}

/** @throws KscopeError failed when the bytes do not have that SHA-256 */
export function checkDigest(bytes: Uint8Array, digest: string, name: string): void {
  // To load what makes digests takes longer than to load most objects.
  const { createHash } = process.getBuiltinModule('node:crypto');
  if (createHash('sha256').update(bytes).digest('hex') !== digest) {
    throw damaged(name);
  }
}

function damaged(name: string): KscopeError {
  return new KscopeError('failed', `the BPF object of ${name} is damaged or of another build`, { hint: reinstall });
}
