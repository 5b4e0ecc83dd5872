import { KscopeError } from '../model/errors.ts';
import type { Btf } from './btf.ts';
import { kernelBtf } from './kernel-btf.ts';

/**
 * Where a member is in a structure of the running kernel, in bytes: `memberOffset('mnt_namespace', 'ns', 'inum')`.
 * @throws KscopeError unsupported where there is none, or it is a bit field
 */
export function memberOffset(structure: string, ...path: readonly string[]): number {
  const btf = kernelBtf();
  let id = btf.findByName(structure, 'struct')?.id;
  let bits = 0;
  for (const name of path) {
    const found = id === undefined ? undefined : member(btf, id, name);
    id = found?.type;
    bits += found?.bitOffset ?? 0;
  }
  if (id === undefined || bits % 8 !== 0) {
    throw new KscopeError('unsupported', `the kernel's struct ${structure} has no ${path.join('.')}`);
  }
  return bits / 8;
}

function member(btf: Btf, id: number, name: string): { type: number; bitOffset: number } | undefined {
  for (const { name: own, type, bitOffset } of btf.members(id)) {
    if (own === name) {
      return { type, bitOffset };
    }
    const kind = btf.resolve(type).kind;
    const inner = own === '' && (kind === 'struct' || kind === 'union') ? member(btf, type, name) : undefined;
    if (inner !== undefined) {
      return { type: inner.type, bitOffset: bitOffset + inner.bitOffset };
    }
  }
  return undefined;
}
