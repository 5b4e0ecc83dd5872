import { KscopeError } from '../model/errors.ts';
import type { Btf } from './btf.ts';
import type { BtfMember } from './btf-kinds.ts';
import { kernelBtf } from './kernel-btf.ts';

/** Structures without a name within one another: more than any compiler makes of C. */
const DEEPEST = 16;

/** The member of that name, also of structures without a name in it, and how many bits it is from the beginning. */
export function memberNamed(
  btf: Btf,
  id: number,
  name: string,
  depth = 0,
): { readonly member: BtfMember; readonly bitOffset: number } | undefined {
  for (const member of btf.members(id)) {
    if (member.name === name) {
      return { member, bitOffset: member.bitOffset };
    }
    if (member.name === '' && depth < DEEPEST && isComposite(btf, member.type)) {
      const inner = memberNamed(btf, member.type, name, depth + 1);
      if (inner !== undefined) {
        return { member: inner.member, bitOffset: inner.bitOffset + member.bitOffset };
      }
    }
  }
  return undefined;
}

function isComposite(btf: Btf, id: number): boolean {
  const { kind } = btf.resolve(id);
  return kind === 'struct' || kind === 'union';
}

/**
 * Where a member is in a structure of the running kernel, in bytes: `memberOffset('mnt_namespace', 'ns', 'inum')`.
 * @throws KscopeError unsupported where there is none, or it is a bit field
 */
export function memberOffset(structure: string, ...path: readonly string[]): number {
  const btf = kernelBtf();
  let id = btf.findByName(structure, 'struct')?.id;
  let bits = 0;
  for (const name of path) {
    const found = id === undefined ? undefined : memberNamed(btf, id, name);
    id = found?.member.type;
    bits += found?.bitOffset ?? 0;
  }
  if (id === undefined || bits % 8 !== 0) {
    throw new KscopeError('unsupported', `the kernel's struct ${structure} has no ${path.join('.')}`);
  }
  return bits / 8;
}
